package store

import (
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// BenchmarkRecord is the statement that is sent most often: five steps, which are there from the
// second time on, and eight events.
func BenchmarkRecord(b *testing.B) {
	bundle := setup(b)
	r, claimed := bundle.claimNew(b)
	id := claimed.ID
	now := time.Now()
	change := onboarding.Change{ID: id, Epoch: claimed.Epoch, Status: onboarding.StatusInProgress}
	for _, key := range []onboarding.Key{"address", "business_information", "customer_profile", "representative_1", "trust_product"} {
		change.Steps = append(change.Steps, onboarding.Step{
			Key: key, State: onboarding.StepSucceeded, SID: random("BU"), RemoteStatus: onboarding.BundleDraft, Attempts: 1,
			IntentAt: now, StartedAt: now, FinishedAt: now,
		})
	}
	for range 8 {
		change.Events = append(change.Events, onboarding.Event{
			At: now, Kind: "step.succeeded", Step: "customer_profile", Actor: "replica:test", Detail: random("BU"),
		})
	}
	for b.Loop() {
		if err := r.ledger.Record(r.ctx, change); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkClaimAndRelease is one empty run of an onboarding.
func BenchmarkClaimAndRelease(b *testing.B) {
	bundle := setup(b)
	id := newOnboarding(b, bundle.store)
	next := time.Now()
	for b.Loop() {
		r, claimed := bundle.inbox.claim(b, id)
		r.release(b, claimed, next)
		close(r.end)
	}
}
