package store

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
)

// waitsForLock returns when a session of the store's database waits for a lock.
func waitsForLock(t *testing.T, s *Store) {
	t.Helper()
	eventually(t, "somebody waits for a lock", func() bool {
		var waits bool
		err := s.pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock')`).Scan(&waits)
		if err != nil {
			t.Fatal(err)
		}
		return waits
	})
}

// A worker that begins a job at the moment of a wake-up must be told of it at its claim or its
// release. A second job would take the first one's place.
func TestAWakeUpLeavesTheJobToAWorkerThatBeginsIt(t *testing.T) {
	t.Parallel()
	for name, wake := range map[string]func(b *testBundle, id onboarding.ID) error{
		"by an update": (*testBundle).wake,
		"by a callback": func(b *testBundle, id onboarding.ID) error {
			return b.store.RecordCallback(t.Context(), onboarding.Callback{OnboardingID: id, ReceivedAt: time.Now()}, true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &testBundle{store: openStore(t, Config{DatabaseURL: newDatabase(t)})}
			id := newOnboarding(t, b.store)
			jobID := b.jobID(t, id)
			woken := make(chan error, 1)
			err := pgx.BeginFunc(t.Context(), b.store.pool, func(tx pgx.Tx) error {
				_, err := tx.Exec(t.Context(), "UPDATE river_job SET scheduled_at = now() + interval '1 hour' WHERE id = $1", jobID)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			err = pgx.BeginFunc(t.Context(), b.store.pool, func(tx pgx.Tx) error {
				_, err := tx.Exec(t.Context(), "UPDATE river_job SET state = 'running' WHERE id = $1", jobID)
				if err == nil {
					go func() { woken <- wake(b, id) }()
					waitsForLock(t, b.store)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := <-woken; err != nil {
				t.Fatal(err)
			}
			o, err := b.store.Get(t.Context(), id)
			if err != nil || !o.Woken {
				t.Errorf("woken: %t, %v", o.Woken, err)
			}
			if got := b.jobID(t, id); got != jobID || b.jobState(t, jobID) != "running" {
				t.Errorf("its job is %d, want %d; that is %s, want running", got, jobID, b.jobState(t, jobID))
			}
		})
	}
}
