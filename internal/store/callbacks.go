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
	d := delivery{InsertCallbackParams: db.InsertCallbackParams{
		OnboardingID:     string(c.OnboardingID),
		ReceivedAt:       timestamptz(c.ReceivedAt),
		IdempotencyToken: c.IdempotencyToken,
		SignedBy:         c.SignedBy,
		ContentType:      c.ContentType,
		Body:             append([]byte{}, c.Body...), // Never NULL.
		BundleSid:        c.BundleSID,
		Status:           c.Status,
	}, wakes: wake}
	err := s.group.write(ctx, pendingWrite{id: c.OnboardingID, delivery: &d})
	if err == nil && d.left {
		err = s.keepAndWake(ctx, c.OnboardingID, d.InsertCallbackParams)
	}
	if hasCode(err, foreignKeyViolation) {
		err = onboarding.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("keep a callback of onboarding %s: %w", c.OnboardingID, err)
	}
	return nil
}

// delivery is a callback that is to be kept, and maybe to wake the onboarding.
type delivery struct {
	db.InsertCallbackParams
	wakes bool
	// left says that it was left for the long way.
	left bool
}

// deliveries are the statements that keep the callbacks of a group.
func deliveries(ctx context.Context, group []*pendingWrite) statements {
	var all []*delivery
	var p db.KeepCallbacksParams
	for _, w := range group {
		if w.delivery == nil {
			continue
		}
		d := w.delivery
		p.Callbacks = append(p.Callbacks, int32(len(all))) //nolint:gosec // as many as are in a group
		p.Wakes = append(p.Wakes, d.wakes)
		p.OnboardingIds = append(p.OnboardingIds, d.OnboardingID)
		p.IdempotencyTokens = append(p.IdempotencyTokens, d.IdempotencyToken)
		p.ReceivedAt = append(p.ReceivedAt, d.ReceivedAt)
		p.SignedBy = append(p.SignedBy, d.SignedBy)
		p.ContentTypes = append(p.ContentTypes, d.ContentType)
		p.Bodies = append(p.Bodies, d.Body)
		p.BundleSids = append(p.BundleSids, d.BundleSid)
		p.Statuses = append(p.Statuses, d.Status)
		all = append(all, d)
	}
	if len(all) == 0 {
		return noStatements
	}
	return oneStatement(func(q *db.Queries) error {
		left, err := q.KeepCallbacks(ctx, p)
		if err != nil {
			return err
		}
		for _, d := range all {
			d.left = false
		}
		for _, nr := range left {
			all[nr].left = true
		}
		return nil
	})
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
