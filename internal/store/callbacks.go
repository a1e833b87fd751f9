package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// RecordCallback implements [onboarding.Repository]. Errors: [onboarding.ErrNotFound].
func (s *Store) RecordCallback(ctx context.Context, c onboarding.Callback, wake bool) error {
	err := s.inTx(ctx, func(tx pgx.Tx, q *db.Queries) error {
		// The lock comes first, also for a callback that wakes nobody: two deliveries of one callback then follow each other.
		row, err := q.LockOnboarding(ctx, string(c.OnboardingID))
		if err != nil {
			return notFoundIfNoRows(err)
		}
		body := c.Body
		if body == nil {
			body = []byte{}
		}
		kept, err := q.InsertCallback(ctx, db.InsertCallbackParams{
			OnboardingID:     string(c.OnboardingID),
			ReceivedAt:       timestamptz(c.ReceivedAt),
			IdempotencyToken: c.IdempotencyToken,
			SignedBy:         c.SignedBy,
			ContentType:      c.ContentType,
			Body:             body,
			BundleSid:        c.BundleSID,
			Status:           c.Status,
		})
		if err != nil || kept == 0 || !wake {
			return err
		}
		return s.wake(ctx, tx, q, c.OnboardingID, row)
	})
	if err != nil {
		return fmt.Errorf("keep a callback of onboarding %s: %w", c.OnboardingID, err)
	}
	return nil
}

// Callbacks returns the callbacks that were kept for an onboarding, oldest first.
func (s *Store) Callbacks(ctx context.Context, id onboarding.ID) ([]onboarding.Callback, error) {
	rows, err := s.queries.GetCallbacks(ctx, string(id))
	if err != nil {
		return nil, fmt.Errorf("read the callbacks of onboarding %s: %w", id, err)
	}
	callbacks := make([]onboarding.Callback, len(rows))
	for i, row := range rows {
		callbacks[i] = onboarding.Callback{
			OnboardingID:     id,
			ReceivedAt:       timeOf(row.ReceivedAt),
			IdempotencyToken: row.IdempotencyToken,
			SignedBy:         row.SignedBy,
			ContentType:      row.ContentType,
			Body:             row.Body,
			BundleSID:        row.BundleSid,
			Status:           row.Status,
		}
	}
	return callbacks, nil
}
