package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/pgdev/pgtest"
)

// testTimeout is how long a test waits for a signal that must come: far longer than anything takes
// on the slowest machine.
const testTimeout = 2 * time.Minute

func newDatabase(t testing.TB) string {
	t.Helper()
	return pgtest.New(t, Migrate)
}

// openStore opens a store that is closed with the test.
func openStore(t testing.TB, config Config) *Store {
	t.Helper()
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// startStore opens and starts a store that stops with the test. Unless config says otherwise, it
// neither finds a silent replica dead nor deletes callbacks.
func startStore(t testing.TB, config Config) *Store {
	t.Helper()
	const never = 24 * time.Hour
	if config.StaleAfter == 0 {
		config.StaleAfter = never
	}
	if config.CallbackRetention == 0 {
		config.CallbackRetention = never
	}
	s := openStore(t, config)
	// The server of the tests may have started a moment ago.
	s.timing.grace = 0
	start(t, s)
	return s
}

func start(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
		defer cancel()
		if err := s.StopNow(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
}

// testBundle is a store. setup also starts it: its workers put their runs into the inbox and wait
// until the test is over.
type testBundle struct {
	url   string
	store *Store
	inbox *inbox
}

func setup(t testing.TB) *testBundle {
	t.Helper()
	b := &testBundle{url: newDatabase(t), inbox: newInbox()}
	b.store = startStore(t, Config{DatabaseURL: b.url, Advance: b.inbox.advance, Workers: 1000, ReplicaName: "test"})
	return b
}

// run is a worker's run of a job. It ends when end is closed, or when ctx ends.
type run struct {
	ctx    context.Context
	ledger *Ledger
	end    chan struct{}
}

// inbox has the runs of workers, by onboarding, for the test to receive.
type inbox struct {
	mu   sync.Mutex
	runs map[onboarding.ID]chan run
	// closed ends all runs when it is closed.
	closed chan struct{}
}

func newInbox() *inbox {
	return &inbox{runs: map[onboarding.ID]chan run{}, closed: make(chan struct{})}
}

func (i *inbox) of(id onboarding.ID) chan run {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.runs[id] == nil {
		i.runs[id] = make(chan run, 100)
	}
	return i.runs[id]
}

// advance is a [Config.Advance].
func (i *inbox) advance(ctx context.Context, ledger onboarding.Ledger, id onboarding.ID) error {
	r := run{ctx: ctx, ledger: ledger.(*Ledger), end: make(chan struct{})}
	i.of(id) <- r
	select {
	case <-r.end:
		return nil
	case <-i.closed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// receive waits for a run of the onboarding.
func (i *inbox) receive(t testing.TB, id onboarding.ID) run {
	t.Helper()
	select {
	case r := <-i.of(id):
		return r
	case <-time.After(testTimeout):
		t.Fatalf("no job of onboarding %s was run", id)
		return run{}
	}
}

// claim waits for a run of the onboarding and claims.
func (i *inbox) claim(t testing.TB, id onboarding.ID) (run, *onboarding.Onboarding) {
	t.Helper()
	r := i.receive(t, id)
	claimed, err := r.ledger.Claim(r.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return r, claimed
}

// claimNew creates an onboarding and claims it.
func (b *testBundle) claimNew(t testing.TB) (run, *onboarding.Onboarding) {
	t.Helper()
	return b.inbox.claim(t, newOnboarding(t, b.store))
}

// release releases, and expects that nothing woke the onboarding. A zero next is for no next job.
func (r run) release(t testing.TB, claimed *onboarding.Onboarding, next time.Time) {
	t.Helper()
	if woken, err := r.ledger.Release(r.ctx, nothing(claimed), next); err != nil || woken {
		t.Fatalf("release: woken %t, %v", woken, err)
	}
}

// nothing is the change of a run that changes nothing.
func nothing(o *onboarding.Onboarding) onboarding.Change {
	return onboarding.Change{ID: o.ID, Epoch: o.Epoch, Status: o.Status()}
}

// wake wakes an onboarding and changes nothing.
func (b *testBundle) wake(ctx context.Context, id onboarding.ID) error {
	return b.store.Update(ctx, id, func(o *onboarding.Onboarding, _ time.Time) (onboarding.Change, error) {
		return onboarding.Change{Status: o.Status()}, nil
	})
}

// due returns when the onboarding's job is or was due, and whether it has one that is not finished.
func (b *testBundle) due(t testing.TB, id onboarding.ID) (time.Time, bool) {
	t.Helper()
	var due *time.Time
	b.queryRow(t, &due, `SELECT j.scheduled_at
		FROM onboardings o LEFT JOIN river_job j ON j.id = o.job_id AND j.finalized_at IS NULL WHERE o.id = $1`, string(id))
	if due == nil {
		return time.Time{}, false
	}
	return *due, true
}

// abandon makes the onboarding's job that of a client that is not on the list, and waits for the
// rescue.
func (b *testBundle) abandon(t testing.TB, id onboarding.ID) {
	t.Helper()
	var before int64
	err := pgx.BeginFunc(t.Context(), b.store.pool, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `UPDATE river_job SET attempted_by = '{dead}'
			WHERE id = (SELECT job_id FROM onboardings WHERE id = $1) AND state = 'running' RETURNING id`, string(id)).Scan(&before)
	})
	if err != nil {
		t.Fatalf("abandon: %v", err)
	}
	eventually(t, "the job is replaced", func() bool { return b.jobID(t, id) != before })
}

// jobID is the job that the onboarding's row names, 0 for none.
func (b *testBundle) jobID(t testing.TB, id onboarding.ID) (jobID int64) {
	t.Helper()
	b.queryRow(t, &jobID, "SELECT coalesce(job_id, 0) FROM onboardings WHERE id = $1", string(id))
	return jobID
}

func (b *testBundle) jobState(t testing.TB, jobID int64) (state string) {
	t.Helper()
	b.queryRow(t, &state, "SELECT state FROM river_job WHERE id = $1", jobID)
	return state
}

// unfinishedJobs is how many jobs of the onboarding there are that are not finished.
func (b *testBundle) unfinishedJobs(t testing.TB, id onboarding.ID) (jobs int) {
	t.Helper()
	b.queryRow(t, &jobs, "SELECT count(*) FROM river_job WHERE args ->> 'onboarding_id' = $1 AND finalized_at IS NULL", string(id))
	return jobs
}

// queryRow scans the one column of the one row that the statement returns.
func (b *testBundle) queryRow(t testing.TB, into any, sql string, args ...any) {
	t.Helper()
	if err := b.store.pool.QueryRow(t.Context(), sql, args...).Scan(into); err != nil {
		t.Fatal(err)
	}
}

func (b *testBundle) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := b.store.pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// eventually waits for what another process or goroutine does to the database.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(testTimeout)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// waitsForLock returns when a session of the store's database waits for a lock.
func (b *testBundle) waitsForLock(t *testing.T) {
	t.Helper()
	eventually(t, "a session waits for a lock", func() (waits bool) {
		b.queryRow(t, &waits, `SELECT EXISTS (SELECT FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock')`)
		return waits
	})
}

func random(prefix string) string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return prefix + hex.EncodeToString(b)
}

// newOnboarding stores a new onboarding.
func newOnboarding(t testing.TB, s *Store) onboarding.ID {
	t.Helper()
	now := time.Now()
	o := &onboarding.Onboarding{
		ID:            onboarding.ID(random("onb_")),
		CallbackToken: random(""),
		Version:       1,
		CreatedAt:     now,
		UpdatedAt:     now,
		SubaccountSID: random("AC"),
		Request:       onboarding.Request{Business: onboarding.Business{Name: "Example Plumbing LLC"}},
	}
	if err := s.Create(t.Context(), o, onboarding.Event{At: now, Kind: "onboarding.created"}); err != nil {
		t.Fatal(err)
	}
	return o.ID
}
