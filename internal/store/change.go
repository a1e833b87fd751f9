package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// recordChange writes what was decided by whoever holds the row lock, which no epoch fences.
func recordChange(ctx context.Context, q *db.Queries, c onboarding.Change) error {
	params, err := recordParams(c)
	if err != nil {
		return err
	}
	_, err = q.RecordChange(ctx, params)
	return err
}

// recordParams lays c out for the statement, unfenced.
func recordParams(c onboarding.Change) (db.RecordChangeParams, error) {
	params := db.RecordChangeParams{ID: string(c.ID), Status: string(c.Status), Attestation: c.Attestation}
	if c.SubaccountSID != "" {
		params.SubaccountSid = &c.SubaccountSID
	}
	if c.Numbers != nil {
		count := int32(len(c.Numbers)) //nolint:gosec // as many as a request has
		params.Numbers = &count
	}
	if err := setSteps(&params, c.Steps); err != nil {
		return params, err
	}
	for i, n := range c.Numbers {
		params.NumberPositions = append(params.NumberPositions, int32(i))
		params.NumberSids = append(params.NumberSids, n.SID)
		params.PhoneNumbers = append(params.PhoneNumbers, n.Number)
	}
	for _, e := range c.Events {
		params.EventTimes = append(params.EventTimes, timestamptz(e.At))
		params.EventKinds = append(params.EventKinds, e.Kind)
		params.EventSteps = append(params.EventSteps, string(e.Step))
		params.EventActors = append(params.EventActors, e.Actor)
		params.EventDetails = append(params.EventDetails, e.Detail)
	}
	return params, nil
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

// setSteps lays the steps out in columns. Of several with one key the last counts: one statement writes a row once.
func setSteps(params *db.RecordChangeParams, steps []onboarding.Step) error {
	last := make(map[onboarding.Key]int, len(steps))
	for i, s := range steps {
		last[s.Key] = i
	}
	n := len(last)
	params.StepKeys = make([]string, 0, n)
	params.StepStates = make([]string, 0, n)
	params.StepSids = make([]string, 0, n)
	params.StepRemoteStatuses = make([]string, 0, n)
	params.StepAttempts = make([]int32, 0, n)
	params.StepErrors = make([][]byte, 0, n)
	params.StepRequirements = make([][]byte, 0, n)
	params.StepWaitsFor = make([]string, 0, n)
	params.StepIntentsAt = make([]pgtype.Timestamptz, 0, n)
	params.StepStartedAt = make([]pgtype.Timestamptz, 0, n)
	params.StepFinishedAt = make([]pgtype.Timestamptz, 0, n)
	params.StepNextAttemptsAt = make([]pgtype.Timestamptz, 0, n)
	for i, s := range steps {
		if last[s.Key] != i {
			continue
		}
		stepError, requirements, err := stepJSON(s)
		if err != nil {
			return err
		}
		params.StepKeys = append(params.StepKeys, string(s.Key))
		params.StepStates = append(params.StepStates, string(s.State))
		params.StepSids = append(params.StepSids, s.SID)
		params.StepRemoteStatuses = append(params.StepRemoteStatuses, s.RemoteStatus)
		params.StepAttempts = append(params.StepAttempts, int32(s.Attempts)) //nolint:gosec // counts calls
		params.StepErrors = append(params.StepErrors, stepError)
		params.StepRequirements = append(params.StepRequirements, requirements)
		params.StepWaitsFor = append(params.StepWaitsFor, string(s.WaitsFor))
		params.StepIntentsAt = append(params.StepIntentsAt, timestamptz(s.IntentAt))
		params.StepStartedAt = append(params.StepStartedAt, timestamptz(s.StartedAt))
		params.StepFinishedAt = append(params.StepFinishedAt, timestamptz(s.FinishedAt))
		params.StepNextAttemptsAt = append(params.StepNextAttemptsAt, timestamptz(s.NextAttemptAt))
	}
	return nil
}

// stepJSON is a step's error and requirements as jsonb, nil for none.
func stepJSON(s onboarding.Step) (stepError, requirements []byte, err error) {
	if s.Error != nil {
		if stepError, err = json.Marshal(s.Error); err != nil {
			return nil, nil, fmt.Errorf("encode the error of step %s: %w", s.Key, err)
		}
	}
	if len(s.Requirements) > 0 {
		if requirements, err = json.Marshal(s.Requirements); err != nil {
			return nil, nil, fmt.Errorf("encode the requirements of step %s: %w", s.Key, err)
		}
	}
	return stepError, requirements, nil
}

// stepOf is the reverse of setSteps for one row.
func stepOf(row db.GetStepsRow) (onboarding.Step, error) {
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
