package plan

import (
	"context"
	"slices"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

// unapproved is a Trust Hub whose every evaluation has found that the profile underneath is not
// approved, and nothing else.
type unapproved struct{ onboarding.TrustHub }

func (unapproved) Evaluate(context.Context, string, onboarding.BundleKind, string, string) (onboarding.Evaluation, error) {
	return onboarding.Evaluation{Object: onboarding.Object{SID: "EL1"}, Status: "noncompliant", Results: []onboarding.EvaluationResult{{
		ObjectType: "customer_profile", Invalid: []onboarding.EvaluationField{{ObjectField: "bundle_status", FailureReason: "The Customer Profile is pending-review."}},
	}}}, nil
}

func (h unapproved) FindEvaluations(ctx context.Context, account string, kind onboarding.BundleKind, bundleSID string) ([]onboarding.Evaluation, error) {
	e, err := h.Evaluate(ctx, account, kind, bundleSID, "")
	return []onboarding.Evaluation{e}, err
}

func TestAnEvaluationThatIsOutdatedWhenItIsFoundIsMadeAgain(t *testing.T) {
	const profileReview = onboarding.Key("customer_profile.review")
	for _, test := range []struct {
		name               string
		review             onboarding.State
		waitsDo, waitsFind bool
	}{
		{"the profile is in review", onboarding.StepWaiting, true, true},
		// The evaluation may have been made before the approval, and its answer lost. To wait for a
		// step that has succeeded is to be due.
		{"the profile was approved meanwhile", onboarding.StepSucceeded, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := &onboarding.Onboarding{ID: "onb_1", Request: exampleRequest()}
			nodes, _ := examplePlan(GateAuto).Arrange(o)
			o.Step(profileReview).State = test.review
			i := slices.IndexFunc(nodes, func(n onboarding.Node) bool { return n.Key == "trust_product.evaluation" })
			effect := nodes[i].Effect(o)

			done, err := effect.Do(t.Context(), unapproved{})
			if got := waitsFor(done) == profileReview; err != nil || got != test.waitsDo || (len(onboarding.AskedIn(done)) > 0) == test.waitsDo {
				t.Errorf("made: %+v, %v; want it to wait: %v", done, err, test.waitsDo)
			}
			found, err := effect.Find(t.Context(), unapproved{})
			if err != nil || len(found) != 1 || (waitsFor(found[0]) == profileReview) != test.waitsFind || (len(onboarding.AskedIn(found[0])) > 0) == test.waitsFind {
				t.Errorf("found: %+v, %v; want it to wait: %v", found, err, test.waitsFind)
			}
		})
	}
}

// waitsFor is the step that the outcome waits for, or "".
func waitsFor(o onboarding.Outcome) onboarding.Key {
	if blocked, ok := o.(onboarding.Blocked); ok {
		return blocked.Until
	}
	return ""
}
