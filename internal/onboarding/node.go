package onboarding

import (
	"context"
	"slices"
)

// Plan says which steps an onboarding takes, and what they mean to people. It is data: whoever
// walks a plan knows none of its steps by name.
type Plan struct {
	// Nodes lays out the steps: a graph without a circle, each node after all that it needs. It
	// depends on the request, on the resolved numbers, and on what was made for earlier versions.
	Nodes func(o *Onboarding) []Node
	// Explain says what a person must do about a call that was refused.
	Explain func(Refusal) Requirement
}

// Refusal is a call that was refused for a reason that only a person can take away.
type Refusal struct {
	Error *RemoteError
	// Role is the step's that made the call.
	Role Role
	// Removal: the call was to remove what the step had made.
	Removal bool
}

// Kind says what sort of thing a step does.
type Kind string

// The kinds. A read leaves nothing behind and may be made at any time; the others are deeds, and
// none is done before its intent is in the ledger (invariant 1).
const (
	// KindRead asks for something that must be so before others can go on.
	KindRead Kind = "read"
	// KindReview is a read that waits for a reviewer's decision, and looks again afterwards.
	KindReview Kind = "review"
	// KindCheck is a read that looks now and then whether what was done still holds.
	KindCheck Kind = "check"

	// KindBundle makes a customer profile or a trust product.
	KindBundle Kind = "bundle"
	// KindObject makes an object that goes onto bundles.
	KindObject Kind = "object"
	// KindAssignment puts an object or a number on a bundle.
	KindAssignment Kind = "assignment"
	// KindEvaluation has a bundle evaluated. Each evaluation leaves one more behind; that is no
	// harm.
	KindEvaluation Kind = "evaluation"
	// KindSubmission hands a bundle in.
	KindSubmission Kind = "submission"
	// KindDeed changes something and makes nothing.
	KindDeed Kind = "deed"
)

// IsRead tells whether steps of that kind leave nothing behind.
func (k Kind) IsRead() bool { return k == KindRead || k == KindReview || k == KindCheck }

// IsUnique tells whether a step of that kind makes an object of which there must be exactly one.
func (k Kind) IsUnique() bool { return k == KindBundle || k == KindObject || k == KindAssignment }

// Role is what a step is in its plan. It is not stored: [Plan.Arrange] fills it in.
type Role struct {
	Kind Kind
	// Bundle is the step that makes the bundle which this step is about: the bundle that an object
	// goes onto, that an assignment is on, that a review is of; of a bundle, the step itself.
	Bundle Key
	// Object is, of an assignment, the step that makes what is assigned; "" for a number.
	Object Key
	// Number is the SID (PN…) of the phone number that the step is about.
	Number string
	// Pointer is a JSON pointer to the part of the request that a refusal is about.
	Pointer string
	// Source is who a refusal comes from; empty means [SourceTwilio].
	Source Source
}

// Node is a step of a plan.
type Node struct {
	Key Key
	Role
	// Needs are the steps that must have succeeded before; for a node that is to be gone, the steps
	// that must be gone before.
	Needs []Key
	// Aim is what the step is to come to.
	Aim Aim
	// Parts are JSON pointers to what the object holds of the request. A change there makes the
	// step due again. None of a read.
	Parts []string
	// RemadeFor are those of Parts that Twilio cannot change in an object: it is made anew.
	RemadeFor []string
	// GivenBy points to the request's member that names an object to take over for this step.
	GivenBy string
	// Given says that GivenBy names one: the step reads it, and makes none.
	Given bool
	// Resolves says that the step finds out which phone numbers there are.
	Resolves bool

	// AfterAnswerOf, unless "", names a read that must have been answered before this is taken
	// back: until then nobody knows whether it is wanted.
	AfterAnswerOf Key
	// StaysWith are steps of which none may have left its object at Twilio, or else this one's
	// object is left there too.
	StaysWith []Key

	// Effect says how to do the step, with what the steps that it needs have recorded. It copies
	// what it needs of the onboarding.
	Effect func(o *Onboarding) Effect
}

