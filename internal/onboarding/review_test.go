package onboarding

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var monday = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

func TestOnlyWhatWasSubmittedAndNotDecidedIsInReview(t *testing.T) {
	t.Parallel()
	step := func(key Key, state State) Step {
		s := Step{Key: key, State: state}
		if bundle, ok := strings.CutSuffix(string(key), ".review"); ok {
			s.Role = Role{Kind: KindReview, Bundle: Key(bundle)}
		}
		return s
	}
	submitted := Step{Key: "customer_profile.submission", State: StepSucceeded, RemoteStatus: BundlePendingReview, FinishedAt: monday}
	waiting := step("customer_profile.review", StepWaiting)
	waiting.RemoteStatus, waiting.NextAttemptAt = BundleInReview, monday.Add(time.Hour)
	made := Step{Key: "customer_profile", State: StepSucceeded, SID: "BU1", RemoteStatus: BundleDraft}
	inReview := Review{Bundle: "customer_profile", BundleRef: BundleRef{"BU1", BundleInReview}, SubmittedAt: monday, NextCheckAt: monday.Add(time.Hour)}
	for name, test := range map[string]struct {
		steps    []Step
		canceled time.Time
		want     []Review
	}{
		"submitted":         {steps: []Step{made, submitted, waiting}, want: []Review{inReview}},
		"not yet looked at": {steps: []Step{made, submitted, step("customer_profile.review", StepPending)}, want: []Review{{Bundle: "customer_profile", BundleRef: BundleRef{"BU1", BundlePendingReview}, SubmittedAt: monday}}},
		"not submitted":     {steps: []Step{made, step("customer_profile.submission", StepPending), step("customer_profile.review", StepPending)}},
		"approved":          {steps: []Step{made, submitted, step("customer_profile.review", StepSucceeded)}},
		"rejected":          {steps: []Step{made, submitted, step("customer_profile.review", StepFailed)}},
		"canceled":          {steps: []Step{made, submitted, waiting}, canceled: monday},
		"another product":   {steps: []Step{step("cnam.submission", StepSucceeded), step("cnam.review", StepWaiting)}, want: []Review{{Bundle: "cnam"}}},
	} {
		o := &Onboarding{Steps: test.steps, CanceledAt: test.canceled}
		if diff := cmp.Diff(test.want, o.Reviews()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
