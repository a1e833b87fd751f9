package desk

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/plan"
)

func exampleRequest() onboarding.Request {
	return onboarding.Request{
		SubaccountSID:     "AC" + strings.Repeat("1", 32),
		PrimaryProfileSID: "BU" + strings.Repeat("2", 32),
		NotificationEmail: "trust@example.com",
		Business: onboarding.Business{
			Name: "Example Plumbing LLC", Identity: "direct_customer", Type: "Limited Liability Corporation", Industry: "CONSTRUCTION",
			RegistrationIdentifier: "EIN", RegistrationNumber: "123456789", RegionsOfOperation: "USA_AND_CANADA", WebsiteURL: "https://example.com",
		},
		Address:                   onboarding.Address{CustomerName: "Example Plumbing LLC", Street: "1 Main St", City: "Springfield", Region: "IL", PostalCode: "62701", ISOCountry: "US"},
		AuthorizedRepresentatives: []onboarding.Representative{{Email: "one@example.com"}},
		PhoneNumbers:              []string{"+13125550101", numberSID(2)},
	}
}

func numberSID(i int) string { return "PN" + strings.Repeat(string(rune('0'+i)), 32) }

// arranged is an onboarding whose steps have all succeeded, and what change makes of it.
func arranged(change func(o *onboarding.Onboarding)) (*onboarding.Onboarding, onboarding.Plan) {
	trustHub := plan.TrustHub(plan.Config{Now: time.Now})
	o := &onboarding.Onboarding{
		ID: "onb_1", Version: 1, Request: exampleRequest(), SubaccountSID: "AC1",
		Numbers: []onboarding.PhoneNumber{{SID: "PN1", Number: "+13125550101"}},
	}
	o.Request.PhoneNumbers = []string{"+13125550101"}
	trustHub.Arrange(o)
	for i := range o.Steps {
		s := &o.Steps[i]
		s.State = onboarding.StepSucceeded
		if s.Kind != onboarding.KindReview && s.Kind != onboarding.KindSubmission {
			s.SID = "SID of " + string(s.Key)
		}
	}
	change(o)
	return o, trustHub
}

func TestAResumeLooksForTheNumbersAnewWhenOneFailed(t *testing.T) {
	o, plan := arranged(func(o *onboarding.Onboarding) { o.Step("customer_profile.number.PN1").State = onboarding.StepFailed })
	nodes, _ := plan.Arrange(o)
	newDraft(o, "key:test", time.Unix(1, 0)).resume(nodes)
	if state := o.Step(onboarding.PreflightKey).State; state != onboarding.StepPending {
		t.Errorf("the preflight is %s", state)
	}
}

func TestACorrectionHandsInNothingThatIsUnderReview(t *testing.T) {
	o, plan := arranged(func(o *onboarding.Onboarding) {
		o.Step("trust_product.submission").RemoteStatus = onboarding.BundlePendingReview
		review := o.Step("trust_product.review")
		review.State, review.Error = onboarding.StepFailed, &onboarding.StepError{HTTPStatus: 403} // To read it was refused.
	})
	_, err := amendment{plan: plan, amended: o.Request, retryFailed: true}.apply(o, "key:test", time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[onboarding.Key]onboarding.State{"trust_product.evaluation": onboarding.StepSucceeded, "trust_product.submission": onboarding.StepSucceeded, "trust_product.review": onboarding.StepPending} {
		if state := o.Step(key).State; state != want {
			t.Errorf("%s is %s, want %s", key, state, want)
		}
	}
}

func TestWhatIsBeingTakenBackIsNotWantedAgain(t *testing.T) {
	for _, name := range []string{"PN1", "+13125550101"} {
		o, plan := arranged(func(o *onboarding.Onboarding) {
			o.Request.PhoneNumbers, o.Numbers = []string{"PN2"}, []onboarding.PhoneNumber{{SID: "PN2", Number: "+13125550102"}}
			o.Step("trust_product.number.PN1").State = onboarding.StepRunning
		})
		wanted := o.Request
		wanted.PhoneNumbers = []string{"PN2", name}
		_, err := amendment{plan: plan, amended: wanted}.apply(o, "key:test", time.Unix(1, 0))
		if refused := (*RefusedError)(nil); !errors.As(err, &refused) || refused.Code != "busy" {
			t.Errorf("%s is wanted again while it is taken off: %v", name, err)
		}
	}
}

func TestACancellationEndsWhatWaitedForAReview(t *testing.T) {
	o, plan := arranged(func(o *onboarding.Onboarding) {
		o.CanceledAt, o.Cleanup = time.Unix(1, 0), true
		s := o.Step("customer_profile.number.PN1")
		s.State, s.WaitsFor = onboarding.StepWaiting, "customer_profile.review"
	})
	nodes, _ := plan.Arrange(o)
	newDraft(o, "key:test", time.Unix(1, 0)).letGo(nodes)
	if s := o.Step("customer_profile.number.PN1"); s.State != onboarding.StepPending || s.WaitsFor != "" {
		t.Errorf("it is %s and waits for %q", s.State, s.WaitsFor)
	}
}
