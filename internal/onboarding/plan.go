package onboarding

import (
	"context"
	"time"
)

// Plan says which steps an onboarding takes: a graph, as data. It depends on the request and, once they are resolved, on the numbers.
// The [Runner] walks any plan; another Twilio product is another value of this type.
type Plan func(o *Onboarding) []Node

// Node is a step of a plan.
type Node struct {
	Key Key
	// Needs are the steps that must have succeeded before, or, of those that are to be gone, must be so.
	Needs []Key
	// Aim is what the step is to come to.
	Aim Aim
	// Effect says how to do the step, with what the steps that it needs have recorded. It is called when they have all succeeded, and
	// copies what it needs from the onboarding.
	Effect func(o *Onboarding) Effect
}

// Aim is what a step is to come to.
type Aim int

// The aims.
const (
	// AimDone: the step's effect is there.
	AimDone Aim = iota
	// AimGone: what the step made is removed. An unknown outcome is looked up first, so that nothing is left behind.
	AimGone
	// AimSettled: what the step has made is known, and it makes nothing more.
	AimSettled
)

// Effect is one thing done or read at Twilio.
type Effect struct {
	// Do makes the call. An error that is no *RemoteError counts as an unknown outcome.
	Do func(ctx context.Context, hub TrustHub) (Result, error)
	// Find looks for what Do may have made, oldest first. Nil means that Do only reads and may be repeated at will: then no intent is
	// written before it.
	Find func(ctx context.Context, hub TrustHub) ([]Result, error)
	// Update brings what the step made before into line with the request, in place; the step is pending then and has its SID. It may be
	// repeated at will. Nil where there is nothing to update: then Do is made anew.
	Update func(ctx context.Context, hub TrustHub, sid string) (Result, error)
	// Remove deletes one of several that Find returned, or the one that the step made; one that is not there (any more) is no error. Nil
	// where Twilio allows no removal or an extra one does no harm.
	Remove func(ctx context.Context, hub TrustHub, sid string) error
	// Stays says of what cannot be removed that it remains at Twilio and is to be told of: it was there before, or is not ours to delete.
	Stays bool
	// RefusedUntil, unless "", is a step without whose success Do or Remove may be refused: then they are made again once it has succeeded.
	RefusedUntil Key
	// Pointer is the part of the request that a refusal is about, as a JSON pointer.
	Pointer string
	// Source is who a refusal comes from; SourceTwilio if empty.
	Source Source
	// ReadLater says of a read that it can have nothing to tell yet: it is first made after the shortest poll interval, or when woken.
	ReadLater bool
	// Check says of a read that it has something to tell only after a check interval.
	Check bool

	// replaceable says that the step is about a rejected product: where Twilio does not let it be changed, another takes its place.
	replaceable bool
	// removes says that Do is the removal of what the step made.
	removes bool
}

// updating returns the effect of bringing sid into line, or of finding that it is there no more. There is nothing to look for after an unknown
// outcome: a lookup finds nothing, and so the update is made again.
func (e Effect) updating(sid string) Effect {
	update := e.Update
	e.Do = func(ctx context.Context, hub TrustHub) (Result, error) {
		r, err := update(ctx, hub, sid)
		if isNotFound(err) {
			return Result{Gone: true}, nil
		}
		return r, err
	}
	e.Find = func(context.Context, TrustHub) ([]Result, error) { return nil, nil }
	return e
}

// removing returns the effect of taking away what the step made. To delete what is gone is no error, so it may be repeated at will.
func (e Effect) removing(sid string) Effect {
	remove := e.Remove
	e.Do = func(ctx context.Context, hub TrustHub) (Result, error) {
		return Result{Removed: true}, remove(ctx, hub, sid)
	}
	e.Find = func(context.Context, TrustHub) ([]Result, error) { return nil, nil }
	e.removes = true
	return e
}

// Result is what became of an effect.
type Result struct {
	SID          string
	RemoteStatus string
	// Requirements, if any, fail the step: the call went through, and what it found is for a person to mend.
	Requirements []Requirement
	// Error goes with Requirements where one error stands for them all.
	Error *StepError
	// InReview leaves the step waiting: it is read again later.
	InReview bool
	// WaitsFor leaves the step waiting until that other step has succeeded.
	WaitsFor Key
	// Numbers, unless nil, are the onboarding's phone numbers from now on, whatever else the result says.
	Numbers []PhoneNumber
	// SubaccountSID is the account that was made for the onboarding.
	SubaccountSID string
	// TakenOver: the bundle is somebody else's, and the plan depends on how far it has come.
	TakenOver bool
	// Removed: what the step made is gone.
	Removed bool
	// Gone: what the step made is gone, and nobody wanted that. It is made anew.
	Gone bool
	// Replaced: the bundle that the step is about cannot be used any more, and another takes its place.
	Replaced bool
	// Again says of a read that it is made again after a check interval, whatever it has found; or sooner, at Until, unless that is zero: what
	// it has found ends then.
	Again bool
	Until time.Time
	// Lost are steps whose objects are at Twilio no more.
	Lost []Lost
}

// Lost is a step whose object is at Twilio no more: it is made anew, or left to a person where Requirement says what to do.
type Lost struct {
	Key         Key
	Requirement *Requirement
}

// Arrange gives o a pending step for every node that has none yet, or a canceled one while it is to be done, and puts its steps into the plan's
// order: the step of each node is at the node's place. Steps that the plan does not have (any more) come last.
func (p Plan) Arrange(o *Onboarding) {
	p.arrange(o)
}

// arrange does what Arrange says and returns the nodes and the steps that were added.
func (p Plan) arrange(o *Onboarding) (nodes []Node, added []Step) {
	nodes = p(o)
	have := make(map[Key]int, len(o.Steps))
	for i := range o.Steps {
		have[o.Steps[i].Key] = i
	}
	placed := make([]bool, len(o.Steps))
	ordered := make([]Step, 0, max(len(nodes), len(o.Steps)))
	for _, n := range nodes {
		at, ok := have[n.Key]
		if ok {
			placed[at] = true
		}
		switch {
		case !ok, n.Aim == AimDone && o.Steps[at].State == StepCanceled:
			added = append(added, Step{Key: n.Key, State: StepPending})
			ordered = append(ordered, added[len(added)-1])
		default:
			ordered = append(ordered, o.Steps[at])
		}
	}
	for i := range o.Steps {
		if !placed[i] {
			ordered = append(ordered, o.Steps[i])
		}
	}
	o.Steps = ordered
	return nodes, added
}

// canceled returns the keys of the steps that are over. One that arrange adds is wanted again, which the history tells.
func (o *Onboarding) canceled() map[Key]bool {
	over := make(map[Key]bool)
	for i := range o.Steps {
		if o.Steps[i].State == StepCanceled {
			over[o.Steps[i].Key] = true
		}
	}
	return over
}
