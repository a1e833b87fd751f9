package simulation

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/memledger"
)

// This file has what the mutants put in the place of what they take away.

// changing changes what people's requests write.
func changing(change func(*onboarding.Onboarding, *onboarding.Change)) func(onboarding.InterruptibleRepository) onboarding.InterruptibleRepository {
	return func(r onboarding.InterruptibleRepository) onboarding.InterruptibleRepository {
		return changingRepository{r, change}
	}
}

type changingRepository struct {
	onboarding.InterruptibleRepository
	change func(*onboarding.Onboarding, *onboarding.Change)
}

func (r changingRepository) Interrupt(ctx context.Context, id onboarding.ID, decide func(*onboarding.Onboarding, time.Time) (onboarding.Change, error)) error {
	return r.InterruptibleRepository.Interrupt(ctx, id, func(o *onboarding.Onboarding, now time.Time) (onboarding.Change, error) {
		c, err := decide(o, now)
		r.change(o, &c)
		return c, err
	})
}

// withoutInterruption leaves the runner the onboarding whose request a person corrects.
type withoutInterruption struct {
	onboarding.InterruptibleRepository
}

func (r withoutInterruption) Interrupt(ctx context.Context, id onboarding.ID, decide func(*onboarding.Onboarding, time.Time) (onboarding.Change, error)) error {
	amends := errors.New("amends")
	err := r.InterruptibleRepository.Interrupt(ctx, id, func(o *onboarding.Onboarding, now time.Time) (onboarding.Change, error) {
		c, err := decide(o, now)
		if err == nil && c.Request != nil {
			err = amends
		}
		return c, err
	})
	if errors.Is(err, amends) {
		return r.Update(ctx, id, decide)
	}
	return err
}

// withoutNumbers believes an empty list of numbers, and takes all of them away.
func withoutNumbers(plan onboarding.Plan) onboarding.Plan {
	const none = "PN none"
	believing := eachEffectOf(func(o *onboarding.Onboarding, key onboarding.Key, e *onboarding.Effect) {
		look := e.Look
		if key != onboarding.NumbersCheckKey || len(o.Numbers) == 0 {
			return
		}
		e.Look = func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
			seen := &noticing{TrustHub: hub}
			r, err := look(ctx, seen)
			if done, ok := r.(onboarding.Done); ok && seen.empty && err == nil {
				done.Numbers = []onboarding.PhoneNumber{{SID: none}}
				return done, nil
			}
			return r, err
		}
	})
	plan = believing(plan)
	lay := plan.Nodes
	plan.Nodes = func(o *onboarding.Onboarding) []onboarding.Node {
		return slices.DeleteFunc(lay(o), func(n onboarding.Node) bool { return n.Number == none })
	}
	return plan
}

// noticing notes that a list of all numbers was empty.
type noticing struct {
	onboarding.TrustHub
	empty bool
}

func (l *noticing) ListPhoneNumbers(ctx context.Context, account string) ([]onboarding.PhoneNumber, error) {
	numbers, err := l.TrustHub.ListPhoneNumbers(ctx, account)
	l.empty = l.empty || len(numbers) == 0
	return numbers, err
}

// withoutIntents writes no intents.
type withoutIntents struct{ onboarding.Ledger }

func (l withoutIntents) Record(ctx context.Context, c onboarding.Change) error {
	var steps []onboarding.Step
	for _, s := range c.Steps {
		if s.State != onboarding.StepRunning {
			steps = append(steps, s)
		}
	}
	c.Steps = steps
	return l.Ledger.Record(ctx, c)
}

// withoutEpoch lets a runner that lost its place write.
type withoutEpoch struct {
	onboarding.Ledger
	store *memledger.Store
}

func (l withoutEpoch) Record(ctx context.Context, c onboarding.Change) error {
	err := l.Ledger.Record(ctx, c)
	if errors.Is(err, onboarding.ErrLostPlace) {
		return l.recordAnyway(ctx, c)
	}
	return err
}

func (l withoutEpoch) Release(ctx context.Context, c onboarding.Change, next time.Time) (bool, error) {
	woken, err := l.Ledger.Release(ctx, c, next)
	if errors.Is(err, onboarding.ErrLostPlace) && len(c.Steps) > 0 {
		return false, errors.Join(err, l.recordAnyway(ctx, c))
	}
	return woken, err
}

func (l withoutEpoch) recordAnyway(ctx context.Context, c onboarding.Change) error {
	now, err := l.store.Get(ctx, c.ID)
	if err != nil {
		return err
	}
	c.Epoch = now.Epoch
	return l.store.Record(ctx, c)
}

// withoutWakeUps ends a run though something happened meanwhile.
type withoutWakeUps struct{ onboarding.Ledger }

func (l withoutWakeUps) Release(ctx context.Context, c onboarding.Change, next time.Time) (bool, error) {
	woken, err := l.Ledger.Release(ctx, c, next)
	for woken && err == nil {
		var o *onboarding.Onboarding
		if o, err = l.Claim(ctx, c.ID); err == nil {
			woken, err = l.Ledger.Release(ctx, onboarding.Change{ID: c.ID, Epoch: o.Epoch, Status: c.Status, Attestation: c.Attestation}, next)
		}
	}
	return false, err
}

// withoutJobs ends every run for good.
type withoutJobs struct{ onboarding.Ledger }

func (l withoutJobs) Release(ctx context.Context, c onboarding.Change, _ time.Time) (bool, error) {
	return l.Ledger.Release(ctx, c, time.Time{})
}

// believe takes a callback's word for the review's outcome.
func believe(w *world, c onboarding.Callback) error {
	err := w.store.Update(w.ctx, c.OnboardingID, func(o *onboarding.Onboarding, now time.Time) (onboarding.Change, error) {
		w.plan.Arrange(o)
		change := onboarding.Change{ID: o.ID}
		for _, key := range []onboarding.Key{"customer_profile", "trust_product"} {
			review := o.Step(key.Review())
			if c.Status == onboarding.BundleApproved && c.BundleSID != "" && c.BundleSID == o.SID(key) && review != nil {
				review.State, review.FinishedAt = onboarding.StepSucceeded, now
				change.Steps = append(change.Steps, *review)
			}
		}
		change.Status, change.Attestation = o.Status(), o.Attestation()
		return change, nil
	})
	if err != nil {
		return err
	}
	return w.service.ReceiveCallback(w.ctx, c)
}

// asParent makes end users in the parent account.
type asParent struct{ onboarding.TrustHub }

func (h asParent) CreateEndUser(ctx context.Context, _ string, u onboarding.EndUser) (onboarding.Object, error) {
	return h.TrustHub.CreateEndUser(ctx, h.ParentAccount(), u)
}
