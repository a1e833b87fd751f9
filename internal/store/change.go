package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// fenced is a change with the job of whoever writes it: its epoch and its job must be the onboarding's. Without a job it is written by whoever
// holds the row lock, and no epoch is looked at.
type fenced struct {
	onboarding.Change
	jobID int64
}

// recordChange writes what was decided by whoever holds the row lock.
func recordChange(ctx context.Context, q *db.Queries, c onboarding.Change) error {
	_, err := q.RecordChanges(ctx, columns(fenced{Change: c}))
	return err
}

// changes are the statements that write the changes of a group. [onboarding.ErrLostPlace] is the error of one that was not written.
func changes(ctx context.Context, group []*pendingWrite) statements {
	var of []*pendingWrite
	var all []fenced
	for _, w := range group {
		if w.change != nil {
			of, all = append(of, w), append(all, *w.change)
		}
	}
	if len(all) == 0 {
		return noStatements
	}
	params := columns(all...)
	return oneStatement(func(q *db.Queries) error {
		ids, err := q.RecordChanges(ctx, params)
		if err != nil {
			return err
		}
		written := make(map[string]bool, len(ids))
		for _, id := range ids {
			written[id] = true
		}
		for _, w := range of {
			if !written[string(w.id)] {
				w.err = onboarding.ErrLostPlace
			}
		}
		return nil
	})
}

// columns lays out changes of different onboardings for the statement. They are numbered by their places.
func columns(changes ...fenced) (p db.RecordChangesParams) {
	for i, c := range changes {
		nr := int32(i)
		numbers := int32(-1)
		if c.Numbers != nil {
			numbers = int32(len(c.Numbers)) //nolint:gosec // as many as a request has
		}
		p.Changes = append(p.Changes, nr)
		p.Ids = append(p.Ids, string(c.ID))
		p.Epochs = append(p.Epochs, c.Epoch)
		p.JobIds = append(p.JobIds, c.jobID)
		p.Statuses = append(p.Statuses, string(c.Status))
		p.Attestations = append(p.Attestations, c.Attestation)
		p.SubaccountSids = append(p.SubaccountSids, c.SubaccountSID)
		p.NumberCounts = append(p.NumberCounts, numbers)
		addSteps(&p, nr, c.Steps)
		for position, n := range c.Numbers {
			p.NumberChanges = append(p.NumberChanges, nr)
			p.NumberPositions = append(p.NumberPositions, int32(position))
			p.NumberSids = append(p.NumberSids, n.SID)
			p.PhoneNumbers = append(p.PhoneNumbers, n.Number)
		}
		for _, e := range c.Events {
			p.EventChanges = append(p.EventChanges, nr)
			p.EventTimes = append(p.EventTimes, timestamptz(e.At))
			p.EventKinds = append(p.EventKinds, e.Kind)
			p.EventSteps = append(p.EventSteps, string(e.Step))
			p.EventActors = append(p.EventActors, e.Actor)
			p.EventDetails = append(p.EventDetails, e.Detail)
		}
	}
	return p
}

// decided writes what was decided under the row lock: a change, and the next version of the request if it has one.
func decided(ctx context.Context, q *db.Queries, c onboarding.Change) error {
	if c.Request != nil {
		request, err := json.Marshal(c.Request)
		if err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
		err = q.AddRequestVersion(ctx, db.AddRequestVersionParams{ID: string(c.ID), Version: int32(c.Version), Request: request}) //nolint:gosec // counts corrections
		if err != nil {
			return fmt.Errorf("write version %d of the request: %w", c.Version, err)
		}
	}
	if c.Canceled != nil {
		err := q.CancelOnboarding(ctx, db.CancelOnboardingParams{ID: string(c.ID), CanceledAt: timestamptz(c.Canceled.At), Cleanup: c.Canceled.Cleanup})
		if err != nil {
			return fmt.Errorf("cancel: %w", err)
		}
	}
	return recordChange(ctx, q, c)
}

// addSteps lays out the steps of one change. Of several with one key the last counts: one statement writes a row once.
func addSteps(p *db.RecordChangesParams, nr int32, steps []onboarding.Step) {
	last := make(map[onboarding.Key]int, len(steps))
	for i, s := range steps {
		last[s.Key] = i
	}
	for i, s := range steps {
		if last[s.Key] != i {
			continue
		}
		stepError, requirements := stepJSON(s)
		p.StepChanges = append(p.StepChanges, nr)
		p.StepKeys = append(p.StepKeys, string(s.Key))
		p.StepStates = append(p.StepStates, string(s.State))
		p.StepSids = append(p.StepSids, s.SID)
		p.StepRemoteStatuses = append(p.StepRemoteStatuses, s.RemoteStatus)
		p.StepAttempts = append(p.StepAttempts, int32(s.Attempts)) //nolint:gosec // counts calls
		p.StepErrors = append(p.StepErrors, stepError)
		p.StepRequirements = append(p.StepRequirements, requirements)
		p.StepWaitsFor = append(p.StepWaitsFor, string(s.WaitsFor))
		p.StepIntentsAt = append(p.StepIntentsAt, timestamptz(s.IntentAt))
		p.StepStartedAt = append(p.StepStartedAt, timestamptz(s.StartedAt))
		p.StepFinishedAt = append(p.StepFinishedAt, timestamptz(s.FinishedAt))
		p.StepNextAttemptsAt = append(p.StepNextAttemptsAt, timestamptz(s.NextAttemptAt))
	}
}

// stepJSON is a step's error and requirements as jsonb, nil for none. They have nothing in them that cannot be encoded.
func stepJSON(s onboarding.Step) (stepError, requirements []byte) {
	if s.Error != nil {
		stepError, _ = json.Marshal(s.Error)
	}
	if len(s.Requirements) > 0 {
		requirements, _ = json.Marshal(s.Requirements)
	}
	return stepError, requirements
}

// stepOf is the reverse of addSteps for one row.
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
