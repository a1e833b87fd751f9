package onboarding

import "time"

// Entry collects what the next write to the ledger says of one onboarding. All changes of a step's
// state go through [Entry.Enter], so that each has its event and none is forgotten in the write.
type Entry struct {
	// Actor is who acts, for the history.
	Actor string
	// Change holds what is not about single steps, and the events. Its Steps, Status and
	// Attestation are filled in by Finish.
	Change Change
	// Uncharted is set when a step went a way that the charts do not have: a fault in the program.
	Uncharted string

	onb   *Onboarding
	steps map[Key]bool
}

// NewEntry returns an empty entry for the onboarding.
func NewEntry(o *Onboarding, actor string) *Entry {
	return &Entry{Actor: actor, onb: o, steps: make(map[Key]bool), Change: Change{ID: o.ID, Epoch: o.Epoch}}
}

// Enter puts the step into a state and into the entry, with an event if the state is new.
func (e *Entry) Enter(step *Step, to State, now time.Time) {
	from := step.State
	if !step.Enter(to, now) {
		e.Uncharted = string(step.Key) + ": " + string(from) + " to " + string(to)
	}
	e.steps[step.Key] = true
	if from != to {
		e.Change.Events = append(e.Change.Events, StepEvent(step, now, e.Actor))
	}
}

// Write puts the step into the entry as it will be at Finish.
func (e *Entry) Write(step *Step) { e.steps[step.Key] = true }

// WantAgain puts into the entry those of the added steps that were canceled before. A step about
// which nothing was ever done follows from the plan and is not written. over are the steps that
// were canceled before the plan was laid out.
func (e *Entry) WantAgain(added []Step, over map[Key]bool, now time.Time) {
	for i := range added {
		if over[added[i].Key] {
			e.Write(&added[i])
			e.Change.Events = append(e.Change.Events, StepEvent(&added[i], now, e.Actor))
		}
	}
}

// Tell adds an event.
func (e *Entry) Tell(now time.Time, kind string, step Key, detail string) {
	event := Event{At: now, Kind: kind, Step: step, Actor: e.Actor, Detail: detail}
	if s := e.onb.Step(step); s != nil {
		event.StepKind, event.Bundle = s.Kind, s.Bundle
	}
	e.Change.Events = append(e.Change.Events, event)
}

// IsEmpty tells whether there is nothing to write.
func (e *Entry) IsEmpty() bool { return len(e.steps) == 0 && len(e.Change.Events) == 0 }

// HasSteps tells whether a step is in the entry.
func (e *Entry) HasSteps() bool { return len(e.steps) > 0 }

// Finish returns the change, with the steps as they are now and the status that follows from them.
// The steps are arranged.
func (e *Entry) Finish() Change {
	for i := range e.onb.Steps {
		if e.steps[e.onb.Steps[i].Key] {
			e.Change.Steps = append(e.Change.Steps, e.onb.Steps[i])
		}
	}
	clear(e.steps)
	e.Change.Status, e.Change.Attestation = e.onb.Status(), e.onb.Attestation()
	return e.Change
}
