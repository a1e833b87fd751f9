package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// reading is an onboarding that is being read: its row, and then what belongs to it, which are its request, steps and numbers. The row was
// read, and locked where that matters, by a statement before: each statement of a transaction sees what was committed when it began, so what
// a wait for the lock made old is read anew.
type reading struct {
	onboarding *onboarding.Onboarding
	// err is what cannot be read of this one.
	err error
}

func newReading(row db.LockOnboardingRow) *reading {
	return &reading{onboarding: &onboarding.Onboarding{
		ID:            onboarding.ID(row.ID),
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
	}}
}

// queueParts queues the statements of readParts, in their order.
func queueParts(ctx context.Context, q *db.Queries, ids []string) {
	_, _ = q.GetRequests(ctx, ids)
	_, _ = q.GetSteps(ctx, ids)
	_, _ = q.GetNumbers(ctx, ids)
}

// readParts reads what belongs to the onboardings of those IDs, as far as their rows were found.
func readParts(ctx context.Context, q *db.Queries, ids []string, found map[string]*reading) error {
	requests, err := q.GetRequests(ctx, ids)
	if err != nil {
		return fmt.Errorf("read requests: %w", err)
	}
	for _, row := range requests {
		if r := found[row.OnboardingID]; r != nil {
			var err error
			r.onboarding.Request, err = fromJSON[onboarding.Request]("requests.request", row.Request)
			r.err = cmp.Or(r.err, err)
		}
	}
	steps, err := q.GetSteps(ctx, ids)
	if err != nil {
		return fmt.Errorf("read steps: %w", err)
	}
	for _, row := range steps {
		if r := found[row.OnboardingID]; r != nil {
			step, err := stepOf(row)
			r.onboarding.Steps = append(r.onboarding.Steps, step)
			r.err = cmp.Or(r.err, err)
		}
	}
	numbers, err := q.GetNumbers(ctx, ids)
	if err != nil {
		return fmt.Errorf("read phone numbers: %w", err)
	}
	for _, row := range numbers {
		if r := found[row.OnboardingID]; r != nil {
			r.onboarding.Numbers = append(r.onboarding.Numbers, onboarding.PhoneNumber{SID: row.Sid, Number: row.PhoneNumber})
		}
	}
	return nil
}

// whole returns the onboarding of a row with what belongs to it.
func whole(ctx context.Context, q *db.Queries, row db.LockOnboardingRow) (*onboarding.Onboarding, error) {
	r := newReading(row)
	err := readParts(ctx, q, []string{row.ID}, map[string]*reading{row.ID: r})
	return r.onboarding, cmp.Or(err, r.err)
}

// notFoundIfNoRows is [onboarding.ErrNotFound] for pgx.ErrNoRows, and any other error as it is.
func notFoundIfNoRows(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return onboarding.ErrNotFound
	}
	return err
}
