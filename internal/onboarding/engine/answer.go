package engine

import (
	"slices"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// This file turns the answer of a call into the new state of its step. The charts in the root
// package have all ways that a step may go.

// The HTTP statuses of answers that mean more than their class says.
const (
	httpConflict = 409
	httpTooMany  = 429
)

// receive applies the answer of a call to its step.
func (w *walk) receive(a answer) {
	key, op := a.call.node.Key, a.call.op
	delete(w.inFlight, key)
	delete(w.surplus, key)
	step, e := w.step(key), onboarding.AsRemote(a.err)
	if a.err != nil && e.NotSent {
		w.notSent(step, e, op)
		return
	}
	if _, absent := a.outcome.(onboarding.Absent); op == opLook && !absent {
		step.Attempts++
	}
	isLookup := op == opFind || op == opRemoveSurplus
	if isLookup && onboarding.IsNotFound(a.err) {
		a.found, a.err = nil, nil // What it would be on is gone, and so is it.
	}
	switch {
	case isLookup && a.err != nil:
		w.lookUpLater(step, e)
	case isLookup:
		w.lookedUp(step, a)
	case a.err != nil:
		w.failed(step, a.call, e)
	default:
		w.concluded(step, a.outcome)
	}
}

// failed sorts the failure of a look or a deed by what may be done about it.
func (w *walk) failed(step *onboarding.Step, c call, e *onboarding.RemoteError) {
	step.Error = e.StepError()
	isLook, isRemoval := c.op == opLook, c.op == opRemove
	switch {
	case e.Class == onboarding.ClassRepeatable, e.Class == onboarding.ClassUnknown && isLook:
		w.tryLater(step, e)
	case e.Class == onboarding.ClassUnknown, e.Class == onboarding.ClassExists && !isLook && !isRemoval:
		w.unknown(step)
	case isRemoval && !w.onb.CanceledAt.IsZero():
		w.keep(step) // Twilio does not let go of it, and a canceled onboarding asks nothing of anybody.
	default:
		w.refusedCall(step, c.effect, e, isRemoval)
	}
}

// refusedCall leaves the step to a person, or until that has happened without which the call may be
// refused.
func (w *walk) refusedCall(step *onboarding.Step, effect onboarding.Effect, e *onboarding.RemoteError, isRemoval bool) {
	namesHolder := e.BundleSID != "" && !isRemoval
	if e.HTTPStatus == httpConflict && e.BundleSID == "" && !isRemoval {
		switch {
		case effect.InTheWay.Object:
			step.Error = nil
			w.supersede(step)
			return
		case effect.InTheWay.Bundles != nil:
			step.Error = nil
			w.replace(step, effect.InTheWay.Bundles)
			return
		}
	}
	isForGood := namesHolder || e.Class == onboarding.ClassCredentials
	switch {
	case !isForGood && w.hasSucceededSince(effect.RefusedUntil, step.IntentAt):
		w.enter(step, onboarding.StepWaiting)
		step.NextAttemptAt = w.clock.now()
	case !isForGood && effect.Locked:
		w.enter(step, onboarding.StepWaiting)
		step.WaitsFor = effect.RefusedUntil
	default:
		w.ask(step, []onboarding.Requirement{
			w.runner.Plan.Explain(onboarding.Refusal{Error: e, Role: step.Role, Removal: isRemoval}),
		})
	}
}

// hasSucceededSince tells whether the step has succeeded after a call was intended, or so shortly
// before that the call may have been refused before it was known.
func (w *walk) hasSucceededSince(key onboarding.Key, intended time.Time) bool {
	step := w.onb.Step(key)
	return step != nil && step.State == onboarding.StepSucceeded && step.FinishedAt.Add(w.timing.InlineWait).After(intended)
}

// notSent leaves the step as if the call had never been thought of, until it is worth making: it
// was not made, so it is no attempt, and the waits between attempts do not grow while Twilio as a
// whole is down. A lookup or a look leaves no trace in the ledger at all; an intent that was
// written is taken back.
func (w *walk) notSent(step *onboarding.Step, e *onboarding.RemoteError, op operation) {
	again := w.clock.now().Add(e.RetryAfter)
	if op.hasIntent() {
		step.Attempts--
		step.Error = e.StepError()
		w.enter(step, onboarding.StepWaiting)
	}
	step.NextAttemptAt = again
}

// concluded applies what Twilio answered, or what a lookup found in its place.
func (w *walk) concluded(step *onboarding.Step, outcome onboarding.Outcome) {
	seen := onboarding.SeenIn(outcome)
	if seen.SID != "" {
		step.SID = seen.SID
	}
	if seen.Status != "" {
		step.RemoteStatus = seen.Status
	}
	switch r := outcome.(type) {
	case onboarding.Absent:
		w.looked[step.Key] = true
	case onboarding.Removed:
		w.removed(step)
	case onboarding.Missing:
		w.missing(step)
	case onboarding.Superseded:
		w.replace(step, r.Bundles)
	case onboarding.Wanting:
		step.Error = nil
		w.ask(step, r.Requirements)
		if !r.Final {
			w.checkAgain(step, r.Until)
		}
		w.learn(r.Learned)
	case onboarding.Reviewing:
		w.awaitReview(step)
	case onboarding.Blocked:
		step.Error = nil
		w.enter(step, onboarding.StepWaiting)
		step.WaitsFor = r.Until
	case onboarding.Done:
		w.enter(step, onboarding.StepSucceeded)
		w.checkAgain(step, r.Until)
		w.learn(r.Learned)
	}
}

// checkAgain makes a review or a check due again after a check interval, or sooner when what was
// found ends.
func (w *walk) checkAgain(step *onboarding.Step, until time.Time) {
	if step.Kind == onboarding.KindReview || step.Kind == onboarding.KindCheck {
		step.NextAttemptAt = w.nextCheck(until)
	}
}

// nextCheck is when something that is as it should be is looked at again, at the latest when it is
// so no more unless that is zero; zero if never.
func (w *walk) nextCheck(until time.Time) time.Time {
	if w.timing.CheckInterval < 0 {
		return time.Time{}
	}
	now := w.clock.now()
	next := now.Add(onboarding.Backoff(1, w.timing.CheckInterval, w.timing.CheckInterval, w.runner.Random()))
	if !until.IsZero() && until.Before(next) {
		return latest(until, now.Add(w.timing.RetryMin)) // Clocks differ: it may not have ended for Twilio's.
	}
	return next
}

// awaitReview leaves the step waiting until the next look at the bundle.
func (w *walk) awaitReview(step *onboarding.Step) {
	step.Error = nil
	w.enter(step, onboarding.StepWaiting)
	step.NextAttemptAt = w.clock.now().Add(onboarding.Backoff(step.Attempts+1, w.timing.PollMin, w.timing.PollMax, w.runner.Random()))
}

// tryLater leaves the step waiting for its next attempt; a decision that could not be read anew
// stays as it is. Too many requests hold back the whole onboarding: they share the account's limit.
func (w *walk) tryLater(step *onboarding.Step, e *onboarding.RemoteError) {
	wait := e.RetryAfter
	if !e.Outage {
		wait = max(wait, onboarding.Backoff(step.Attempts, w.timing.RetryMin, w.timing.RetryMax, w.runner.Random()))
	}
	again := w.clock.now().Add(wait)
	if e.HTTPStatus == httpTooMany {
		w.notBefore = latest(w.notBefore, again)
	}
	if step.Kind.IsRead() && step.IsDecided() {
		w.entry.Write(step)
	} else {
		w.enter(step, onboarding.StepWaiting)
	}
	step.NextAttemptAt = again
}

// unknown leaves the step running and due to be looked up. IntentAt moves to now: the call may have
// been under way until this moment, and what is settled is counted from here.
func (w *walk) unknown(step *onboarding.Step) {
	w.tell("step.outcome_unknown", step, "")
	w.enter(step, onboarding.StepRunning)
	step.IntentAt = w.clock.now()
	step.NextAttemptAt = step.IntentAt
}

// leftUnderWay is unknown for a call that an earlier run intended and wrote no more of. It may have
// been under way until that run ended, however long after the intent: nobody knows when, but it was
// before this claim. What had left by then is waited for from here on.
func (w *walk) leftUnderWay(step *onboarding.Step) {
	intended := step.IntentAt
	w.unknown(step)
	step.IntentAt = latest(intended, step.IntentAt.Add(-w.timing.SendWindow))
}

// lookUpLater tries the lookup itself again: nothing is known before one gets through.
func (w *walk) lookUpLater(step *onboarding.Step, e *onboarding.RemoteError) {
	step.Error = e.StepError()
	w.enter(step, onboarding.StepRunning)
	now := w.clock.now()
	switch {
	case e.Class == onboarding.ClassPermanent, e.Class == onboarding.ClassCredentials:
		// The lookup will not get through until a person has done something; until then the outcome
		// stays unknown.
		step.NextAttemptAt = now.Add(w.timing.RetryMax)
	case e.Outage:
		step.NextAttemptAt = now.Add(e.RetryAfter)
	default:
		// Each wait is about as long as all before it together, so that they double without being
		// counted.
		waited := min(max(now.Sub(step.IntentAt), w.timing.RetryMin), w.timing.RetryMax)
		step.NextAttemptAt = now.Add(max(e.RetryAfter, onboarding.Backoff(1, waited, waited, w.runner.Random())))
	}
}

// settledAt is when nothing more can arrive of what the step has intended, and all lists show it.
func (w *walk) settledAt(step *onboarding.Step) time.Time {
	return step.IntentAt.Add(w.timing.SendWindow + w.timing.Settle)
}

// lookedUp adopts what the lookup found (invariant 2). One that found nothing is believed only when
// everything has settled.
func (w *walk) lookedUp(step *onboarding.Step, a answer) {
	switch {
	case len(a.found) == 0 && a.asked.Before(w.settledAt(step)):
		// Between two looks of one lookup there is nothing to write down.
		now, left := w.clock.now(), w.settledAt(step).Sub(w.clock.atLeast())
		step.NextAttemptAt = now.Add(max(0, min(left, max(w.timing.Settle/8, now.Sub(step.IntentAt)))))
		return
	case len(a.found) == 0:
		w.notThere(step, a.call.effect)
		return
	case len(a.found) > 1 && a.call.op == opFind && a.call.effect.Remove != nil:
		w.foundSurplus(step, a.found)
		return
	case len(a.found) > 1 && a.call.op == opFind:
		for _, surplus := range a.found[1:] {
			a.kept = append(a.kept, onboarding.SeenIn(surplus).SID)
		}
	}
	w.tell("step.adopted", step, onboarding.SeenIn(a.found[0]).SID)
	for _, sid := range a.removed {
		w.tell("step.surplus_removed", step, sid)
	}
	for _, sid := range a.kept {
		w.tell("step.surplus_kept", step, sid)
	}
	w.concluded(step, a.found[0])
}

// foundSurplus makes the removal of all but the first due. That they were found is written down
// first: a runner that has lost its place learns so from that write, and removes nothing that
// another may have adopted.
func (w *walk) foundSurplus(step *onboarding.Step, found []onboarding.Outcome) {
	w.surplus[step.Key] = found
	for _, surplus := range found[1:] {
		w.tell("step.surplus_found", step, onboarding.SeenIn(surplus).SID)
	}
	step.NextAttemptAt = w.clock.now()
}

// notThere makes the deed due again, of which nothing is to be found after all has settled. Where
// Twilio said that the like of it was there before, that is for a person.
func (w *walk) notThere(step *onboarding.Step, effect onboarding.Effect) {
	if step.Error != nil && step.Error.HTTPStatus == httpConflict {
		e := &onboarding.RemoteError{
			Class: onboarding.ClassPermanent, Code: step.Error.Code, HTTPStatus: httpConflict, Message: step.Error.Message,
		}
		w.refusedCall(step, effect, e, false)
		return
	}
	w.enter(step, onboarding.StepPending)
}

// ask leaves the step to a person. What was asked for before keeps the time at which it was found.
func (w *walk) ask(step *onboarding.Step, requirements []onboarding.Requirement) {
	if step.Error == nil {
		step.Error = &onboarding.StepError{Message: requirements[0].Message}
	}
	now, before := w.clock.now(), step.Requirements
	asked := slices.Clone(requirements)
	for i := range asked {
		asked[i].At = now
		for _, b := range before {
			if b.IsSame(asked[i]) {
				asked[i].At = b.At
			}
		}
	}
	w.enter(step, onboarding.StepFailed)
	step.Requirements = asked
}
