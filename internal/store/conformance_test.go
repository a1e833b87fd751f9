package store

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/ledgertest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, harness)
}

// harness is a store of its own under the suites that every ledger must pass.
func harness(t *testing.T) ledgertest.Harness {
	bundle := setup(t)
	return ledgertest.Harness{
		Repository: bundle.store,
		Fetch: func(t testing.TB, id onboarding.ID) (context.Context, onboarding.Ledger) {
			t.Helper()
			r := bundle.fetch(t, id)
			for r.ledger.job.ID != bundle.jobID(t, id) { // A worker had it, and before the test asked for it another took its place.
				r = bundle.fetch(t, id)
			}
			return r.ctx, r.ledger
		},
		Due:     bundle.due,
		Abandon: bundle.abandon,
	}
}

// testBundle is a started store whose workers hand each job to the test and wait until the test is over.
type testBundle struct {
	url   string
	store *Store
	desk  *desk
}

// run is a job in the hands of a worker. The worker returns when end is closed, or when it is told to stop.
type run struct {
	ctx    context.Context
	ledger *Ledger
	end    chan struct{}
}

// desk is where workers leave the jobs that they were given, by onboarding.
type desk struct {
	mu   sync.Mutex
	runs map[onboarding.ID]chan run
	// closed, once closed, ends all runs.
	closed chan struct{}
}

func newDesk() *desk { return &desk{runs: map[onboarding.ID]chan run{}, closed: make(chan struct{})} }

func (d *desk) of(id onboarding.ID) chan run {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.runs[id] == nil {
		d.runs[id] = make(chan run, 100)
	}
	return d.runs[id]
}

func (d *desk) advance(ctx context.Context, ledger onboarding.Ledger, id onboarding.ID) error {
	r := run{ctx: ctx, ledger: ledger.(*Ledger), end: make(chan struct{})}
	d.of(id) <- r
	select {
	case <-r.end:
		return nil
	case <-d.closed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// setup starts a store with many workers on a database of its own.
func setup(t testing.TB) *testBundle {
	t.Helper()
	d := newDesk()
	b := &testBundle{url: newDatabase(t), desk: d}
	b.store = startStore(t, Config{DatabaseURL: b.url, Advance: d.advance, Workers: 1000, ReplicaName: "test"})
	return b
}

// testTimeout is how long a test waits for what must come: far longer than anything takes on the slowest machine.
const testTimeout = 2 * time.Minute

// fetch waits until a worker has a job of that onboarding.
func (b *testBundle) fetch(t testing.TB, id onboarding.ID) run {
	t.Helper()
	return b.desk.fetch(t, id)
}

func (d *desk) fetch(t testing.TB, id onboarding.ID) run {
	t.Helper()
	select {
	case r := <-d.of(id):
		return r
	case <-time.After(testTimeout):
		t.Fatalf("no job of onboarding %s was run", id)
		return run{}
	}
}

func (b *testBundle) due(t testing.TB, id onboarding.ID) (time.Time, bool) {
	t.Helper()
	var due *time.Time
	err := b.store.pool.QueryRow(t.Context(),
		`SELECT j.scheduled_at FROM onboardings o LEFT JOIN river_job j ON j.id = o.job_id AND j.finalized_at IS NULL WHERE o.id = $1`,
		string(id)).Scan(&due)
	if err != nil {
		t.Fatal(err)
	}
	if due == nil {
		return time.Time{}, false
	}
	return *due, true
}

// abandon makes the onboarding's job that of a client that is no replica, and waits until it was replaced.
func (b *testBundle) abandon(t testing.TB, id onboarding.ID) {
	t.Helper()
	var before int64
	err := pgx.BeginFunc(t.Context(), b.store.pool, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(),
			`UPDATE river_job SET attempted_by = '{dead}' WHERE id = (SELECT job_id FROM onboardings WHERE id = $1) AND state = 'running' RETURNING id`,
			string(id)).Scan(&before)
	})
	if err != nil {
		t.Fatalf("abandon: %v", err)
	}
	eventually(t, "the job is replaced", func() bool { return b.jobID(t, id) != before })
}

// jobID is the onboarding's job, 0 for none.
func (b *testBundle) jobID(t testing.TB, id onboarding.ID) int64 {
	t.Helper()
	var jobID int64
	err := b.store.pool.QueryRow(t.Context(), `SELECT coalesce(job_id, 0) FROM onboardings WHERE id = $1`, string(id)).Scan(&jobID)
	if err != nil {
		t.Fatal(err)
	}
	return jobID
}
