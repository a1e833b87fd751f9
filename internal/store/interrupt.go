package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/rivertype"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// Store implements [onboarding.InterruptibleRepository].
var _ onboarding.InterruptibleRepository = (*Store)(nil)

// Interrupt implements [onboarding.InterruptibleRepository]. decide is called once.
//
// The new epoch and the new job are written under the row lock, so that the runner of before finds neither its epoch nor its job any more
// (invariant 3). Its job is left to end by itself if it runs, as after a take-over; the new one is due at once and finds the flag set
// (invariant 4).
func (s *Store) Interrupt(ctx context.Context, id onboarding.ID, decide func(*onboarding.Onboarding, time.Time) (onboarding.Change, error)) error {
	return s.underLock(ctx, "interrupt", id, decide, s.replaceRunner)
}

// replaceRunner gives the onboarding a new epoch and a new job for now. row is its row as read under the lock, which the caller holds.
func (s *Store) replaceRunner(ctx context.Context, tx pgx.Tx, q *db.Queries, id onboarding.ID, row db.LockOnboardingRow) error {
	if row.JobID != nil {
		switch _, err := s.river.JobDeleteTx(ctx, tx, *row.JobID); {
		case errors.Is(err, rivertype.ErrJobRunning), errors.Is(err, rivertype.ErrNotFound):
		case err != nil:
			return fmt.Errorf("delete job %d: %w", *row.JobID, err)
		}
	}
	jobID, err := s.insertJob(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := q.SetJob(ctx, db.SetJobParams{ID: string(id), JobID: &jobID}); err != nil {
		return fmt.Errorf("set job %d: %w", jobID, err)
	}
	// A claim for the job that has not begun: nobody holds this epoch.
	if _, err := q.ClaimOnboardings(ctx, db.ClaimOnboardingsParams{Ids: []string{string(id)}, JobIds: []int64{jobID}}); err != nil {
		return fmt.Errorf("raise the epoch: %w", err)
	}
	if err := q.SetWoken(ctx, db.SetWokenParams{ID: string(id), JobID: &jobID}); err != nil {
		return fmt.Errorf("wake: %w", err)
	}
	return nil
}
