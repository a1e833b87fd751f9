package onboarding

import (
	"context"
	"slices"
)

// Plan says which steps an onboarding takes: a graph, as data. It depends on the request and, once they are resolved, on the numbers.
// The [Runner] walks any plan; another Twilio product is another value of this type.
type Plan func(o *Onboarding) []Node

// Node is a step of a plan.
type Node struct {
	Key Key
	// Needs are the steps that must have succeeded before.
	Needs []Key
	// Effect says how to do the step, with what the steps that it needs have recorded. It is called when they have all succeeded, and
	// copies what it needs from the onboarding.
	Effect func(o *Onboarding) Effect
}

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
	// Remove deletes one of several that Find returned. Nil where Twilio allows no removal or an extra one does no harm.
	Remove func(ctx context.Context, hub TrustHub, sid string) error
	// Pointer is the part of the request that a refusal is about, as a JSON pointer.
	Pointer string
	// Source is who a refusal comes from; SourceTwilio if empty.
	Source Source
	// ReadLater says of a read that it can have nothing to tell yet: it is first made after the shortest poll interval, or when woken.
	ReadLater bool
}

// updating returns the effect of bringing sid into line. There is nothing to look for after an unknown outcome: a lookup finds nothing, and
// so the update is made again.
func (e Effect) updating(sid string) Effect {
	update := e.Update
	e.Do = func(ctx context.Context, hub TrustHub) (Result, error) { return update(ctx, hub, sid) }
	e.Find = func(context.Context, TrustHub) ([]Result, error) { return nil, nil }
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
	// Numbers are the resolved phone numbers, from the step that resolves them.
	Numbers []PhoneNumber
}

// Arrange gives o a pending step for every node that has none yet, and puts its steps into the plan's order. Steps that the plan does not
// have (any more) come last.
func (p Plan) Arrange(o *Onboarding) {
	p.arrange(o)
}

// arrange does what Arrange says and returns the nodes and the steps that were added.
func (p Plan) arrange(o *Onboarding) (nodes []Node, added []Step) {
	nodes = p(o)
	place := make(map[Key]int, len(nodes))
	have := make(map[Key]bool, len(o.Steps))
	for _, s := range o.Steps {
		have[s.Key] = true
	}
	for i, n := range nodes {
		place[n.Key] = i
		if !have[n.Key] {
			step := Step{Key: n.Key, State: StepPending}
			added = append(added, step)
			o.Steps = append(o.Steps, step)
		}
	}
	slices.SortStableFunc(o.Steps, func(a, b Step) int {
		return rank(place, a.Key) - rank(place, b.Key)
	})
	return nodes, added
}

func rank(place map[Key]int, k Key) int {
	if i, ok := place[k]; ok {
		return i
	}
	return len(place)
}
