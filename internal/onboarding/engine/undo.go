package engine

import (
	"slices"

	"github.com/attestd/attestd/internal/onboarding"
)

// This file has the ways of a step that lead away from what was reached: its object is removed,
// lost, or replaced.

// learn applies what an answer says about more than its own step. No pointer to a step holds beyond
// it.
func (w *walk) learn(l onboarding.Learned) {
	if l.SubaccountSID != "" && w.onb.SubaccountSID == "" {
		w.onb.SubaccountSID, w.entry.Change.SubaccountSID = l.SubaccountSID, l.SubaccountSID
	}
	for _, lost := range l.Lost {
		w.lost(w.step(lost.Key), lost.Requirement)
	}
	replan := l.Replan
	if l.Numbers != nil && !slices.Equal(l.Numbers, w.onb.Numbers) {
		w.onb.Numbers, w.entry.Change.Numbers = l.Numbers, l.Numbers
		replan = true
	}
	if replan {
		w.arrange()
	}
}

// begin makes a step pending anew. What it made stays recorded.
func (w *walk) begin(step *onboarding.Step) {
	step.Error = nil
	w.enter(step, onboarding.StepPending)
}

// lost makes what the step had made due to be made anew, or leaves that to a person.
func (w *walk) lost(step *onboarding.Step, requirement *onboarding.Requirement) {
	if step.State != onboarding.StepSucceeded {
		return // It has moved on since it was looked for.
	}
	w.tell("step.lost", step, step.SID)
	step.SID, step.Error = "", nil
	if requirement == nil {
		w.begin(step)
		return
	}
	w.ask(step, []onboarding.Requirement{*requirement})
}

// missing makes anew what was to be updated and is not at Twilio any more. What was connected with
// it has gone with it, or is to name the new one.
func (w *walk) missing(step *onboarding.Step) {
	w.tell("step.lost", step, step.SID)
	step.SID = ""
	w.begin(step)
	for i := range w.graph.nodes {
		n := &w.graph.nodes[i]
		on := w.step(n.Key)
		if n.Aim != onboarding.AimDone || on.State != onboarding.StepSucceeded || !slices.Contains(n.Needs, step.Key) {
			continue
		}
		switch effect := n.Effect(w.onb); {
		case effect.Update != nil:
			w.begin(on)
		case effect.Remove != nil:
			w.lost(on, nil)
		}
	}
}

// removed ends a step whose object has been deleted.
func (w *walk) removed(step *onboarding.Step) {
	w.tell("step.removed", step, step.SID)
	step.SID, step.RemoteStatus, step.Error = "", "", nil
	w.enter(step, onboarding.StepCanceled)
}

// end ends a step without a call: it has made nothing, or what it made is of no account.
func (w *walk) end(step *onboarding.Step) {
	if w.graph.aims[step.Key] == onboarding.AimGone {
		step.SID, step.RemoteStatus, step.Error = "", "", nil
	}
	w.enter(step, onboarding.StepCanceled)
}

// keep ends a step whose object remains at Twilio: the SID stays in the ledger to tell of it, and
// the error to say why.
func (w *walk) keep(step *onboarding.Step) {
	w.tell("step.kept", step, step.SID)
	w.enter(step, onboarding.StepCanceled)
}

// replace puts new bundles in the places of these. The old ones are recorded, and every step of
// theirs is pending anew. While one of them has a call or a look under way, its answer is waited
// for first: it is not about the new one.
func (w *walk) replace(step *onboarding.Step, bundles []onboarding.Key) {
	isOn := func(s *onboarding.Step) bool { // What goes onto a bundle stays: it goes onto the new one.
		return s.Kind != onboarding.KindObject && slices.Contains(bundles, s.Bundle)
	}
	for i := range w.onb.Steps {
		s := &w.onb.Steps[i]
		if isOn(s) && s.Key != step.Key && (s.State == onboarding.StepRunning || w.inFlight[s.Key]) {
			w.enter(step, onboarding.StepWaiting)
			step.NextAttemptAt = w.clock.now().Add(w.timing.RetryMin)
			return
		}
	}
	var replaced []onboarding.Step
	for _, b := range bundles {
		old := w.step(b)
		w.tell("bundle.replaced", old, old.SID)
		replaced = append(replaced, w.recordOf(old, w.onb.Bundle(b).Status))
	}
	for i := range w.onb.Steps {
		s := &w.onb.Steps[i]
		if isOn(s) && s.State != onboarding.StepCanceled && s.State != onboarding.StepPending {
			*s = onboarding.Step{Key: s.Key, Role: s.Role, State: s.State}
			w.enter(s, onboarding.StepPending)
		}
	}
	w.addRecords(replaced...)
}

// supersede has another object made in the place of the one that the step has made.
func (w *walk) supersede(step *onboarding.Step) {
	old := w.recordOf(step, "")
	w.tell("object.replaced", step, old.SID)
	step.SID = ""
	w.begin(step)
	w.addRecords(old)
}

// recordOf is a step that tells of what the step has made, when another is about to take its place.
func (w *walk) recordOf(step *onboarding.Step, status string) onboarding.Step {
	return onboarding.ReplacedStep(step, status, w.clock.now())
}

func (w *walk) addRecords(replaced ...onboarding.Step) {
	for i := range replaced {
		w.entry.Write(&replaced[i])
	}
	w.onb.Steps = append(w.onb.Steps, replaced...)
	w.arrange()
}
