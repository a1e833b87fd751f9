package ledgermodel_test

import (
	"context"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/ledgermodel"
	"github.com/attestd/attestd/internal/onboarding/ledgertest"
	"github.com/attestd/attestd/internal/onboarding/memledger"
)

func TestMemoryKeepsToTheModel(t *testing.T) {
	t.Parallel()
	ledgermodel.Check(t, func(*testing.T) ledgertest.Harness {
		w := &workers{store: memledger.New(), fetched: map[onboarding.ID]*memledger.Job{}}
		return ledgertest.Harness{Repository: w.store, Fetch: w.fetch, Due: w.due, Abandon: w.abandon}
	})
}

// workers fetch the jobs of one test at a time.
type workers struct {
	store   *memledger.Store
	fetched map[onboarding.ID]*memledger.Job
}

func (w *workers) fetch(t testing.TB, id onboarding.ID) (context.Context, onboarding.Ledger) {
	t.Helper()
	for job := w.store.Fetch(); job != nil; job = w.store.Fetch() {
		w.fetched[job.ID] = job
		if job.ID == id {
			return t.Context(), job
		}
	}
	t.Fatalf("no job of %s is due", id)
	return nil, nil
}

func (w *workers) due(_ testing.TB, id onboarding.ID) (time.Time, bool) { return w.store.Due(id) }

func (w *workers) abandon(_ testing.TB, id onboarding.ID) { w.fetched[id].Abandon() }
