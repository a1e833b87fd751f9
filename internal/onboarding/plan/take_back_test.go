package plan

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// arranged is an onboarding whose steps have all succeeded, and what change makes of it.
func arranged(change func(o *onboarding.Onboarding)) (*onboarding.Onboarding, onboarding.Plan) {
	plan := examplePlan(GateAuto)
	o := &onboarding.Onboarding{
		ID: "onb_1", Version: 1, Request: exampleRequest(), SubaccountSID: "AC1",
		Numbers: []onboarding.PhoneNumber{{SID: "PN1", Number: "+13125550101"}},
	}
	o.Request.PhoneNumbers = []string{"+13125550101"}
	plan.Arrange(o)
	for i := range o.Steps {
		s := &o.Steps[i]
		s.State = onboarding.StepSucceeded
		if s.Kind != onboarding.KindReview && s.Kind != onboarding.KindSubmission {
			s.SID = "SID of " + string(s.Key)
		}
	}
	change(o)
	return o, plan
}

func TestANumberThatWasBoughtBackHasItsNewSID(t *testing.T) {
	r := onboarding.Request{PhoneNumbers: []string{"+13125550101"}}
	resolved, faults := resolve(r, []onboarding.PhoneNumber{{SID: "PN1", Number: "+13125550101"}}, []onboarding.PhoneNumber{{SID: "PN2", Number: "+13125550101"}})
	if len(faults) > 0 || len(resolved) != 1 || resolved[0].SID != "PN2" {
		t.Errorf("resolved %v with %v, want the number that the subaccount holds now", resolved, faults)
	}
}

func TestACleanupSettlesAlsoWhatHangsOnABundleThatWasTakenOver(t *testing.T) {
	o, plan := arranged(func(o *onboarding.Onboarding) {
		o.Request.CustomerProfileSID = "BU1"
		o.CanceledAt, o.Cleanup = time.Unix(1, 0), true
	})
	for _, s := range o.Steps {
		if !slices.ContainsFunc(plan.Nodes(o), func(n onboarding.Node) bool { return n.Key == s.Key && n.Aim != onboarding.AimDone }) {
			t.Errorf("nobody ends %s", s.Key)
		}
	}
}

func TestAnEvaluationDoesNotWaitForANumberThatLeaves(t *testing.T) {
	o, plan := arranged(func(o *onboarding.Onboarding) {
		o.Request.PhoneNumbers, o.Numbers = []string{"PN2"}, []onboarding.PhoneNumber{{SID: "PN2", Number: "+13125550102"}}
	})
	leaves := false
	for _, n := range plan.Nodes(o) {
		leaves = leaves || n.Key == "customer_profile.number.PN1" && n.Aim == onboarding.AimGone
		if strings.HasSuffix(string(n.Key), ".evaluation") && slices.ContainsFunc(n.Needs, func(k onboarding.Key) bool { return strings.HasSuffix(string(k), ".PN1") }) {
			t.Errorf("%s needs %v", n.Key, n.Needs)
		}
	}
	if !leaves {
		t.Error("the number does not leave")
	}
}

func TestABundleIsTakenBackAfterItsNumbersWhateverIsGoneAlready(t *testing.T) {
	o, plan := arranged(func(o *onboarding.Onboarding) { o.CanceledAt, o.Cleanup = time.Unix(1, 0), true })
	for _, n := range plan.Nodes(o) {
		if number := n.Key.Number(o.Numbers[0].SID); o.Step(number) != nil && !slices.Contains(n.Needs, number) {
			t.Errorf("%s goes after %v, and %s is not among it", n.Key, n.Needs, number)
		}
	}
}

// bare is a Trust Hub whose bundles hold nothing.
type bare struct{ onboarding.TrustHub }

func (bare) FindEntityAssignments(context.Context, string, onboarding.BundleKind, string, string) ([]onboarding.Object, error) {
	return nil, nil
}

func TestNothingIsPutOnAnApprovedProductThatWasTakenOver(t *testing.T) {
	const key = onboarding.Key("trust_product.customer_profile")
	o, plan := arranged(func(o *onboarding.Onboarding) {
		o.Request.TrustProductSID = "BU2"
		o.Step("trust_product").RemoteStatus = onboarding.BundleApproved
	})
	i := slices.IndexFunc(plan.Nodes(o), func(n onboarding.Node) bool { return n.Key == key })
	r, err := plan.Nodes(o)[i].Effect(o).Look(t.Context(), bare{}) // Anything but the lookup panics.
	asked := onboarding.AskedIn(r)
	if err != nil || len(asked) != 1 || asked[0].Code != "product_incomplete" || asked[0].Pointer != "/trust_product_sid" {
		t.Errorf("it comes to %+v, %v; want a person to be asked", r, err)
	}
}

func TestACleanupTellsOfWhatWasAddedToAProfileThatWasTakenOver(t *testing.T) {
	o, plan := arranged(func(o *onboarding.Onboarding) {
		o.Request.CustomerProfileSID = "BU1"
		o.CanceledAt, o.Cleanup = time.Unix(1, 0), true
	})
	want := map[onboarding.Key]onboarding.Aim{
		"address": onboarding.AimGone, "address_document": onboarding.AimGone, "business_information": onboarding.AimGone,
		"customer_profile.business_information": onboarding.AimSettled, "customer_profile.number.PN1": onboarding.AimSettled,
	}
	for _, n := range plan.Nodes(o) {
		if aim, ok := want[n.Key]; ok && n.Aim != aim {
			t.Errorf("%s has the aim %d, want %d", n.Key, n.Aim, aim)
		}
		if e := n.Effect(o); n.Kind == onboarding.KindObject && n.Bundle == onboarding.CustomerProfileKey && (e.Remove != nil || !e.Stays) {
			t.Errorf("%s can be removed: it is on a bundle that is not ours", n.Key)
		}
	}
}
