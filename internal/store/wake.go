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

// wake makes the onboarding run now, or run again if it is running. row is its row as read under the lock, which the caller holds.
// A canceled onboarding is left asleep.
//
// It carries invariant 4. The flag and the job are written under the lock that claims and releases take as well. So if the job is
// running, its claim or its release is still to come and will find the flag.
func (s *Store) wake(ctx context.Context, tx pgx.Tx, q *db.Queries, id onboarding.ID, row db.LockOnboardingRow) error {
	if row.CanceledAt.Valid {
		return nil
	}
	jobID := row.JobID
	if jobID != nil {
		coming, err := s.runsAnyway(ctx, tx, *jobID, timeOf(row.ReadAt))
		if err != nil {
			return fmt.Errorf("wake onboarding %s: %w", id, err)
		}
		if !coming {
			jobID = nil
		}
	}
	if jobID == nil {
		inserted, err := s.insertJob(ctx, tx, id)
		if err != nil {
			return err
		}
		jobID = &inserted
	}
	if err := q.SetWoken(ctx, db.SetWokenParams{ID: string(id), JobID: jobID}); err != nil {
		return fmt.Errorf("wake onboarding %s: %w", id, err)
	}
	return nil
}

// runsAnyway says whether the job runs, or will at once. One that is set for later is deleted.
func (s *Store) runsAnyway(ctx context.Context, tx pgx.Tx, jobID int64, now time.Time) (bool, error) {
	job, err := s.river.JobGetTx(ctx, tx, jobID)
	if errors.Is(err, rivertype.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read job %d: %w", jobID, err)
	}
	switch {
	case job.FinalizedAt != nil:
		return false, nil
	case job.State == rivertype.JobStateRunning, job.State == rivertype.JobStateAvailable && !job.ScheduledAt.After(now):
		return true, nil
	}
	switch _, err := s.river.JobDeleteTx(ctx, tx, jobID); {
	case errors.Is(err, rivertype.ErrJobRunning):
		// It has just begun. Its claim waits for our lock.
		return true, nil
	case err != nil && !errors.Is(err, rivertype.ErrNotFound):
		return false, fmt.Errorf("delete job %d: %w", jobID, err)
	}
	return false, nil
}
