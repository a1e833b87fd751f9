package onboarding

import "time"

// This file turns the answer of a call into the new state of its step: the state machine proper. transitions.go has the table of all ways
// that a step may go.

// intend marks the step as about to have its effect.
func (w *walk) intend(step *Step) {
	now := w.now()
	step.IntentAt = now
	step.Attempts++
	step.WaitsFor, step.NextAttemptAt = "", time.Time{}
	w.enter(step, StepRunning)
}

// take applies the answer of a call to its step.
func (w *walk) take(a answer) {
	delete(w.inFlight, a.key)
	delete(w.surplus, a.key)
	step := w.step(a.key)
	read := a.effect.Find == nil
	if e := asRemote(a.err); a.err != nil && e.Held {
		w.heldBack(step, e, a.lookup || read)
		return
	}
	if read {
		step.Attempts++
	}
	if a.lookup && isNotFound(a.err) {
		a.found, a.err = nil, nil // What it would be on is gone, and so is it.
	}
	switch {
	case a.lookup && a.err != nil:
		w.lookUpLater(step, asRemote(a.err))
	case a.lookup:
		w.lookedUp(step, a)
	case a.err != nil:
		w.failed(step, a, asRemote(a.err), read)
	default:
		w.concluded(step, a.result)
	}
}

// failed sorts the failure of a call by what may be done about it.
func (w *walk) failed(step *Step, a answer, e *RemoteError, read bool) {
	step.Error = e.stepError()
	switch {
	case e.Class == ClassRepeatable, e.Class == ClassUnknown && read:
		w.tryLater(step, e)
	case e.Class == ClassUnknown, e.Class == ClassExists && !read && !a.effect.removes:
		w.unknown(step)
	case a.effect.removes && !w.onb.CanceledAt.IsZero():
		w.keep(step) // Twilio does not let go of it, and a canceled onboarding asks nothing of anybody.
	default:
		w.refusedCall(step, a.effect, e)
	}
}

// refusedCall leaves the step to a person, or until that has happened without which the call may be refused.
func (w *walk) refusedCall(step *Step, effect Effect, e *RemoteError) {
	if effect.replaceable && e.HTTPStatus == 409 && e.BundleSID == "" && !effect.removes {
		step.Error = nil
		if _, part := step.Key.cut(); part == "" {
			w.supersede(step) // The product follows when it is submitted.
		} else {
			w.replace(step)
		}
		return
	}
	if effect.RefusedUntil == "" || e.BundleSID != "" && !effect.removes || e.Class == ClassCredentials {
		w.refused(step, []Requirement{requirementFor(e, effect)})
		return
	}
	step.WaitsFor, step.NextAttemptAt = effect.RefusedUntil, time.Time{}
	w.enter(step, StepWaiting)
}

// heldBack leaves the step as if the call had never been thought of, until it is worth making: it was not made, so it is no attempt, and
// the waits between attempts do not grow while Twilio as a whole is down. A lookup or a read leaves no trace in the ledger at all; an
// intent that was written is taken back.
func (w *walk) heldBack(step *Step, e *RemoteError, noIntent bool) {
	step.NextAttemptAt = w.now().Add(e.RetryAfter)
	if noIntent {
		return
	}
	step.Attempts--
	step.Error = e.stepError()
	w.enter(step, StepWaiting)
}

// concluded applies what Twilio answered, or what a lookup found in its place.
func (w *walk) concluded(step *Step, r Result) {
	now := w.now()
	if r.SID != "" {
		step.SID = r.SID
	}
	if r.RemoteStatus != "" {
		step.RemoteStatus = r.RemoteStatus
	}
	switch {
	case r.Removed:
		w.removed(step)
	case r.Gone:
		w.gone(step)
	case r.Replaced:
		w.replace(step)
	case len(r.Requirements) > 0:
		step.Error = r.Error
		w.refused(step, r.Requirements)
		if r.Again {
			step.NextAttemptAt = w.nextCheck(r.Until)
		}
	case r.InReview:
		w.awaitReview(step, now)
	case r.WaitsFor != "":
		step.Error = nil
		step.WaitsFor, step.NextAttemptAt = r.WaitsFor, time.Time{}
		w.enter(step, StepWaiting)
	default:
		step.Error, step.Requirements = nil, nil
		step.WaitsFor, step.NextAttemptAt = "", time.Time{}
		if r.Again {
			step.NextAttemptAt = w.nextCheck(r.Until)
		}
		if step.State != StepSucceeded { // Or else it was only found to be so still.
			step.FinishedAt = now
		}
		w.enter(step, StepSucceeded)
	}
	w.learn(r)
}

// awaitReview leaves the step waiting until the next look at the bundle, and returns when that is.
func (w *walk) awaitReview(step *Step, now time.Time) time.Time {
	step.Error = nil
	step.NextAttemptAt = now.Add(backoff(step.Attempts+1, w.timing.PollMin, w.timing.PollMax, w.runner.Random()))
	w.enter(step, StepWaiting)
	return step.NextAttemptAt
}

// tryLater leaves the step waiting for its next attempt; a decision that could not be read anew stays as it is. Too many requests hold back
// the whole onboarding: they share the account's limit.
func (w *walk) tryLater(step *Step, e *RemoteError) {
	wait := e.RetryAfter
	if !e.Outage {
		wait = max(wait, backoff(step.Attempts, w.timing.RetryMin, w.timing.RetryMax, w.runner.Random()))
	}
	step.NextAttemptAt = w.now().Add(wait)
	if e.HTTPStatus == 429 && step.NextAttemptAt.After(w.notBefore) {
		w.notBefore = step.NextAttemptAt
	}
	if step.isDecided() {
		w.enter(step, step.State)
		return
	}
	w.enter(step, StepWaiting)
}

