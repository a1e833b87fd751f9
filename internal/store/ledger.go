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
	var batch pgx.Batch
	batch.Queue(db.ClaimOnboarding, string(id), l.job.ID)
	queueParts(&batch, id)
	results := l.store.pool.SendBatch(ctx, &batch)
	o, err := readClaim(ctx, db.New(inOrder{results}), id)
	if closeErr := results.Close(); err == nil {
		// The batch is committed when its end is read.
		err = closeErr
	}
	switch {
	case err == nil:
		return o, nil
	case errors.Is(err, pgx.ErrNoRows):
		return nil, l.noClaim(ctx, id)
	default:
		return nil, fmt.Errorf("claim onboarding %s: %w", id, err)
	}
}

func readClaim(ctx context.Context, q *db.Queries, id onboarding.ID) (*onboarding.Onboarding, error) {
	row, err := q.ClaimOnboarding(ctx, db.ClaimOnboardingParams{})
	if err != nil {
		return nil, err
	}
	return whole(ctx, q, id, db.LockOnboardingRow(row))
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
func (l *Ledger) write(ctx context.Context, c onboarding.Change, end *db.EndRunParams) (woken bool, err error) {
	params, err := recordParams(c)
	if err != nil {
		return false, err
	}
	params.Epoch, params.JobID = &c.Epoch, &l.job.ID
	return l.store.recorder.write(ctx, params, end)
}
