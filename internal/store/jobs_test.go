package store

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestRunsThatFailAreTriedAgainLaterAndLater(t *testing.T) {
	t.Parallel()
	for failures, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second, 30 * time.Second} {
		wantRetry(t, failures, want)
	}
	wantRetry(t, 5000, 30*time.Second)
}

// wantRetry checks that a run that has failed once more than so often before is tried again after that time.
func wantRetry(t *testing.T, before int, want time.Duration) {
	t.Helper()
	asked := time.Now()
	got := retryPolicy{}.NextRetry(&rivertype.JobRow{Errors: make([]rivertype.AttemptError, before)})
	if answered := time.Now(); got.Before(asked.Add(want)) || got.After(answered.Add(want)) {
		t.Errorf("after %d failures: %s after the question, want %s", before+1, got.Sub(asked), want)
	}
}

func TestFailedRunIsTriedAgain(t *testing.T) {
	t.Parallel()
	d := newDesk()
	var mu sync.Mutex
	failures := 0
	s := startStore(t, Config{DatabaseURL: newDatabase(t), Workers: 1, Advance: func(ctx context.Context, l onboarding.Ledger, id onboarding.ID) error {
		mu.Lock()
		failures++
		first := failures == 1
		mu.Unlock()
		if first {
			return errors.New("the database is down, say")
		}
		return d.advance(ctx, l, id)
	}})
	id := newOnboarding(t, s)
	r := d.fetch(t, id)
	claimed, err := r.ledger.Claim(r.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.ledger.Release(r.ctx, nothing(claimed), time.Time{}); err != nil {
		t.Error(err)
	}
}

func TestJobThatIsDueSoonDoesNotWaitForTheScheduler(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for after, want := range map[time.Duration]bool{time.Hour: true, 3 * time.Second: false} {
		id, r, claimed := ledgerOf(t, b)
		if _, err := r.ledger.Release(r.ctx, nothing(claimed), claimed.ReadAt.Add(after)); err != nil {
			t.Fatal(err)
		}
		// One that is due soon is available, and runs once it is due.
		if state := b.jobState(t, b.jobID(t, id)); (state == "scheduled") != want {
			t.Errorf("due after %s: %s, want it scheduled: %t", after, state, want)
		}
	}
}

// ledgerOf claims a new onboarding.
func ledgerOf(t *testing.T, b *testBundle) (onboarding.ID, run, *onboarding.Onboarding) {
	t.Helper()
	id := newOnboarding(t, b.store)
	r := b.fetch(t, id)
	claimed, err := r.ledger.Claim(r.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return id, r, claimed
}

func TestReleaseGoesOnWhateverBecameOfItsJob(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, sql := range map[string]string{
		"gone":            "DELETE FROM river_job WHERE id = $1",
		"cancelled":       "UPDATE river_job SET state = 'cancelled', finalized_at = now() WHERE id = $1",
		"completed":       "UPDATE river_job SET state = 'completed', finalized_at = now() WHERE id = $1",
		"to be run again": "UPDATE river_job SET state = 'retryable', scheduled_at = now() + interval '1 hour' WHERE id = $1",
	} {
		id, r, claimed := ledgerOf(t, b)
		if _, err := b.store.pool.Exec(t.Context(), sql, r.ledger.job.ID); err != nil {
			t.Fatal(err)
		}
		next := claimed.ReadAt.Add(time.Hour)
		if woken, err := r.ledger.Release(r.ctx, nothing(claimed), next); err != nil || woken {
			t.Errorf("%s: woken %t, %v", name, woken, err)
		}
		if due, _ := b.due(t, id); !due.Equal(next) {
			t.Errorf("%s: due at %s, want %s", name, due, next)
		}
	}
}

func TestJobOfAnUnknownOnboardingEnds(t *testing.T) {
	t.Parallel()
	var log lines
	s := startStore(t, Config{
		DatabaseURL: newDatabase(t), Workers: 1, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Advance: func(ctx context.Context, l onboarding.Ledger, id onboarding.ID) error {
			_, err := l.Claim(ctx, id)
			return err
		},
	})
	inserted, err := s.river.Insert(t.Context(), advanceArgs{OnboardingID: "onb_unknown"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the job is completed", func() bool {
		job, err := s.river.JobGet(t.Context(), inserted.Job.ID)
		return err == nil && job.State == rivertype.JobStateCompleted
	})
	if !strings.Contains(log.String(), "does not exist") {
		t.Errorf("nothing was logged of it: %s", log.String())
	}
}

// lines collects a log.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
