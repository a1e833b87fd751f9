package onboarding

import (
	"context"
	"slices"
	"testing"
)

// evaluated is a Trust Hub whose every evaluation has found that the profile underneath is not approved, and nothing else.
type evaluated struct{ TrustHub }

func (evaluated) Evaluate(context.Context, string, BundleKind, string, string) (Evaluation, error) {
	return Evaluation{Object: Object{SID: "EL1"}, Status: "noncompliant", Results: []EvaluationResult{{
		ObjectType: "customer_profile", Invalid: []EvaluationField{{ObjectField: "bundle_status", FailureReason: "The Customer Profile is pending-review."}},
	}}}, nil
}

func (h evaluated) FindEvaluations(ctx context.Context, account string, kind BundleKind, bundleSID string) ([]Evaluation, error) {
	e, err := h.Evaluate(ctx, account, kind, bundleSID, "")
	return []Evaluation{e}, err
}

func TestAnEvaluationThatIsOutdatedWhenItIsFoundIsMadeAgain(t *testing.T) {
	const profileReview = Key("customer_profile.review")
	for _, test := range []struct {
		name               string
		review             State
		waitsDo, waitsFind bool
	}{
		{"the profile is in review", StepWaiting, true, true},
		// The evaluation may have been made before the approval, and its answer lost. To wait for a step that has succeeded is to be due.
		{"the profile was approved meanwhile", StepSucceeded, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := &Onboarding{ID: "onb_1", Request: exampleRequest()}
			nodes, _ := examplePlan(GateAuto).arrange(o)
			o.Step(profileReview).State = test.review
			i := slices.IndexFunc(nodes, func(n Node) bool { return n.Key == "trust_product.evaluation" })
			effect := nodes[i].Effect(o)

			done, err := effect.Do(t.Context(), evaluated{})
			if err != nil || (done.WaitsFor == profileReview) != test.waitsDo || (len(done.Requirements) > 0) == test.waitsDo {
				t.Errorf("made: %+v, %v; want it to wait: %v", done, err, test.waitsDo)
			}
			found, err := effect.Find(t.Context(), evaluated{})
			if err != nil || len(found) != 1 || (found[0].WaitsFor == profileReview) != test.waitsFind || (len(found[0].Requirements) > 0) == test.waitsFind {
				t.Errorf("found: %+v, %v; want it to wait: %v", found, err, test.waitsFind)
			}
		})
	}
}
