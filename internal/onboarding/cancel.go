package onboarding

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Cancel ends an onboarding: nothing more is made, and what has an unknown outcome is only looked up. With cleanup, what was made is deleted
// as far as Twilio lets go of it, numbers first and bundles before what was on them; [Onboarding.Kept] tells what is left. What was there
// before the onboarding stays. To cancel again changes nothing, but that a cleanup can be asked for later. Errors: ErrNotFound.
func (s *Service) Cancel(ctx context.Context, actor string, id ID, cleanup bool) (*Onboarding, error) {
	err := s.Repository.Interrupt(ctx, id, func(o *Onboarding, now time.Time) (Change, error) {
		s.Plan.Arrange(o)
		a := amendment{o: o, now: now, actor: actor, change: Change{ID: o.ID}}
		if o.CanceledAt.IsZero() || cleanup && !o.Cleanup {
			if o.CanceledAt.IsZero() {
				o.CanceledAt = now
			}
			o.Cleanup = cleanup
			a.change.Canceled = &Cancellation{At: o.CanceledAt, Cleanup: cleanup}
			a.change.Events = append(a.change.Events, Event{At: now, Kind: "onboarding.canceled", Actor: actor, Detail: cleanupDetail(cleanup)})
		}
		nodes, _ := s.Plan.arrange(o)
		a.letGo(nodes)
		a.change.conclude(o)
		return a.change, nil
	})
	if err != nil {
		return nil, fmt.Errorf("cancel onboarding %s: %w", id, err)
	}
	return s.Get(ctx, id)
}

func cleanupDetail(cleanup bool) string {
	if cleanup {
		return "with cleanup"
	}
	return ""
}

// Kept returns the steps of a canceled onboarding whose objects remain at Twilio although they were to be deleted, because Twilio does not
// let go of them or they were there before. Assignments to a bundle that is gone went with it.
func (o *Onboarding) Kept() []Step {
	if !o.Cleanup {
		return nil
	}
	var kept []Step
	for _, s := range o.Steps {
		if s.State != StepCanceled || s.SID == "" {
			continue
		}
		parent, _, ok := strings.Cut(string(s.Key), ".")
		if bundle := o.Step(Key(parent)); ok && bundle != nil && bundle.State == StepCanceled && bundle.SID == "" && !s.Key.under(Key(parent).Sub(partReplaced)) {
			continue
		}
		kept = append(kept, s)
	}
	return kept
}
