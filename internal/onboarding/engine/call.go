package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// answer is what came of one call.
type answer struct {
	call call
	// outcome is that of a look or a deed.
	outcome onboarding.Outcome
	// found is what a lookup found, oldest first.
	found []onboarding.Outcome
	// asked is when a lookup began, or earlier: what it did not find was not there then. Its answer
	// may have come much later.
	asked time.Time
	// removed and kept are the SIDs of what was surplus.
	removed, kept []string
	err           error
}

// launch writes what is new to the ledger, the intents of the calls to come included, and only then
// makes those calls (invariant 1).
func (w *walk) launch(ctx context.Context, calls []call) error {
	local := w.runner.Now()
	for _, c := range calls {
		step := w.step(c.node.Key)
		if c.op.hasIntent() {
			w.runner.reached(BeforeIntent, c.node.Key)
			w.intend(step)
		} else if step.StartedAt.IsZero() {
			step.StartedAt = w.clock.now() // Written with what comes of it.
		}
	}
	if err := w.record(ctx); err != nil {
		return err
	}
	sendBy := local.Add(w.timing.SendWindow)
	for _, c := range calls {
		if c.op.hasIntent() {
			w.runner.reached(AfterIntent, c.node.Key)
		}
		w.inFlight[c.node.Key] = true
		w.runner.goCall(func() { w.answers <- w.make(ctx, c, sendBy) })
	}
	return nil
}

// intend marks the step as about to be done.
func (w *walk) intend(step *onboarding.Step) {
	delete(w.looked, step.Key)
	w.enter(step, onboarding.StepRunning)
	step.IntentAt = w.clock.now()
	step.Attempts++
}

// make makes one call to Twilio. It runs in a goroutine of its own and touches nothing of the walk.
// A panic in it is an unknown outcome: it must not take the process, and with it everyone else's
// onboardings, down.
func (w *walk) make(ctx context.Context, c call, sendBy time.Time) (a answer) {
	a = answer{call: c, asked: w.clock.atLeast()}
	defer func() {
		if p := recover(); p != nil {
			a.err = &onboarding.RemoteError{Class: onboarding.ClassUnknown, Err: fmt.Errorf("panic: %T", p)}
			w.runner.Logger.ErrorContext(ctx, "a call panicked", "onboarding_id", w.onb.ID, "step", c.node.Key, "panic_type", fmt.Sprintf("%T", p))
		}
	}()
	hub, bound := w.runner.Hub, onboarding.WithSendBy(ctx, sendBy)
	switch c.op {
	case opLook:
		a.outcome, a.err = c.effect.Look(ctx, hub)
	case opFind:
		a.found, a.err = c.effect.Find(ctx, hub)
	case opRemoveSurplus:
		a.removeSurplus(bound, hub)
	case opDo:
		a.outcome, a.err = c.effect.Do(bound, hub)
	case opUpdate:
		a.outcome, a.err = c.effect.Update(bound, hub, c.sid)
		if onboarding.IsNotFound(a.err) {
			a.outcome, a.err = onboarding.Missing{}, nil
		}
	case opRemove:
		a.outcome, a.err = onboarding.Removed{}, c.effect.Remove(bound, hub, c.sid)
	}
	if c.op.hasIntent() {
		w.runner.reached(AfterAnswer, c.node.Key)
	}
	return a
}

// removeSurplus removes what a lookup found beyond the first: two of a kind make a reviewer reject
// both. The step is concluded only after that, so that a crash on the way leaves the lookup, and
// with it the removal, still to be done.
func (a *answer) removeSurplus(ctx context.Context, hub onboarding.TrustHub) {
	a.found = a.call.surplus
	for _, surplus := range a.call.surplus[1:] {
		sid := onboarding.SeenIn(surplus).SID
		switch err := a.call.effect.Remove(ctx, hub, sid); {
		case err == nil:
			a.removed = append(a.removed, sid)
		case onboarding.AsRemote(err).Class == onboarding.ClassPermanent:
			a.kept = append(a.kept, sid)
		default:
			a.err = err
			return
		}
	}
}
