package main

import (
	"context"
	"fmt"
	"strings"
)

// scenario is something that the demo can show.
type scenario struct {
	name, about string
	// business is where the business of the customer differs from one in order.
	business map[string]any
	// tell goes on from the POST of the onboarding to attestation A.
	tell func(ctx context.Context, t *story) error
}

// scenarios are all that there are. The first is the default.
var scenarios = []scenario{
	{
		name: "happy", about: "one POST becomes attestation A; the server is restarted half-way",
		tell: func(ctx context.Context, t *story) error {
			if err := t.follow(ctx, advanced(0.5)); err != nil {
				return err
			}
			t.view.say("Half-way: stopping the server and starting it again …")
			if err := t.restartServer(ctx); err != nil {
				return err
			}
			t.view.say("The server is back, and knows where it was.")
			return t.follow(ctx, attested)
		},
	},
	{
		name: "rejected", about: "Twilio's reviewer rejects the registration number (18602); one PATCH corrects it",
		// The reviewers of the simulator find no business with a number that ends in 0000.
		business: map[string]any{"business_registration_number": "12-3450000"},
		tell: func(ctx context.Context, t *story) error {
			rejected := func(o onboardingView) bool {
				return o.CustomerProfile.Status == "twilio-rejected" && len(o.Requirements) > 0
			}
			if err := t.follow(ctx, rejected); err != nil {
				return err
			}
			for _, r := range t.now.Requirements {
				t.view.say(fmt.Sprintf("Rejected with %s: %s  %s", r.Code, r.Pointer, r.Message))
			}
			correction := map[string]any{"business": map[string]any{"business_registration_number": "12-3456789"}}
			if err := t.patch(ctx, t.now, correction); err != nil {
				return err
			}
			t.view.say("PATCH /onboardings/" + t.now.ID + " answered 202: the number is corrected where Twilio holds it.")
			corrected := func(o onboardingView) bool { return o.Status != "action_required" }
			if err := t.follow(ctx, corrected); err != nil {
				return err
			}
			return t.follow(ctx, attested)
		},
	},
	{
		name: "numbers", about: "after the approval two more numbers are bought and added, and one is removed",
		tell: func(ctx context.Context, t *story) error {
			if err := t.follow(ctx, attested); err != nil {
				return err
			}
			bought, err := t.buyNumbers(ctx, &t.customer, 2)
			if err != nil {
				return err
			}
			if err := t.addNumbers(ctx, t.now.ID, bought); err != nil {
				return err
			}
			t.view.say(fmt.Sprintf("Approved. POST /onboardings/%s/phone-numbers %v answered 202", t.now.ID, bought))
			if err := t.follow(ctx, attestedFor(4)); err != nil {
				return err
			}
			removed := t.now.PhoneNumbers[0]
			if err := t.removeNumber(ctx, t.now.ID, removed.SID); err != nil {
				return err
			}
			t.view.say(fmt.Sprintf("DELETE /onboardings/%s/phone-numbers/%s answered 202: %s leaves the product, then the profile",
				t.now.ID, removed.SID, removed.PhoneNumber))
			return t.follow(ctx, attestedFor(3))
		},
	},
	{
		name: "crash", about: "the server is killed with SIGKILL three times: with calls under way, and in both reviews",
		tell: func(ctx context.Context, t *story) error {
			for _, moment := range []func(onboardingView) bool{
				advanced(0.2), submitted("customer_profile"), submitted("trust_product"),
			} {
				if err := t.follow(ctx, moment); err != nil {
					return err
				}
				t.view.say(fmt.Sprintf("%d of %d steps are done: killing the server with SIGKILL …", t.now.succeeded(), len(t.now.Steps)))
				if err := t.killServer(ctx); err != nil {
					return err
				}
				t.view.say("Another is up: it looks up what the one before may have done, and goes on.")
			}
			return t.follow(ctx, attested)
		},
	},
}

func scenarioNamed(name string) (scenario, error) {
	for _, s := range scenarios {
		if s.name == name {
			return s, nil
		}
	}
	return scenario{}, fmt.Errorf("there is no scenario %q; there are:\n%s", name, scenarioList())
}

// scenarioList has a line for each scenario.
func scenarioList() string {
	var lines []string
	for _, s := range scenarios {
		lines = append(lines, fmt.Sprintf("  %-9s %s", s.name, s.about))
	}
	return strings.Join(lines, "\n")
}