// Aim is what a step is to come to.
type Aim int

// The aims.
const (
	// AimDone: the step's effect is there.
	AimDone Aim = iota
	// AimGone: what the step made is removed. An unknown outcome is looked up first, so that
	// nothing is left behind.
	AimGone
	// AimSettled: what the step has made is known, and it makes nothing more.
	AimSettled
)

// Effect says how a step is done at Twilio. A nil function is something that cannot be done, or
// need not be. An error that is no *RemoteError counts as an unknown outcome.
type Effect struct {
	// Look reads before anything is done. It settles the step, or answers [Absent]: then Do is
	// made. For a read that is all there is.
	Look func(ctx context.Context, hub TrustHub) (Outcome, error)
	// Do makes the call, after its intent is in the ledger.
	Do func(ctx context.Context, hub TrustHub) (Outcome, error)
	// Find looks for what Do may have made, oldest first. Without it Do may be repeated at will.
	Find func(ctx context.Context, hub TrustHub) ([]Outcome, error)
	// Update brings the object of that SID into line with the request. It may be repeated at will.
	// Without it the step is done anew.
	Update func(ctx context.Context, hub TrustHub, sid string) (Outcome, error)
	// Remove deletes the object of that SID: a surplus one that Find has found, or the step's own.
	// To delete what is not there is no error.
	Remove func(ctx context.Context, hub TrustHub, sid string) error
	// Stays says that the object is not ours to delete, and is to be told of: it was there before.
	Stays bool
	// NotYet says of a read that it has nothing to tell before a first wait.
	NotYet bool
	// RefusedUntil, unless "", names a step before whose success Do or Remove may be refused. They
	// are made again if it has succeeded since, or, while it is Locked, once it succeeds.
	RefusedUntil Key
	Locked       bool
	// InTheWay says what to do if Twilio refuses a change with a conflict that names no bundle.
	InTheWay Replacement
}

// Replacement is what takes the place of something that cannot be changed any more. The zero value
// is nothing: a person is asked.
type Replacement struct {
	// Object: another object is made in the place of the step's own.
	Object bool
	// Bundles: other bundles are made in the place of these, and all that is on them anew.
	Bundles []Key
}

// Arrange lays the plan over the onboarding. It gives o a pending step for every node that has
// none, and for a canceled one that is wanted again; puts o.Steps into the plan's order, the step
// of each node at the node's place; and fills in their roles. Steps that the plan does not have
// come last. It returns the nodes and the steps that were added.
func (p Plan) Arrange(o *Onboarding) (nodes []Node, added []Step) {
	nodes = p.Nodes(o)
	have := make(map[Key]int, len(o.Steps))
	for i := range o.Steps {
		have[o.Steps[i].Key] = i
	}
	placed := make([]bool, len(o.Steps))
	ordered := make([]Step, 0, max(len(nodes), len(o.Steps)))
	for i := range nodes {
		n := &nodes[i]
		at, ok := have[n.Key]
		if ok {
			placed[at] = true
		}
		if !ok || n.Aim == AimDone && o.Steps[at].State == StepCanceled {
			added = append(added, Step{Key: n.Key, Role: n.Role, State: StepPending})
			ordered = append(ordered, added[len(added)-1])
			continue
		}
		ordered = append(ordered, o.Steps[at])
		ordered[i].Role = n.Role
	}
	for i := range o.Steps {
		if !placed[i] {
			ordered = append(ordered, o.Steps[i])
		}
	}
	o.Steps = ordered
	return nodes, added
}

// Bundles returns the keys of the bundles that the nodes make or take over, in their order.
func Bundles(nodes []Node) []Key {
	var keys []Key
	for i := range nodes {
		if nodes[i].Kind == KindBundle && !slices.Contains(keys, nodes[i].Bundle) {
			keys = append(keys, nodes[i].Bundle)
		}
	}
	return keys
}
