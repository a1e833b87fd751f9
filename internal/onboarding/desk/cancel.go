package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// Cancel ends an onboarding: nothing more is made, and what has an unknown outcome is only looked
// up. With cleanup, what was made is deleted as far as Twilio lets go of it, numbers first and
// bundles before what was on them; [onboarding.Onboarding.Kept] tells what is left. What was there
// before the onboarding stays. To cancel again changes nothing, but that a cleanup can be asked for
// later. Errors: onboarding.ErrNotFound.
func (s *Service) Cancel(ctx context.Context, actor string, id onboarding.ID, cleanup bool) (*onboarding.Onboarding, error) {
	err := s.Repository.Interrupt(ctx, id, func(o *onboarding.Onboarding, now time.Time) (onboarding.Change, error) {
		s.Plan.Arrange(o)
		d := newDraft(o, actor, now)
		if o.CanceledAt.IsZero() || cleanup && !o.Cleanup {
			if o.CanceledAt.IsZero() {
				o.CanceledAt = now
			}
			o.Cleanup = cleanup
			d.entry.Change.Canceled = &onboarding.Cancellation{At: o.CanceledAt, Cleanup: cleanup}
			detail := ""
			if cleanup {
				detail = "with cleanup"
			}
			d.entry.Tell(now, "onboarding.canceled", "", detail)
		}
		nodes, _ := s.Plan.Arrange(o)
		d.letGo(nodes)
		return d.finish()
	})
	if err != nil {
		return nil, fmt.Errorf("cancel onboarding %s: %w", id, err)
	}
	return s.Get(ctx, id)
}
