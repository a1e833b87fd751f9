package onboarding

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSubmissionsAreReadFromTheHistoryWithWhatBecameOfThem(t *testing.T) {
	t.Parallel()
	begun := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	at := func(n int) time.Time { return begun.Add(time.Duration(n) * time.Hour) }
	var events []PastEvent
	happens := func(kind string, step Key, detail string) {
		n := len(events)
		stepKind, bundle := KindBundle, step
		for suffix, k := range map[string]Kind{".submission": KindSubmission, ".review": KindReview} {
			if b, ok := strings.CutSuffix(string(step), suffix); ok {
				stepKind, bundle = k, Key(b)
			}
		}
		events = append(events, PastEvent{ID: int64(n), Event: Event{At: at(n), Kind: kind, Step: step, StepKind: stepKind, Bundle: bundle, Detail: detail}})
	}
	happens("step.succeeded", "preflight", "")
	happens("step.succeeded", "customer_profile", "BU1")
	happens("step.succeeded", "customer_profile.submission", "") // 2
	happens("step.succeeded", "cnam", "BU2")
	happens("step.failed", "customer_profile.review", "")
	happens("step.succeeded", "customer_profile.submission", "") // 5, corrected
	happens("step.succeeded", "cnam.submission", "")             // 6
	happens("step.succeeded", "customer_profile.review", "")
	happens("step.failed", "customer_profile.review", "") // The approval has lapsed: no decision about a submission.
	happens("step.failed", "cnam.review", "")
	happens("step.adopted", "cnam", "BU3") // Another takes its place.
	happens("step.succeeded", "cnam.submission", "")

	got, ids := Submissions(events)
	want := []Submission{
		{Bundle: "customer_profile", BundleSID: "BU1", At: at(2), Decision: DecisionRejected, DecidedAt: at(4)},
		{Bundle: "customer_profile", BundleSID: "BU1", At: at(5), Decision: DecisionApproved, DecidedAt: at(7)},
		{Bundle: "cnam", BundleSID: "BU2", At: at(6), Decision: DecisionRejected, DecidedAt: at(9)},
		{Bundle: "cnam", BundleSID: "BU3", At: at(11)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("submissions (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int64{2, 5, 6, 11}, ids); diff != "" {
		t.Errorf("their events (-want +got):\n%s", diff)
	}
}
