package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// Ledger is the [onboarding.Ledger] of one job: it claims the onboarding only while the onboarding's row names that job.
type Ledger struct {
	store *Store
	job   *river.Job[advanceArgs]
}

// Claim implements [onboarding.Ledger]. Beyond what that says, it returns [onboarding.ErrLostPlace] when another job has taken the place
// of this one.
func (l *Ledger) Claim(ctx context.Context, id onboarding.ID) (*onboarding.Onboarding, error) {
	var o *onboarding.Onboarding
	params := db.ClaimOnboardingParams{ID: string(id), JobID: l.job.ID}
	err := l.store.group.write(ctx, id, statements{
		queue: func(q *db.Queries) {
			_, _ = q.ClaimOnboarding(ctx, params)
			queueParts(ctx, q, id)
		},
		read: func(q *db.Queries) error {
			row, err := q.ClaimOnboarding(ctx, params)
			if err != nil {
				return err
			}
			o, err = whole(ctx, q, id, db.LockOnboardingRow(row))
			return err
		},
	})
	switch {
	case err == nil:
		return o, nil
	case errors.Is(err, pgx.ErrNoRows):
		return nil, l.noClaim(ctx, id)
	default:
		return nil, fmt.Errorf("claim onboarding %s: %w", id, err)
	}
}

// noClaim says why there was nothing to claim.
func (l *Ledger) noClaim(ctx context.Context, id onboarding.ID) error {
	exists, err := l.store.queries.OnboardingExists(ctx, string(id))
	switch {
	case err != nil:
		return fmt.Errorf("look for onboarding %s: %w", id, err)
	case exists:
		return fmt.Errorf("claim onboarding %s: %w", id, onboarding.ErrLostPlace)
	default:
		return fmt.Errorf("claim onboarding %s: %w", id, onboarding.ErrNotFound)
	}
}

// Record implements [onboarding.Ledger].
func (l *Ledger) Record(ctx context.Context, c onboarding.Change) error {
	_, err := l.write(ctx, c, nil)
	if err != nil {
		return fmt.Errorf("record a change of onboarding %s: %w", c.ID, err)
	}
	return nil
}

// Release implements [onboarding.Ledger].
func (l *Ledger) Release(ctx context.Context, c onboarding.Change, next time.Time) (woken bool, err error) {
	woken, err = l.write(ctx, c, &db.EndRunParams{
		ID:                string(c.ID),
		Epoch:             c.Epoch,
		JobID:             l.job.ID,
		Kind:              advanceKind,
		MaxAttempts:       maxAttempts,
		Due:               timestamptz(next),
		SchedulerInterval: interval(schedulerInterval),
	})
	if err != nil {
		return false, fmt.Errorf("release onboarding %s: %w", c.ID, err)
	}
	return woken, nil
}

// write writes c and then, unless end is nil, ends the run if nothing has woken the onboarding.
func (l *Ledger) write(ctx context.Context, c onboarding.Change, end *db.EndRunParams) (bool, error) {
	var woken bool
	then := statements{queue: func(*db.Queries) {}, read: func(*db.Queries) error { return nil }}
	if end != nil {
		then = statements{
			queue: func(q *db.Queries) { _, _ = q.EndRun(ctx, *end) },
			read:  func(q *db.Queries) (err error) { woken, err = q.EndRun(ctx, *end); return err },
		}
	}
	err := l.store.group.change(ctx, fenced{c, l.job.ID}, then)
	if errors.Is(err, pgx.ErrNoRows) {
		err = onboarding.ErrLostPlace
	}
	if err != nil {
		return false, err
	}
	return woken, nil
}
