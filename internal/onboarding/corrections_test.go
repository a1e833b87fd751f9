package onboarding

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// What the simulation has found, each by itself.

func arranged(change func(o *Onboarding)) (*Onboarding, Plan) {
	plan := examplePlan(GateAuto)
	o := &Onboarding{ID: "onb_1", Version: 1, Request: exampleRequest(), SubaccountSID: "AC1", Numbers: []PhoneNumber{{SID: "PN1", Number: "+13125550101"}}}
	o.Request.PhoneNumbers = []string{"+13125550101"}
	plan.Arrange(o)
	for i := range o.Steps {
		s := &o.Steps[i]
		s.State = StepSucceeded
		if !s.Key.IsReview() && !strings.HasSuffix(string(s.Key), ".submission") {
			s.SID = "SID of " + string(s.Key)
		}
	}
	change(o)
	return o, plan
}

func TestANumberThatWasBoughtBackHasItsNewSID(t *testing.T) {
	r := Request{PhoneNumbers: []string{"+13125550101"}}
	resolved, faults := r.resolve([]PhoneNumber{{SID: "PN1", Number: "+13125550101"}}, []PhoneNumber{{SID: "PN2", Number: "+13125550101"}})
	if len(faults) > 0 || len(resolved) != 1 || resolved[0].SID != "PN2" {
		t.Errorf("resolved %v with %v, want the number that the subaccount holds now", resolved, faults)
	}
}

func TestAResumeLooksForTheNumbersAnewWhenOneFailed(t *testing.T) {
	o, plan := arranged(func(o *Onboarding) { o.Step("customer_profile.number.PN1").State = StepFailed })
	nodes, _ := plan.arrange(o)
	resume(o, nodes, "key:test", time.Unix(1, 0))
	if state := o.Step(keyPreflight).State; state != StepPending {
		t.Errorf("the preflight is %s", state)
	}
}

func TestACorrectionHandsInNothingThatIsUnderReview(t *testing.T) {
	o, plan := arranged(func(o *Onboarding) {
		o.Step("trust_product.submission").RemoteStatus = BundlePendingReview
		review := o.Step("trust_product.review")
		review.State, review.Error = StepFailed, &StepError{HTTPStatus: 403} // To read it was refused.
	})
	if _, err := amend(o, plan, "key:test", o.Request, nil, true, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[Key]State{"trust_product.evaluation": StepSucceeded, "trust_product.submission": StepSucceeded, "trust_product.review": StepPending} {
		if state := o.Step(key).State; state != want {
			t.Errorf("%s is %s, want %s", key, state, want)
		}
	}
}

func TestACleanupSettlesAlsoWhatHangsOnABundleThatWasTakenOver(t *testing.T) {
	o, plan := arranged(func(o *Onboarding) {
		o.Request.CustomerProfileSID = "BU1"
		o.CanceledAt, o.Cleanup = time.Unix(1, 0), true
	})
	for _, s := range o.Steps {
		if !slices.ContainsFunc(plan(o), func(n Node) bool { return n.Key == s.Key && n.Aim != AimDone }) {
			t.Errorf("nobody ends %s", s.Key)
		}
	}
}

func TestAnEvaluationDoesNotWaitForANumberThatLeaves(t *testing.T) {
	o, plan := arranged(func(o *Onboarding) {
		o.Request.PhoneNumbers, o.Numbers = []string{"PN2"}, []PhoneNumber{{SID: "PN2", Number: "+13125550102"}}
	})
	leaves := false
	for _, n := range plan(o) {
		leaves = leaves || n.Key == "customer_profile.number.PN1" && n.Aim == AimGone
		if strings.HasSuffix(string(n.Key), ".evaluation") && slices.ContainsFunc(n.Needs, func(k Key) bool { return strings.HasSuffix(string(k), ".PN1") }) {
			t.Errorf("%s needs %v", n.Key, n.Needs)
		}
	}
	if !leaves {
		t.Error("the number does not leave")
	}
}

func TestWhatIsBeingTakenBackIsNotWantedAgain(t *testing.T) {
	for _, name := range []string{"PN1", "+13125550101"} {
		o, plan := arranged(func(o *Onboarding) {
			o.Request.PhoneNumbers, o.Numbers = []string{"PN2"}, []PhoneNumber{{SID: "PN2", Number: "+13125550102"}}
			o.Step("trust_product.number.PN1").State = StepRunning
		})
		wanted := o.Request
		wanted.PhoneNumbers = []string{"PN2", name}
		_, err := amend(o, plan, "key:test", wanted, nil, false, time.Unix(1, 0))
		if refused := (*RefusedError)(nil); !errors.As(err, &refused) || refused.Code != "busy" {
			t.Errorf("%s is wanted again while it is taken off: %v", name, err)
		}
	}
}

func TestACancellationEndsWhatWaitedForAReview(t *testing.T) {
	o, plan := arranged(func(o *Onboarding) {
		o.CanceledAt, o.Cleanup = time.Unix(1, 0), true
		s := o.Step("customer_profile.number.PN1")
		s.State, s.WaitsFor = StepWaiting, "customer_profile.review"
	})
	a := amendment{o: o}
	a.letGo(plan(o))
	if s := o.Step("customer_profile.number.PN1"); s.State != StepPending || s.WaitsFor != "" {
		t.Errorf("it is %s and waits for %q", s.State, s.WaitsFor)
	}
}

func TestABundleIsTakenBackAfterItsNumbersWhateverIsGoneAlready(t *testing.T) {
	o, plan := arranged(func(o *Onboarding) { o.CanceledAt, o.Cleanup = time.Unix(1, 0), true })
	for _, n := range plan(o) {
		if number := numberKey(n.Key, o.Numbers[0]); o.Step(number) != nil && !slices.Contains(n.Needs, number) {
			t.Errorf("%s goes after %v, and %s is not among it", n.Key, n.Needs, number)
		}
	}
}

// bare is a Trust Hub whose bundles hold nothing.
type bare struct{ TrustHub }

func (bare) FindEntityAssignments(context.Context, string, BundleKind, string, string) ([]Object, error) {
	return nil, nil
}

func TestNothingIsPutOnAnApprovedProductThatWasTakenOver(t *testing.T) {
	const key = Key("trust_product.customer_profile")
	o, plan := arranged(func(o *Onboarding) {
		o.Request.TrustProductSID = "BU2"
		o.Step("trust_product").RemoteStatus = BundleApproved
	})
	i := slices.IndexFunc(plan(o), func(n Node) bool { return n.Key == key })
	r, err := plan(o)[i].Effect(o).Do(t.Context(), bare{}) // Anything but the lookup panics.
	if err != nil || len(r.Requirements) != 1 || r.Requirements[0].Code != "product_incomplete" || r.Requirements[0].Pointer != "/trust_product_sid" {
		t.Errorf("it comes to %+v, %v; want a person to be asked", r, err)
	}
}
