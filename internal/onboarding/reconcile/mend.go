package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// mend does the first of these that there is to do: adopt, remove, wake. kept is what it could do
// nothing about.
func (r *Reconciler) mend(ctx context.Context, report Report) (mended, kept []Action, err error) {
	if mended, err = r.adopt(ctx, report); err != nil || len(mended) > 0 {
		return mended, nil, err
	}
	if mended, kept, err = r.remove(ctx, report); err != nil || len(mended) > 0 {
		return mended, nil, err
	}
	woken, err := r.wake(ctx, report, kept)
	return nil, append(kept, woken...), err
}

// adopt records what Twilio holds for steps that have recorded nothing. It does so under a new
// epoch, and only in steps that are still what they were before the lookup: no runner can have
// begun such a step meanwhile, nor begin it afterwards.
func (r *Reconciler) adopt(ctx context.Context, report Report) ([]Action, error) {
	if !slices.ContainsFunc(report.Findings, func(f Finding) bool { return f.adopt != nil }) {
		return nil, nil
	}
	var done []Action
	nothing := errors.New("nothing to adopt any more")
	err := r.Repository.Interrupt(ctx, report.ID, func(o *onboarding.Onboarding, now time.Time) (onboarding.Change, error) {
		done = nil
		if !o.CanceledAt.IsZero() {
			return onboarding.Change{}, ErrCanceled
		}
		r.Plan.Arrange(o)
		entry := onboarding.NewEntry(o, actor)
		for _, f := range report.Findings {
			if f.adopt == nil {
				continue
			}
			if o.Step(f.Step) == nil { // A number that the ledger's own preflight has not resolved yet.
				o.Steps = append(o.Steps, onboarding.Step{Key: f.Step, State: onboarding.StepPending})
			}
			step := o.Step(f.Step)
			if moved(*step, f.before) {
				continue
			}
			entry.Tell(now, "step.adopted", f.Step, f.adopt.SID)
			adoptInto(entry, step, *f.adopt, now)
			done = append(done, Action{Kind: ActionAdopted, Step: f.Step, SID: f.adopt.SID, Note: f.adopt.Status})
		}
		if entry.IsEmpty() {
			return onboarding.Change{}, nothing
		}
		if entry.Uncharted != "" {
			return onboarding.Change{}, fmt.Errorf("the charts have no way for the step %s", entry.Uncharted)
		}
		return entry.Finish(), nil
	})
	switch {
	case errors.Is(err, nothing):
		return nil, nil
	case err != nil:
		return nil, err
	default:
		return done, nil
	}
}

// adoptInto puts what was found into the step. Of a step that has succeeded before, only the gaps
// are filled.
func adoptInto(entry *onboarding.Entry, step *onboarding.Step, found onboarding.Seen, now time.Time) {
	if step.State == onboarding.StepSucceeded {
		step.SID = found.SID
		if step.RemoteStatus == "" {
			step.RemoteStatus = found.Status
		}
		entry.Write(step)
		return
	}
	step.SID, step.RemoteStatus = found.SID, found.Status
	entry.Enter(step, onboarding.StepSucceeded, now)
}

// moved tells whether a runner, or anybody, has done something about the step since it was read as
// before.
func moved(now, before onboarding.Step) bool {
	return now.State != before.State || now.SID != before.SID || now.RemoteStatus != before.RemoteStatus ||
		now.Attempts != before.Attempts || !now.IntentAt.Equal(before.IntentAt)
}

// remove removes what is surplus, in the reverse order of the plan: what is assigned comes off
// before it goes. What Twilio does not let go of is kept, and told.
func (r *Reconciler) remove(ctx context.Context, report Report) (removed, kept []Action, err error) {
	for _, f := range slices.Backward(report.Findings) {
		if f.Verdict != VerdictSurplus {
			continue
		}
		action := Action{Kind: ActionKept, Step: f.Step, SID: f.Remote.SID, Note: f.Note}
		if f.surplus == nil {
			kept = append(kept, action)
			continue
		}
		switch still, err := r.stillSurplus(ctx, report.ID, *f.surplus); {
		case err != nil:
			action.Note = err.Error()
		case !still:
			action.Note = "the ledger or Twilio changed meanwhile"
		default:
			if err := f.surplus.remove(ctx, r.Hub); err != nil {
				action.Note = err.Error()
				break
			}
			action.Kind = ActionRemoved
		}
		if action.Kind == ActionRemoved {
			removed = append(removed, action)
		} else {
			kept = append(kept, action)
		}
	}
	if len(removed) == 0 {
		return nil, kept, nil
	}
	if err := r.tell(context.WithoutCancel(ctx), report.ID, removed); err != nil {
		return removed, kept, fmt.Errorf("record what was removed: %w", err)
	}
	return removed, kept, nil
}

// stillSurplus looks again, right before the removal: the step has not changed, and Twilio holds
// both what it has recorded and the other.
func (r *Reconciler) stillSurplus(ctx context.Context, id onboarding.ID, s surplus) (bool, error) {
	o, err := r.read(ctx, id)
	if err != nil {
		return false, err
	}
	step := o.Step(s.of.Key)
	if step == nil || step.SID == "" || moved(*step, s.of) || !o.CanceledAt.IsZero() {
		return false, nil
	}
	found, err := r.patiently(ctx, s.find)
	if err != nil {
		return false, err
	}
	return holds(found, step.SID) && holds(found, s.sid), nil
}

func holds(found []onboarding.Outcome, sid string) bool {
	return slices.ContainsFunc(found, func(o onboarding.Outcome) bool { return onboarding.SeenIn(o).SID == sid })
}

// tell writes removals into the history.
func (r *Reconciler) tell(ctx context.Context, id onboarding.ID, actions []Action) error {
	return r.Repository.Update(ctx, id, func(o *onboarding.Onboarding, now time.Time) (onboarding.Change, error) {
		r.Plan.Arrange(o)
		entry := onboarding.NewEntry(o, actor)
		for _, a := range actions {
			kind := "step.surplus_removed"
			if a.Kind == ActionKept {
				kind = "step.surplus_kept"
			}
			entry.Tell(now, kind, a.Step, a.SID)
		}
		return entry.Finish(), nil
	})
}

// wake writes down what is kept, and has the runner look at reviews of which Twilio says something
// else than the ledger: what a review says is the runner's to act on.
func (r *Reconciler) wake(ctx context.Context, report Report, kept []Action) ([]Action, error) {
	var woken []Action
	for _, f := range report.Findings {
		if f.Verdict == VerdictOtherStatus && f.kind == onboarding.KindReview && (f.State == onboarding.StepWaiting || f.State == onboarding.StepPending) {
			woken = append(woken, Action{Kind: ActionWoken, Step: f.Step, SID: f.Remote.SID, Note: "the runner reads it now"})
		}
	}
	if len(woken) == 0 && len(kept) == 0 {
		return nil, nil
	}
	return woken, r.tell(ctx, report.ID, kept)
}
