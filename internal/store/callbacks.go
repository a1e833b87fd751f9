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
	params := db.InsertCallbackParams{
		OnboardingID:     string(c.OnboardingID),
		ReceivedAt:       timestamptz(c.ReceivedAt),
		IdempotencyToken: c.IdempotencyToken,
		SignedBy:         c.SignedBy,
		ContentType:      c.ContentType,
		Body:             append([]byte{}, c.Body...), // Never NULL.
		BundleSid:        c.BundleSID,
		Status:           c.Status,
	}
	coming := true
	err := s.group.write(ctx, pendingWrite{id: c.OnboardingID, own: &statements{
		queue: func(q *db.Queries) {
			if wake {
				_, _ = q.InsertCallbackAndWake(ctx, db.InsertCallbackAndWakeParams(params))
			} else {
				_, _ = q.InsertCallback(ctx, params)
			}
		},
		read: func(q *db.Queries) (err error) {
			if wake {
				coming, err = q.InsertCallbackAndWake(ctx, db.InsertCallbackAndWakeParams(params))
			} else {
				_, err = q.InsertCallback(ctx, params)
			}
			return err
		},
	}})
	if err == nil && !coming {
		err = s.keepAndWake(ctx, c.OnboardingID, params)
	}
	if hasCode(err, foreignKeyViolation) {
		err = onboarding.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("keep a callback of onboarding %s: %w", c.OnboardingID, err)
	}
	return nil
}

// keepAndWake keeps the callback and wakes an onboarding that has no job, or had none a moment ago.
func (s *Store) keepAndWake(ctx context.Context, id onboarding.ID, params db.InsertCallbackParams) error {
	return s.inTx(ctx, func(tx pgx.Tx, q *db.Queries) error {
		row, err := q.LockOnboarding(ctx, string(id))
		if err != nil {
			return notFoundIfNoRows(err)
		}
		kept, err := q.InsertCallback(ctx, params)
		if err != nil || kept == 0 {
			return err
		}
		return s.wake(ctx, tx, q, id, row)
	})
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
