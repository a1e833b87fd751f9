package onboarding

import (
	"slices"
	"time"
)

// This file has the ways of a step that lead away from what was reached: it is taken back, lost at Twilio, or replaced.

// learn takes over what a result says about more than its own step. No pointer to a step holds beyond it.
func (w *walk) learn(r Result) {
	if r.SubaccountSID != "" && w.onb.SubaccountSID == "" {
		w.onb.SubaccountSID, w.change.SubaccountSID = r.SubaccountSID, r.SubaccountSID
	}
	for _, lost := range r.Lost {
		w.lost(w.step(lost.Key), lost.Requirement)
	}
	if r.Numbers != nil && !slices.Equal(r.Numbers, w.onb.Numbers) {
		w.onb.Numbers, w.change.Numbers = r.Numbers, r.Numbers
		w.arrange()
	}
	if r.TakenOver {
		w.arrange()
	}
}

// again makes a step pending that had come to something. What it made stays recorded.
func (w *walk) again(step *Step) {
	step.Error, step.Requirements = nil, nil
	step.WaitsFor, step.NextAttemptAt = "", time.Time{}
	w.enter(step, StepPending)
}

// lost makes what the step had made due to be made anew, or leaves that to a person.
func (w *walk) lost(step *Step, requirement *Requirement) {
	if step.State != StepSucceeded {
		return // It has moved on since it was looked for.
	}
	w.event("step.lost", step.Key, step.SID)
	step.SID = ""
	if requirement == nil {
		w.again(step)
		return
	}
	step.Error = nil
	w.refused(step, []Requirement{*requirement})
}

// gone makes anew what was to be updated and is not at Twilio any more. What was connected with it has gone with it, or is to name the new one.
func (w *walk) gone(step *Step) {
	w.event("step.lost", step.Key, step.SID)
	step.SID = ""
	w.again(step)
	for _, n := range w.nodes {
		on := w.step(n.Key)
		if n.Aim != AimDone || on.State != StepSucceeded || !slices.Contains(n.Needs, step.Key) {
			continue
		}
		switch effect := n.Effect(w.onb); {
		case effect.Update != nil:
			w.again(on)
		case effect.Remove != nil:
			w.lost(on, nil)
		}
	}
}

// removed ends a step whose object has been deleted.
func (w *walk) removed(step *Step) {
	w.event("step.removed", step.Key, step.SID)
	step.SID, step.RemoteStatus, step.Error = "", "", nil
	w.endCanceled(step)
}

// cancel ends a step without a call: it has made nothing, or what it made is of no account, or not ours to delete.
func (w *walk) cancel(step *Step, effect Effect) {
	switch {
	case w.aims[step.Key] != AimGone:
	case effect.Stays && step.SID != "":
		w.keep(step)
		return
	default:
		step.SID, step.RemoteStatus, step.Error = "", "", nil
	}
	w.endCanceled(step)
}

// keep ends a step whose object remains at Twilio: the SID stays in the ledger to tell of it, and the error to say why.
func (w *walk) keep(step *Step) {
	w.event("step.kept", step.Key, step.SID)
	w.endCanceled(step)
}

func (w *walk) endCanceled(step *Step) {
	step.Requirements = nil
	step.WaitsFor, step.NextAttemptAt = "", time.Time{}
	step.FinishedAt = w.now()
	w.enter(step, StepCanceled)
}

// replace puts a new bundle in the place of the one that the step is about; with a profile go the products that stand on it. The old ones
// are recorded, and every step of the bundles is pending again. While one of them has a call or a read
// under way, its answer is waited for first: it is not about the new one.
func (w *walk) replace(step *Step) {
	bundle, _ := step.Key.cut()
	bundles := []Key{bundle}
	if bundle == profileKey {
		bundles = slices.DeleteFunc(bundleKeys(w.onb), func(k Key) bool { return w.onb.SID(k) == "" })
	}
	of := func(k Key) bool {
		return slices.ContainsFunc(bundles, func(b Key) bool { return k == b || k.under(b) && !k.under(b.Sub(partReplaced)) })
	}
	if slices.ContainsFunc(w.onb.Steps, func(s Step) bool {
		return of(s.Key) && s.Key != step.Key && (s.State == StepRunning || w.inFlight[s.Key])
	}) {
		step.NextAttemptAt = w.now().Add(w.timing.RetryMin)
		w.enter(step, StepWaiting)
		return
	}
	var replaced []Step
	for _, b := range bundles {
		old := w.step(b)
		w.event("bundle.replaced", b, old.SID)
		replaced = append(replaced, replacedStep(old, w.onb.Bundle(b).Status, w.now()))
	}
	for i := range w.onb.Steps {
		if s := &w.onb.Steps[i]; of(s.Key) && s.State != StepCanceled && s.State != StepPending {
			*s = Step{Key: s.Key, State: s.State}
			w.enter(s, StepPending)
		}
	}
	for _, s := range replaced {
		w.changed[s.Key] = true
	}
	w.onb.Steps = append(w.onb.Steps, replaced...)
	w.arrange()
}

// supersede has another object made in the place of the one that the step has made, which is recorded.
func (w *walk) supersede(step *Step) {
	old := replacedStep(step, "", w.now())
	w.event("object.replaced", step.Key, old.SID)
	step.SID = ""
	w.again(step)
	w.onb.Steps = append(w.onb.Steps, old)
	w.changed[old.Key] = true
	w.arrange()
}

// nextCheck is when something that is as it should be is looked at again, at the latest when it is so no more unless that is zero; zero if never.
func (w *walk) nextCheck(until time.Time) time.Time {
	if w.timing.CheckInterval < 0 {
		return time.Time{}
	}
	now := w.now()
	next := now.Add(backoff(1, w.timing.CheckInterval, w.timing.CheckInterval, w.runner.Random()))
	if !until.IsZero() && until.Before(next) {
		return latest(until, now.Add(w.timing.RetryMin)) // Clocks differ: it may not have ended for Twilio's.
	}
	return next
}
