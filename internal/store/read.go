package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// whole returns the onboarding of a row with what belongs to it: its request, steps and numbers. The row was read, and locked where that
// matters, by a statement before: each statement of a transaction sees what was committed when it began, so what a wait for the lock made
// old is read anew.
func whole(ctx context.Context, q *db.Queries, id onboarding.ID, row db.LockOnboardingRow) (*onboarding.Onboarding, error) {
	o := &onboarding.Onboarding{
		ID:            id,
		CallbackToken: row.CallbackToken,
		SubaccountSID: row.SubaccountSid,
		Version:       int(row.Version),
		CreatedAt:     timeOf(row.CreatedAt),
		UpdatedAt:     timeOf(row.UpdatedAt),
		CanceledAt:    timeOf(row.CanceledAt),
		Cleanup:       row.Cleanup,
		Epoch:         row.Epoch,
		Woken:         row.Woken,
		ReadAt:        timeOf(row.ReadAt),
	}
	request, err := q.GetRequest(ctx, string(id))
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	if o.Request, err = fromJSON[onboarding.Request]("requests.request", request); err != nil {
		return nil, err
	}
	steps, err := q.GetSteps(ctx, string(id))
	if err != nil {
		return nil, fmt.Errorf("read the steps: %w", err)
	}
	o.Steps = make([]onboarding.Step, len(steps))
	for i, step := range steps {
		if o.Steps[i], err = stepOf(step); err != nil {
			return nil, err
		}
	}
	numbers, err := q.GetNumbers(ctx, string(id))
	if err != nil {
		return nil, fmt.Errorf("read the phone numbers: %w", err)
	}
	for _, n := range numbers {
		o.Numbers = append(o.Numbers, onboarding.PhoneNumber{SID: n.Sid, Number: n.PhoneNumber})
	}
	return o, nil
}

// queueParts queues the statements of whole, in their order.
func queueParts(ctx context.Context, q *db.Queries, id onboarding.ID) {
	_, _ = q.GetRequest(ctx, string(id))
	_, _ = q.GetSteps(ctx, string(id))
	_, _ = q.GetNumbers(ctx, string(id))
}

// notFoundIfNoRows is [onboarding.ErrNotFound] for pgx.ErrNoRows, and any other error as it is.
func notFoundIfNoRows(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return onboarding.ErrNotFound
	}
	return err
}
