package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// story is a scenario under way: the onboarding of one customer, and how it is shown.
type story struct {
	*world
	view     *view
	customer customer
	begun    time.Time
	// now is the onboarding at the last reading.
	now onboardingView
}

// begin makes the subaccount of the customer and posts the onboarding of the scenario.
func (w *world) begin(ctx context.Context, s scenario, out *os.File) (*story, error) {
	t := &story{world: w, view: newView(out)}
	var err error
	if t.customer, err = w.makeSubaccount(ctx, "Example Plumbing LLC", 2); err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "Subaccount %s holds %v\n", t.customer.sid, t.customer.numbers)
	t.begun = time.Now()
	if t.now, err = w.post(ctx, t.customer, s.business); err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "POST /onboardings answered 202: %s\n\n", t.now.ID)
	return t, nil
}

// follow shows the onboarding until the condition holds. It fails if the onboarding needs a person
// before.
func (t *story) follow(ctx context.Context, until func(onboardingView) bool) error {
	for {
		o, err := t.get(ctx, t.now.ID)
		if err != nil {
			return err
		}
		t.now = o
		t.view.show(o)
		switch {
		case until(o):
			return nil
		case o.Status == "action_required":
			return fmt.Errorf("the onboarding needs a person: %+v", o.Requirements)
		}
		select {
		case <-ctx.Done():
			return errors.New("interrupted")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// attested tells whether Twilio signs the calls of the subaccount with A.
func attested(o onboardingView) bool { return o.Attestation == "A" }

// attestedFor tells whether Twilio signs the calls of exactly that many numbers with A.
func attestedFor(numbers int) func(onboardingView) bool {
	return func(o onboardingView) bool {
		partial := func(n numberView) bool { return n.OnProfile == "" || n.OnProduct == "" }
		return attested(o) && len(o.PhoneNumbers) == numbers && !slices.ContainsFunc(o.PhoneNumbers, partial)
	}
}

// submitted tells whether that bundle has been handed in.
func submitted(bundle string) func(onboardingView) bool {
	return func(o onboardingView) bool {
		return slices.ContainsFunc(o.Steps, func(s stepView) bool { return s.Kind == "submission" && s.Bundle == bundle && s.Status == "succeeded" })
	}
}

// advanced tells whether that share of the steps is done.
func advanced(share float64) func(onboardingView) bool {
	return func(o onboardingView) bool { return float64(o.succeeded()) >= share*float64(len(o.Steps)) }
}
