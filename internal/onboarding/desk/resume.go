package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// Resume makes failed steps due again, and due now what waits to be tried again or is read again
// now and then, a rejection included. Of a canceled onboarding it tries once more to delete what
// Twilio did not let go of. It is safe to call at any time, also when there is nothing to resume.
// Errors: onboarding.ErrNotFound.
func (s *Service) Resume(ctx context.Context, actor string, id onboarding.ID) (*onboarding.Onboarding, error) {
	o, err := s.Repository.Get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("resume onboarding %s: %w", id, err)
	}
	write := s.Repository.Update
	if !o.CanceledAt.IsZero() {
		write = s.Repository.Interrupt // Nothing else wakes it.
	}
	err = write(ctx, id, func(o *onboarding.Onboarding, now time.Time) (onboarding.Change, error) {
		nodes, _ := s.Plan.Arrange(o)
		d := newDraft(o, actor, now)
		d.entry.Tell(now, "onboarding.resumed", "", "")
		d.resume(nodes)
		return d.finish()
	})
	if err != nil {
		return nil, fmt.Errorf("resume onboarding %s: %w", id, err)
	}
	return s.Get(ctx, id)
}

func (d *draft) resume(nodes []onboarding.Node) {
	// A number that was refused may be another by now: one that was released and bought again.
	resolveAnew := false
	for i := range nodes {
		resolveAnew = resolveAnew || d.onb.CanceledAt.IsZero() && nodes[i].Number != "" && nodes[i].Aim == onboarding.AimDone &&
			d.onb.Steps[i].State == onboarding.StepFailed
	}
	for i := range nodes {
		step, isGoing := &d.onb.Steps[i], nodes[i].Aim == onboarding.AimGone
		switch {
		case step.State == onboarding.StepFailed && step.NextAttemptAt.IsZero():
			d.entry.Enter(step, onboarding.StepPending, d.now)
		case nodes[i].Resolves && nodes[i].Kind == onboarding.KindRead && step.State == onboarding.StepSucceeded && resolveAnew:
			d.entry.Enter(step, onboarding.StepPending, d.now)
		case isGoing && step.State == onboarding.StepCanceled && step.SID != "":
			step.Error = nil
			d.entry.Enter(step, onboarding.StepPending, d.now)
		case step.State == onboarding.StepWaiting && step.WaitsFor == "", !step.NextAttemptAt.IsZero():
			step.NextAttemptAt = d.now
			d.entry.Write(step)
		}
	}
}
