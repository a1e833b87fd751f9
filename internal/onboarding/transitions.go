package onboarding

import "slices"

// Transition is one way for a step to go from a state to a state, or to stay in it and be written anew.
type Transition struct {
	From, To State
	// When says what makes a step go that way.
	When string
}

// transitions are all the ways there are. take.go and ending.go go them, and what people decide: a resume, an amendment. Nothing else changes
// a state. docs/state-machine.md is made of this table.
var transitions = []Transition{
	{StepPending, StepRunning, "The steps that it needs have succeeded: its intent is written, then the call is made."},
	{StepPending, StepSucceeded, "A read found what was hoped for. A read needs no intent and leaves no trace before its answer."},
	{StepPending, StepWaiting, "A read failed and is made again, or it has nothing to tell before a first wait."},
	{StepPending, StepFailed, "A read found something for a person to mend, or was refused for good."},
	{StepPending, StepCanceled, "It is not wanted any more, and has made nothing."},

	{StepRunning, StepSucceeded, "The answer came, or a lookup found what the call had made, which is adopted."},
	{StepRunning, StepRunning, "No answer came: the outcome is unknown and a lookup is due. Or the lookup itself did not get through."},
	{StepRunning, StepPending, "A lookup found nothing, and it was begun after everything had settled: the call may be made again. Or what it was to update is there no more."},
	{StepRunning, StepWaiting, "Refused for now, or held back: nothing was done, and the call may be made at its time. Or the result waits for another step."},
	{StepRunning, StepFailed, "Refused for good, or what it made was found wanting: a person must act."},
	{StepRunning, StepCanceled, "What it had made is deleted, or stays because Twilio does not let go of it."},

	{StepWaiting, StepRunning, "Its time has come, or the step that it waited for has succeeded: as from pending."},
	{StepWaiting, StepSucceeded, "A read found what was hoped for: the reviewers have approved."},
	{StepWaiting, StepWaiting, "Read again and still in review, or a read failed again, or a resume makes it due now."},
	{StepWaiting, StepFailed, "A read found something for a person to mend: the reviewers have rejected."},
	{StepWaiting, StepPending, "A person has corrected what it waited for, or its bundle is replaced."},
	{StepWaiting, StepCanceled, "It is not wanted any more, and has made nothing."},

	{StepSucceeded, StepSucceeded, "Read again, and still so."},
	{StepSucceeded, StepWaiting, "Read again: Twilio reviews anew what it had approved."},
	{StepSucceeded, StepFailed, "Read again: rejected, or the approval has ended. Or what it had made is lost, and that is left to a person."},
	{StepSucceeded, StepPending, "What it had made is to be corrected, or taken back, or is lost and made again; or its bundle is replaced."},
	{StepSucceeded, StepCanceled, "It is not wanted any more, and leaves nothing that can be deleted."},

	{StepFailed, StepPending, "A person has acted and resumes, or corrects the request."},
	{StepFailed, StepFailed, "Read again, and still so."},
	{StepFailed, StepSucceeded, "Read again: Twilio has approved after all."},
	{StepFailed, StepWaiting, "Read again: somebody has submitted it anew."},
	{StepFailed, StepCanceled, "It is not wanted any more, and has made nothing."},

	{StepCanceled, StepPending, "It is wanted again; or a person has Twilio asked once more to let go."},
}

// Transitions returns every way that a step may go.
func Transitions() []Transition { return slices.Clone(transitions) }

// mayGo tells whether the table has that way.
func mayGo(from, to State) bool {
	return slices.ContainsFunc(transitions, func(t Transition) bool { return t.From == from && t.To == to })
}