// unknown leaves the step running and due to be looked up. IntentAt moves to now: the call may have been under way until this moment, and
// what is settled is counted from here.
func (w *walk) unknown(step *Step) {
	step.IntentAt = w.now()
	step.NextAttemptAt = step.IntentAt
	w.event("step.outcome_unknown", step.Key, "")
	w.enter(step, StepRunning)
}

// leftUnderWay is unknown for a call that an earlier run intended and wrote no more of. It may have been under way until that run ended,
// however long after the intent: nobody knows when, but it was before this claim. What had left by then is waited for from here on.
func (w *walk) leftUnderWay(step *Step) {
	intended := step.IntentAt
	w.unknown(step)
	step.IntentAt = latest(intended, step.IntentAt.Add(-w.timing.SendWindow))
}

// lookUpLater tries the lookup itself again: nothing is known before one gets through.
func (w *walk) lookUpLater(step *Step, e *RemoteError) {
	step.Error = e.stepError()
	now := w.now()
	switch {
	case e.Class == ClassPermanent, e.Class == ClassCredentials:
		// The lookup will not get through until a person has done something; until then the outcome stays unknown.
		step.NextAttemptAt = now.Add(w.timing.RetryMax)
	case e.Outage:
		step.NextAttemptAt = now.Add(e.RetryAfter)
	default:
		// Each wait is about as long as all before it together, so that they double without being counted.
		waited := min(max(now.Sub(step.IntentAt), w.timing.RetryMin), w.timing.RetryMax)
		step.NextAttemptAt = now.Add(max(e.RetryAfter, backoff(1, waited, waited, w.runner.Random())))
	}
	w.enter(step, StepRunning)
}

// lookedUp adopts what the lookup found (invariant 2). One that found nothing is believed only when everything has settled.
func (w *walk) lookedUp(step *Step, a answer) {
	if len(a.found) > 1 && len(a.removed)+len(a.kept) == 0 {
		if a.effect.Remove != nil {
			w.foundSurplus(step, a.found)
			return
		}
		for _, extra := range a.found[1:] {
			a.kept = append(a.kept, extra.SID)
		}
	}
	if len(a.found) > 0 {
		w.event("step.adopted", step.Key, a.found[0].SID)
		for _, sid := range a.removed {
			w.event("step.extra_removed", step.Key, sid)
		}
		for _, sid := range a.kept {
			w.event("step.extra_kept", step.Key, sid)
		}
		w.concluded(step, a.found[0])
		return
	}
	settled := step.IntentAt.Add(w.timing.SendWindow + w.timing.Settle)
	if a.asked.Before(settled) {
		now, left := w.now(), settled.Sub(w.nowAtLeast())
		step.NextAttemptAt = now.Add(max(0, min(left, max(w.timing.Settle/8, now.Sub(step.IntentAt)))))
		return // Between two looks of one lookup there is nothing to write down.
	}
	if step.Error != nil && step.Error.HTTPStatus == 409 {
		e := &RemoteError{Class: ClassPermanent, Code: step.Error.Code, HTTPStatus: 409, Message: step.Error.Message}
		w.refusedCall(step, a.effect, e)
		return
	}
	step.NextAttemptAt = time.Time{}
	w.enter(step, StepPending)
}

// foundSurplus makes the removal of all but the first due. That they were found is written down first: a runner that has lost its place
// learns so from that write, and removes nothing that another may have adopted.
func (w *walk) foundSurplus(step *Step, found []Result) {
	w.surplus[step.Key] = found
	for _, extra := range found[1:] {
		w.event("step.extra_found", step.Key, extra.SID)
	}
	step.NextAttemptAt = w.now()
}

// refused leaves the step to a person.
func (w *walk) refused(step *Step, requirements []Requirement) {
	step.Requirements = requirements
	if step.Error == nil {
		step.Error = &StepError{Message: requirements[0].Message}
	}
	step.NextAttemptAt, step.WaitsFor = time.Time{}, ""
	step.FinishedAt = w.now()
	w.enter(step, StepFailed)
}

// enter puts the step into the state and into the next write, with an event if the state is new.
func (w *walk) enter(step *Step, state State) {
	now := w.now()
	if step.StartedAt.IsZero() {
		step.StartedAt = now
	}
	if state != StepSucceeded && state != StepFailed {
		step.FinishedAt = time.Time{}
	}
	if !mayGo(step.State, state) {
		// Better an onboarding that goes on than one that is stuck: the tests have a logger that fails them.
		w.runner.Logger.Error("a step goes a way that the table of transitions does not have",
			"onboarding_id", w.onb.ID, "step", step.Key, "from", step.State, "to", state)
	}
	changed := step.State != state
	step.State = state
	w.changed[step.Key] = true
	if changed {
		w.change.Events = append(w.change.Events, stepEvent(step, now, w.actor()))
	}
}

func (w *walk) event(kind string, key Key, detail string) {
	w.change.Events = append(w.change.Events, Event{At: w.now(), Kind: kind, Step: key, Actor: w.actor(), Detail: detail})
}

func (w *walk) actor() string { return "replica:" + w.runner.Name }
