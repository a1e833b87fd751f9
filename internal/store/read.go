package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// reading reads an onboarding: its row with the request, its steps, and its numbers.
type reading struct {
	id onboarding.ID
	// onboarding is nil if there is none. Its steps are in the order of their keys.
	onboarding *onboarding.Onboarding
	// waking is what a claim returns as Woken: something woke the onboarding, and no run that was
	// told of it has ended in order since.
	waking bool
}

func (r *reading) statement() statement { return readOnboardings }

// queueReadings queues the statements that read onboardings.
func queueReadings(batch *pgx.Batch, readings []*reading) {
	ids := make([]string, len(readings))
	of := make(map[string]*reading, len(readings))
	for i, r := range readings {
		r.onboarding, r.waking = nil, false
		ids[i] = string(r.id)
		of[ids[i]] = r
	}
	queue(batch, func(ctx context.Context, q *db.Queries) { _, _ = q.ReadOnboardings(ctx, ids) }, pgx.RowToStructByPos, func(row db.ReadOnboardingsRow) error {
		request, err := fromJSON[onboarding.Request]("requests.request", row.Request)
		r := of[row.ID]
		r.waking = row.Waking
		r.onboarding = &onboarding.Onboarding{
			ID:            onboarding.ID(row.ID),
			Request:       request,
			SubaccountSID: row.SubaccountSid,
			CallbackToken: row.CallbackToken,
			Version:       int(row.Version),
			CreatedAt:     timeOf(row.CreatedAt),
			UpdatedAt:     timeOf(row.UpdatedAt),
			CanceledAt:    timeOf(row.CanceledAt),
			Cleanup:       row.Cleanup,
			Epoch:         row.Epoch,
			Woken:         row.Woken,
			ReadAt:        timeOf(row.ReadAt),
		}
		return err
	})
	queue(batch, func(ctx context.Context, q *db.Queries) { _, _ = q.ReadSteps(ctx, ids) }, pgx.RowToStructByPos, func(row db.Step) error {
		step, err := stepOf(row)
		if o := of[row.OnboardingID].onboarding; o != nil {
			o.Steps = append(o.Steps, step)
		}
		return err
	})
	queue(batch, func(ctx context.Context, q *db.Queries) { _, _ = q.ReadNumbers(ctx, ids) }, pgx.RowToStructByPos, func(row db.ReadNumbersRow) error {
		if o := of[row.OnboardingID].onboarding; o != nil {
			o.Numbers = append(o.Numbers, onboarding.PhoneNumber{SID: row.Sid, Number: row.PhoneNumber})
		}
		return nil
	})
}

// sender is a pool or a transaction.
type sender interface {
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
}

// read reads an onboarding in one round trip. Errors: [onboarding.ErrNotFound].
func read(ctx context.Context, from sender, id onboarding.ID) (*onboarding.Onboarding, error) {
	r := &reading{id: id}
	var batch pgx.Batch
	queueReadings(&batch, []*reading{r})
	err := from.SendBatch(ctx, &batch).Close()
	if err == nil && r.onboarding == nil {
		err = onboarding.ErrNotFound
	}
	return r.onboarding, err
}

// stepOf is the step of a row.
func stepOf(row db.Step) (onboarding.Step, error) {
	stepError, err := fromJSON[*onboarding.StepError]("steps.error", row.Error)
	if err != nil {
		return onboarding.Step{}, err
	}
	requirements, err := fromJSON[[]onboarding.Requirement]("steps.requirements", row.Requirements)
	if err != nil {
		return onboarding.Step{}, err
	}
	return onboarding.Step{
		Key:           onboarding.Key(row.Key),
		State:         onboarding.State(row.State),
		SID:           row.Sid,
		RemoteStatus:  row.RemoteStatus,
		Attempts:      int(row.Attempts),
		Error:         stepError,
		Requirements:  requirements,
		WaitsFor:      onboarding.Key(row.WaitsFor),
		IntentAt:      timeOf(row.IntentAt),
		StartedAt:     timeOf(row.StartedAt),
		FinishedAt:    timeOf(row.FinishedAt),
		NextAttemptAt: timeOf(row.NextAttemptAt),
	}, nil
}
