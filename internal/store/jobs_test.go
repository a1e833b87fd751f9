package store

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestRunsThatFailAreRetriedLaterAndLater(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 14, 15, 9, 26, 0, time.UTC)
	policy := retryPolicy{now: func() time.Time { return now }}
	for failures, want := range map[int]time.Duration{
		0: time.Second, 1: 2 * time.Second, 2: 4 * time.Second, 3: 8 * time.Second, 4: 16 * time.Second,
		5: 30 * time.Second, 6: 30 * time.Second, 5000: 30 * time.Second,
	} {
		got := policy.NextRetry(&rivertype.JobRow{Errors: make([]rivertype.AttemptError, failures)}).Sub(now)
		if got != want {
			t.Errorf("after %d failures: %s, want %s", failures+1, got, want)
		}
	}
}

func TestAFailedRunIsRetried(t *testing.T) {
	t.Parallel()
	i := newInbox()
	var failed atomic.Bool
	s := startStore(t, Config{
		DatabaseURL: newDatabase(t), Workers: 1,
		Advance: func(ctx context.Context, l onboarding.Ledger, id onboarding.ID) error {
			if !failed.Swap(true) {
				return errors.New("the database is down, say")
			}
			return i.advance(ctx, l, id)
		},
	})
	r, claimed := i.claim(t, newOnboarding(t, s))
	r.release(t, claimed, time.Time{})
}

func TestAReleaseDoesNotDependOnTheStateOfItsJob(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, sql := range map[string]string{
		"gone":      "DELETE FROM river_job WHERE id = $1",
		"cancelled": "UPDATE river_job SET state = 'cancelled', finalized_at = now() WHERE id = $1",
		"completed": "UPDATE river_job SET state = 'completed', finalized_at = now() WHERE id = $1",
		"retryable": "UPDATE river_job SET state = 'retryable', scheduled_at = now() + interval '1 hour' WHERE id = $1",
	} {
		r, claimed := b.claimNew(t)
		b.exec(t, sql, r.ledger.job.ID)
		next := claimed.ReadAt.Add(time.Hour)
		if woken, err := r.ledger.Release(r.ctx, nothing(claimed), next); err != nil || woken {
			t.Errorf("%s: woken %t, %v", name, woken, err)
		}
		if due, _ := b.due(t, claimed.ID); !due.Equal(next) {
			t.Errorf("%s: due at %s, want %s", name, due, next)
		}
	}
}

func TestAJobOfAnUnknownOnboardingEnds(t *testing.T) {
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
