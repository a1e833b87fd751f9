package onboarding

import "time"

// Outcome is what became of a call: exactly one of [Done], [Wanting], [Reviewing], [Blocked],
// [Absent], [Removed], [Missing] and [Superseded].
type Outcome interface{ outcome() }

// Seen is what an answer says of an object; an empty field leaves what the step has recorded.
type Seen struct {
	SID string
	// Status is Twilio's word for the object: a bundle's status, an evaluation's result.
	Status string
}

// Learned is what an answer says about more than its own step.
type Learned struct {
	// Numbers, unless nil, are the onboarding's phone numbers from now on.
	Numbers []PhoneNumber
	// SubaccountSID, unless "", is the account that was made for the onboarding.
	SubaccountSID string
	// Lost are steps whose objects are at Twilio no more.
	Lost []Lost
	// Replan says that the plan depends on what was seen, and is laid out anew.
	Replan bool
}

// Lost is a step whose object is at Twilio no more: it is made anew, or left to a person where
// Requirement says what to do.
type Lost struct {
	Key         Key
	Requirement *Requirement
}

// Done says that the effect is there, or that a read found what was hoped for.
type Done struct {
	Seen
	Learned
	// Until, unless zero, is when what was found ends: it is read again then.
	Until time.Time
}

// Wanting says that the call went through, and that a person must act on what it found.
type Wanting struct {
	Seen
	Learned
	// Requirements are one or more.
	Requirements []Requirement
	// Until is as in [Done].
	Until time.Time
	// Final says that nothing but a person's act changes it: a review is not read again by itself.
	Final bool
}

// Reviewing says that the reviewers have not decided.
type Reviewing struct{ Seen }

// Blocked says that nothing can come of it before another step has succeeded.
type Blocked struct {
	Seen
	Until Key
}

// Absent says that a look found nothing that settles the step.
type Absent struct{}

// Removed says that what the step had made is gone, as was wanted.
type Removed struct{}

// Missing says that what was to be updated is gone, and nobody wanted that. It is made anew.
type Missing struct{}

// Superseded says that these bundles cannot be used any more: others take their places.
type Superseded struct {
	Seen
	Bundles []Key
}

func (Done) outcome()       {}
func (Wanting) outcome()    {}
func (Reviewing) outcome()  {}
func (Blocked) outcome()    {}
func (Absent) outcome()     {}
func (Removed) outcome()    {}
func (Missing) outcome()    {}
func (Superseded) outcome() {}

// SeenIn returns what the outcome says of the object; nothing if it says nothing.
func SeenIn(o Outcome) Seen {
	switch o := o.(type) {
	case Done:
		return o.Seen
	case Wanting:
		return o.Seen
	case Reviewing:
		return o.Seen
	case Blocked:
		return o.Seen
	case Superseded:
		return o.Seen
	}
	return Seen{}
}

// AskedIn returns what the outcome asks of a person; nothing if it asks nothing.
func AskedIn(o Outcome) []Requirement {
	if w, ok := o.(Wanting); ok {
		return w.Requirements
	}
	return nil
}
