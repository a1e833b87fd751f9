package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// Reconciler compares the ledger of one onboarding with what Twilio holds.
//
// [Reconciler.Compare] only reads. [Reconciler.Fix] mends what can be mended without knowing more
// than the two sides say:
//
//   - what Twilio holds for a step that has recorded nothing is adopted;
//   - what is surplus under an onboarding's own tag is removed, if the object that the ledger has
//     recorded is still there.
//
// Everything else is a person's to decide, above all a recorded object that is gone: nothing is
// adopted in its place, because its review and its assignments were not the other's.
type Reconciler struct {
	Repository onboarding.InterruptibleRepository
	Hub        onboarding.TrustHub
	Plan       onboarding.Plan
	// Settle is how long Twilio's lists may lag behind a write: what a step made less than that ago
	// is not missed.
	Settle time.Duration
	// Concurrency is how many lookups are made at once; 0 means 8, well below what the service
	// itself allows an account.
	Concurrency int
	// Within bounds the lookups of one comparison, all of them together; 0 means that only the
	// context does. What was not looked up by then is [VerdictNotCompared], and the comparison is
	// made of the rest.
	Within time.Duration
}

// actor is who the history names.
const actor = "reconcile"

// Compare looks up every step of the onboarding that can be looked up. Errors: ErrNotFound.
func (r *Reconciler) Compare(ctx context.Context, id onboarding.ID) (Report, error) {
	o, err := r.read(ctx, id)
	if err != nil {
		return Report{}, fmt.Errorf("compare onboarding %s: %w", id, err)
	}
	c := newComparison(r, o)
	if err := c.runWithin(ctx, r.Within); err != nil {
		return Report{}, fmt.Errorf("compare onboarding %s: %w", id, err)
	}
	now, err := r.read(ctx, id)
	if err != nil {
		return Report{}, fmt.Errorf("compare onboarding %s: %w", id, err)
	}
	return c.report(now), nil
}

func (r *Reconciler) read(ctx context.Context, id onboarding.ID) (*onboarding.Onboarding, error) {
	o, err := r.Repository.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	r.Plan.Arrange(o)
	return o, nil
}

// passes bounds how often Fix looks anew. What one pass adopts or removes may show the next what
// depends on it: three are the most that the plan calls for.
const passes = 6

// Fix compares, mends what it can, and compares again until there is nothing more for it to do. It
// returns the first and the last comparison and what was done between them, also with an error.
// Errors: ErrNotFound, ErrCanceled.
func (r *Reconciler) Fix(ctx context.Context, id onboarding.ID) (before, after Report, done []Action, err error) {
	switch o, err := r.read(ctx, id); {
	case err != nil:
		return before, after, nil, fmt.Errorf("fix onboarding %s: %w", id, err)
	case !o.CanceledAt.IsZero():
		return before, after, nil, fmt.Errorf("fix onboarding %s: %w", id, ErrCanceled)
	}
	for pass := range passes {
		if after, err = r.Compare(ctx, id); err != nil {
			return before, after, done, err
		}
		if pass == 0 {
			before = after
		}
		mended, kept, err := r.mend(ctx, after)
		done = append(done, mended...)
		if err != nil {
			return before, after, done, fmt.Errorf("fix onboarding %s: %w", id, err)
		}
		if len(mended) == 0 {
			return before, after, append(done, kept...), nil
		}
	}
	return before, after, done, nil
}

// ErrCanceled means that the onboarding was canceled, and is not touched any more.
var ErrCanceled = errors.New("the onboarding was canceled")
