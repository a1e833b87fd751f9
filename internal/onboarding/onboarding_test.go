package onboarding

import (
	"strings"
	"testing"
	"time"
)

func TestStatusIsDerivedFromTheSteps(t *testing.T) {
	step := func(k Key, s State) Step {
		kind := KindObject
		if strings.HasSuffix(string(k), ".review") {
			kind = KindReview
		} else if k == NumbersCheckKey {
			kind = KindCheck
		}
		return Step{Key: k, Role: Role{Kind: kind}, State: s}
	}
	tests := []struct {
		name     string
		steps    []Step
		canceled bool
		want     Status
	}{
		{name: "nothing yet", want: StatusInProgress},
		{name: "all pending", steps: []Step{step("preflight", StepPending)}, want: StatusInProgress},
		{name: "one running", steps: []Step{step("preflight", StepSucceeded), step("address", StepRunning)}, want: StatusInProgress},
		{name: "one waits to be tried again", steps: []Step{step("address", StepWaiting), step("customer_profile.review", StepWaiting)}, want: StatusInProgress},
		{name: "only a review left", steps: []Step{step("customer_profile.review", StepWaiting), step("trust_product.submission", StepPending)}, want: StatusInReview},
		{name: "a step waits for the review", want: StatusInReview, steps: []Step{
			step("customer_profile.review", StepWaiting),
			{Key: "trust_product.evaluation", State: StepWaiting, WaitsFor: "customer_profile.review"},
		}},
		{name: "a step waited for a review that is over", want: StatusInProgress, steps: []Step{
			step("customer_profile.review", StepSucceeded),
			{Key: "trust_product.evaluation", State: StepWaiting, WaitsFor: "customer_profile.review"},
		}},
		{name: "one failed while another runs", steps: []Step{step("representative_1", StepRunning), step("address", StepFailed)}, want: StatusActionRequired},
		{name: "all succeeded", steps: []Step{step("customer_profile.review", StepSucceeded), step("trust_product.review", StepSucceeded)}, want: StatusApproved},
		{name: "a check is still to come", steps: []Step{step("trust_product.review", StepSucceeded), step(NumbersCheckKey, StepWaiting)}, want: StatusApproved},
		{name: "a check has found something", steps: []Step{step("trust_product.review", StepSucceeded), step(NumbersCheckKey, StepFailed)}, want: StatusActionRequired},
		{name: "a number was taken off", steps: []Step{step("trust_product.review", StepSucceeded), step("trust_product.number.PN1", StepCanceled)}, want: StatusApproved},
		{name: "canceled", steps: []Step{step("address", StepFailed)}, canceled: true, want: StatusCanceled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := Onboarding{Steps: tt.steps}
			if tt.canceled {
				o.CanceledAt = time.Now()
			}
			if got := o.Status(); got != tt.want {
				t.Errorf("status %s, want %s", got, tt.want)
			}
		})
	}
}

func TestBundleStatusIsTheNewestThatWasRead(t *testing.T) {
	o := Onboarding{Steps: []Step{
		{Key: "customer_profile", SID: "BU1", RemoteStatus: BundleDraft},
		{Key: "customer_profile.submission", RemoteStatus: BundlePendingReview},
		{Key: "customer_profile.review", RemoteStatus: BundleInReview},
		{Key: "trust_product", SID: "BU2", RemoteStatus: BundleDraft},
	}}
	if got, want := o.Bundle("customer_profile"), (BundleRef{SID: "BU1", Status: BundleInReview}); got != want {
		t.Errorf("customer profile %+v, want %+v", got, want)
	}
	if got, want := o.Bundle("trust_product"), (BundleRef{SID: "BU2", Status: BundleDraft}); got != want {
		t.Errorf("trust product %+v, want %+v", got, want)
	}
}
