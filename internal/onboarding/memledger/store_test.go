package memledger_test

import (
	"context"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/ledgertest"
	"github.com/attestd/attestd/internal/onboarding/memledger"
)

// TestConformance runs in real time: the suite's wake-up race wants goroutines that really run side by side.
func TestConformance(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func(t *testing.T) ledgertest.Harness {
		store := memledger.New()
		// The suite fetches one onboarding at a time, or does not mind which job it gets for another.
		fetched := map[onboarding.ID]*memledger.Job{}
		return ledgertest.Harness{
			Repository: store,
			Fetch: func(t testing.TB, id onboarding.ID) (context.Context, onboarding.Ledger) {
				t.Helper()
				timeout := time.After(10 * time.Second)
				for {
					for job := store.Fetch(); job != nil; job = store.Fetch() {
						fetched[job.ID] = job
						if job.ID == id {
							return t.Context(), job
						}
					}
					var timer <-chan time.Time
					if due, ok := store.NextDue(); ok {
						timer = time.After(time.Until(due))
					}
					select {
					case <-store.Changed():
					case <-timer:
					case <-timeout:
						t.Fatalf("no job of onboarding %s became due", id)
					}
				}
			},
			Due: func(_ testing.TB, id onboarding.ID) (time.Time, bool) { return store.Due(id) },
			Abandon: func(_ testing.TB, id onboarding.ID) {
				fetched[id].Abandon()
			},
		}
	})
}
