package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

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
	params, err := recordParams(&c.Epoch, c)
	if err != nil {
		return err
	}
	written, err := l.store.recorder.record(ctx, params)
	if err != nil {
		return fmt.Errorf("record a change of onboarding %s: %w", c.ID, err)
	}
	if !written {
		return fmt.Errorf("record a change of onboarding %s: %w", c.ID, onboarding.ErrLostPlace)
	}
	return nil
}

// Release implements [onboarding.Ledger]. The end of this job, the look at the flag and the next job are one transaction under the row
// lock (invariant 4). ctx must be derived from the one that the run was started with.
func (l *Ledger) Release(ctx context.Context, id onboarding.ID, epoch int64, next time.Time) (woken bool, err error) {
	err = l.store.inTx(ctx, func(tx pgx.Tx, q *db.Queries) error {
		woken, err = q.LockForRelease(ctx, db.LockForReleaseParams{ID: string(id), Epoch: epoch, JobID: l.job.ID})
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return onboarding.ErrLostPlace
		case err != nil || woken:
			return err
		}
		if err := l.completeJob(ctx, tx); err != nil {
			return err
		}
		if next.IsZero() {
			return q.EndRun(ctx, db.EndRunParams{ID: string(id)})
		}
		jobID, err := l.store.insertJob(ctx, tx, id, next)
		if err != nil {
			return err
		}
		return q.EndRun(ctx, db.EndRunParams{ID: string(id), JobID: &jobID})
	})
	if err != nil {
		return false, fmt.Errorf("release onboarding %s: %w", id, err)
	}
	return woken, nil
}

// completeJob ends this job. That the row names it and that the epoch is ours is settled by then, so a job that was ended already, or is
// gone, is no obstacle; one that River has given back to be run again is: who gets it will claim, and go on.
func (l *Ledger) completeJob(ctx context.Context, tx pgx.Tx) error {
	job, err := river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, l.job)
	switch {
	case errors.Is(err, rivertype.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("complete job %d: %w", l.job.ID, err)
	case job.FinalizedAt == nil:
		return onboarding.ErrLostPlace
	default:
		return nil
	}
}
