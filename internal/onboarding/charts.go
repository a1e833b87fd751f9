package onboarding

import "slices"

// Transition is a way for a step to go from a state to another. To stay in a state, and be written
// anew, is no transition: it is always allowed.
type Transition struct {
	// From are the states from which the way leads.
	From []State
	To   State
	// Verb is what happens, in a word or two.
	Verb string
	// When says what makes a step go that way.
	When string
}

// readChart has the ways of a step that only reads. It writes no intent, so it never runs.
var readChart = []Transition{
	{[]State{StepPending, StepWaiting, StepFailed}, StepSucceeded, "found",
		"The read found what was hoped for: a number is there, the reviewers have approved."},
	{[]State{StepPending, StepWaiting, StepSucceeded}, StepFailed, "found wanting",
		"The read found something for a person to do, or was refused for good."},
	{[]State{StepPending, StepSucceeded, StepFailed}, StepWaiting, "look later",
		"There is nothing to tell yet, a bundle is in review again, or the read did not get through."},
	{[]State{StepWaiting, StepSucceeded, StepFailed, StepCanceled}, StepPending, "begin anew",
		"A person resumes or amends the request, the bundle is replaced, or the step is wanted again."},
	{[]State{StepPending, StepWaiting, StepSucceeded, StepFailed}, StepCanceled, "give up",
		"The step is not wanted any more."},
}

// deedChart has the ways of a step that may leave something behind.
var deedChart = []Transition{
	{[]State{StepPending, StepWaiting, StepSucceeded}, StepRunning, "intend",
		"The intent is written; then the call is made. From succeeded: to remove what was made."},
	{[]State{StepRunning}, StepSucceeded, "answered",
		"The answer came, or a lookup found what the call had made, which is adopted."},
	{[]State{StepRunning}, StepFailed, "refused",
		"Twilio refused for good, or what was made was found wanting: a person must act."},
	{[]State{StepRunning}, StepWaiting, "put off",
		"Nothing was done: refused for now, or not sent. Or the answer waits for another step."},
	{[]State{StepRunning}, StepPending, "not there",
		"A lookup found nothing, after all had settled. Or what was to be updated is gone, or the answer of an evaluation does not count any more."},
	{[]State{StepPending, StepWaiting, StepFailed}, StepSucceeded, "found",
		"A look before the intent, or a comparison with Twilio, found the object there."},
	{[]State{StepPending, StepWaiting, StepSucceeded}, StepFailed, "found wanting",
		"A look before the intent found something that cannot serve. From succeeded: the object is lost, and that is left to a person."},
	{[]State{StepPending}, StepWaiting, "look later",
		"A look before the intent did not get through, or what is to be removed cannot be yet."},
	{[]State{StepWaiting, StepSucceeded, StepFailed, StepCanceled}, StepPending, "begin anew",
		"A person resumes or amends the request, the object is lost or replaced, or the step is wanted again."},
	{[]State{StepPending, StepRunning, StepWaiting, StepSucceeded, StepFailed}, StepCanceled, "give up",
		"The step is not wanted any more: what it made is removed, or stays because Twilio does not let go of it."},
}

// ReadChart returns the ways of the steps that only read, see [Kind.IsRead].
func ReadChart() []Transition { return slices.Clone(readChart) }

// DeedChart returns the ways of all other steps.
func DeedChart() []Transition { return slices.Clone(deedChart) }

// mayGo tells whether the chart of that kind has the way. A step without a kind is one that the
// plan does not have: it goes the ways of a deed.
func mayGo(k Kind, from, to State) bool {
	chart := deedChart
	if k.IsRead() {
		chart = readChart
	}
	return from == to || slices.ContainsFunc(chart, func(t Transition) bool {
		return t.To == to && slices.Contains(t.From, from)
	})
}
