package store

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
)

// A worker that begins a job at the moment of a wake-up is told of it by its claim or its release.
// If the onboarding got a second job, the first would lose its place.
func TestAWakeUpLeavesTheJobToAWorkerThatBeginsIt(t *testing.T) {
	t.Parallel()
	for name, wake := range map[string]func(ctx context.Context, b *testBundle, id onboarding.ID) error{
		"by an update": func(ctx context.Context, b *testBundle, id onboarding.ID) error { return b.wake(ctx, id) },
		"by a callback": func(ctx context.Context, b *testBundle, id onboarding.ID) error {
			return b.store.RecordCallback(ctx, onboarding.Callback{OnboardingID: id, ReceivedAt: time.Now()}, true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &testBundle{store: openStore(t, Config{DatabaseURL: newDatabase(t)})}
			id := newOnboarding(t, b.store)
			jobID := b.jobID(t, id)
			b.exec(t, "UPDATE river_job SET scheduled_at = now() + interval '1 hour' WHERE id = $1", jobID)
			woken := make(chan error, 1)
			err := pgx.BeginFunc(t.Context(), b.store.pool, func(tx pgx.Tx) error {
				_, err := tx.Exec(t.Context(), "UPDATE river_job SET state = 'running' WHERE id = $1", jobID)
				if err == nil {
					go func() { woken <- wake(t.Context(), b, id) }()
					b.waitsForLock(t)
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
			if got, state := b.jobID(t, id), b.jobState(t, jobID); got != jobID || state != "running" {
				t.Errorf("its job is %d, want %d; that is %s, want running", got, jobID, state)
			}
		})
	}
}

func TestWakeUpsOfOneGroupGiveOneJob(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r, claimed := b.claimNew(t)
	r.release(t, claimed, time.Time{})
	for _, err := range inOneGroup(t, b.store, callback(claimed.ID), callback(claimed.ID)) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if jobs := b.unfinishedJobs(t, claimed.ID); jobs != 1 {
		t.Errorf("%d jobs, want 1", jobs)
	}
}
