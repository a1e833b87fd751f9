package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// change asks for a change to be written.
type change struct {
	onboarding.Change
	// jobID is the runner's job. The change is written only if the onboarding's row names that job
	// and has the change's epoch. A caller who has the row lock needs no job: 0.
	jobID int64

	// written is false if the runner has lost its place.
	written bool
}

func (c *change) statement() statement { return writeChanges }

// queueChanges queues the statement that writes changes of different onboardings.
func queueChanges(batch *pgx.Batch, changes []*change) {
	for _, c := range changes {
		c.written = false
	}
	params := columns(changes...)
	queue(batch, func(ctx context.Context, q *db.Queries) { _, _ = q.WriteChanges(ctx, params) }, pgx.RowTo[int32], func(nr int32) error {
		changes[nr].written = true
		return nil
	})
}

// columns lays out changes as the arrays of the statement. Changes are numbered by their places.
func columns(changes ...*change) (p db.WriteChangesParams) {
	for i, c := range changes {
		nr := int32(i)
		numbers := int32(-1)
		if c.Numbers != nil {
			numbers = int32(len(c.Numbers)) //nolint:gosec // few
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
			p.EventStepKinds = append(p.EventStepKinds, string(e.StepKind))
			p.EventBundles = append(p.EventBundles, string(e.Bundle))
			p.EventActors = append(p.EventActors, e.Actor)
			p.EventDetails = append(p.EventDetails, e.Detail)
		}
	}
	return p
}

// addSteps lays out the steps of one change. Of several steps with one key the last counts, for a
// statement can write a row only once.
func addSteps(p *db.WriteChangesParams, nr int32, steps []onboarding.Step) {
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

// stepJSON is a step's error and requirements in JSON, nil for none. All of them can be encoded.
func stepJSON(s onboarding.Step) (stepError, requirements []byte) {
	if s.Error != nil {
		stepError, _ = json.Marshal(s.Error)
	}
	if len(s.Requirements) > 0 {
		requirements, _ = json.Marshal(s.Requirements)
	}
	return stepError, requirements
}

// writeDecision writes what was decided under the row lock: the next version of the request and a
// cancellation, if there are any, and the change.
func writeDecision(ctx context.Context, q *db.Queries, c onboarding.Change) error {
	if c.Request != nil {
		err := q.AddRequestVersion(ctx, db.AddRequestVersionParams{
			ID:      string(c.ID),
			Version: int32(c.Version), //nolint:gosec // counts corrections
			Request: []byte(encode(c.Request)),
		})
		if err != nil {
			return fmt.Errorf("write version %d of the request: %w", c.Version, err)
		}
	}
	if c.Canceled != nil {
		err := q.CancelOnboarding(ctx, db.CancelOnboardingParams{
			ID: string(c.ID), CanceledAt: timestamptz(c.Canceled.At), Cleanup: c.Canceled.Cleanup,
		})
		if err != nil {
			return fmt.Errorf("cancel: %w", err)
		}
	}
	_, err := q.WriteChanges(ctx, columns(&change{Change: c}))
	return err
}
