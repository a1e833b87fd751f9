package engine

import (
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// This file says what a run does next: a pure function of the onboarding, its nodes and the time.
// It makes no call, changes no step and asks no clock.

// graph is a plan laid over an onboarding: the node i is that of the onboarding's step i.
type graph struct {
	nodes []onboarding.Node
	index map[onboarding.Key]int // of the steps, those without a node included
	aims  map[onboarding.Key]onboarding.Aim
}

func newGraph(o *onboarding.Onboarding, nodes []onboarding.Node) graph {
	g := graph{
		nodes: nodes,
		index: make(map[onboarding.Key]int, len(o.Steps)),
		aims:  make(map[onboarding.Key]onboarding.Aim, len(nodes)),
	}
	for i := range nodes {
		g.aims[nodes[i].Key] = nodes[i].Aim
	}
	for i := range o.Steps {
		g.index[o.Steps[i].Key] = i
	}
	return g
}

// situation is what a decision depends on beside the onboarding and its nodes.
type situation struct {
	now time.Time
	// atLeast is what the ledger's clock shows already, for certain: now, or a little earlier.
	atLeast time.Time
	// notBefore holds all new calls back: Twilio said that there were too many, or is down.
	notBefore time.Time
	// stopping: no call is begun any more.
	stopping bool
	// slots is how many more calls may be under way.
	slots int
	// inFlight are the steps with a call under way.
	inFlight map[onboarding.Key]bool
	// looked are the steps whose look found nothing, so that the deed itself is next.
	looked map[onboarding.Key]bool
	// surplus is what lookups have found where one is wanted, the one to keep first.
	surplus map[onboarding.Key][]onboarding.Outcome
	// settled returns when nothing more can arrive of what a step has intended.
	settled func(*onboarding.Step) time.Time
}

// decision is what to do next.
type decision struct {
	// moves are made first; after them there may be more to decide.
	moves []move
	// calls are made at once, side by side.
	calls []call
	// due is when something is due that is not among them, zero if nothing ever is by itself.
	due time.Time
}

// move brings a step into its next state without a call.
type move struct {
	key    onboarding.Key
	to     moveKind
	effect onboarding.Effect
	// because, for moveKeep, is why the object stays; nil if it is not ours to remove.
	because *onboarding.StepError
}

// moveKind is what becomes of the step.
type moveKind string

const (
	// moveEnd ends a step that has made nothing, or whose object is of no account.
	moveEnd moveKind = "end"
	// moveKeep ends a step whose object stays at Twilio.
	moveKeep moveKind = "keep"
	// moveAwaitReview waits for the first look at a bundle in review.
	moveAwaitReview moveKind = "await review"
	// moveAwaitCheck waits for the first check.
	moveAwaitCheck moveKind = "await check"
	// moveRepeat makes a deed due again that may be repeated at will, after all has settled.
	moveRepeat moveKind = "repeat"
)

// call is a call about to be made.
type call struct {
	node   *onboarding.Node
	effect onboarding.Effect
	op     operation
	// sid, for an update or a removal, is the object's.
	sid string
	// surplus, for opRemoveSurplus, is what was found, the one to keep first.
	surplus []onboarding.Outcome
}

// operation is what a call does.
type operation string

const (
	opLook          operation = "look"
	opDo            operation = "do"
	opUpdate        operation = "update"
	opRemove        operation = "remove"
	opFind          operation = "find"
	opRemoveSurplus operation = "remove surplus"
)

// hasIntent tells whether the operation is a deed, made only after its intent is written.
func (op operation) hasIntent() bool { return op == opDo || op == opUpdate || op == opRemove }

// decide says what is to be done now.
func decide(o *onboarding.Onboarding, g graph, s situation) decision {
	var d decision
	for i := range g.nodes {
		node, step := &g.nodes[i], &o.Steps[i]
		if s.inFlight[node.Key] {
			continue
		}
		at, ok := g.dueAt(o, node, step)
		if !ok {
			continue
		}
		if at = latest(at, s.notBefore, s.now); s.mustWait(at, len(d.calls)) {
			d.dueNoLaterThan(at)
			continue
		}
		effect := node.Effect(o)
		op := operationOf(node, step, effect, s)
		if step.State == onboarding.StepRunning && op == opFind && (effect.Find == nil || isRepeatable(node, step, effect)) {
			if left := s.settled(step).Sub(s.atLeast); left > 0 {
				d.dueNoLaterThan(s.now.Add(left))
			} else {
				d.moves = append(d.moves, move{key: node.Key, to: moveRepeat, effect: effect})
			}
			continue
		}
		if m, ok := moveOf(o, node, step, effect, op); ok {
			d.moves = append(d.moves, m)
			continue
		}
		d.calls = append(d.calls, call{node: node, effect: effect, op: op, sid: step.SID, surplus: s.surplus[node.Key]})
	}
	return d
}

// mustWait tells whether a step that is due at that time has no call now, after so many others.
func (s situation) mustWait(at time.Time, calls int) bool {
	return at.After(s.now) || s.stopping || calls >= s.slots
}

func (d *decision) dueNoLaterThan(at time.Time) {
	if d.due.IsZero() || at.Before(d.due) {
		d.due = at
	}
}

// dueAt tells when the step is due by itself, if it ever is: not while it is done, or waits for
// another.
func (g graph) dueAt(o *onboarding.Onboarding, node *onboarding.Node, step *onboarding.Step) (time.Time, bool) {
	if node.Aim != onboarding.AimDone {
		return g.dueToGo(o, node, step)
	}
	switch step.State {
	case onboarding.StepPending:
		return step.NextAttemptAt, g.satisfied(o, node.Needs) // Zero, unless a look was held back in this run.
	case onboarding.StepRunning:
		return step.NextAttemptAt, true
	case onboarding.StepWaiting:
		if step.WaitsFor != "" {
			return time.Time{}, g.succeeded(o, step.WaitsFor)
		}
		return step.NextAttemptAt, true
	case onboarding.StepSucceeded, onboarding.StepFailed:
		return step.NextAttemptAt, !step.NextAttemptAt.IsZero()
	default:
		return time.Time{}, false
	}
}

// dueToGo is dueAt for a step that is to be gone, or merely settled.
func (g graph) dueToGo(o *onboarding.Onboarding, node *onboarding.Node, step *onboarding.Step) (time.Time, bool) {
	switch {
	case step.State == onboarding.StepCanceled, node.Aim == onboarding.AimSettled && step.State == onboarding.StepSucceeded:
		return time.Time{}, false
	case step.State == onboarding.StepRunning:
		return step.NextAttemptAt, true
	case !g.satisfied(o, node.Needs), !isAnswered(o, node.AfterAnswerOf):
		return time.Time{}, false
	case step.State == onboarding.StepSucceeded, !isRemovable(node, step, node.Effect(o)):
		return time.Time{}, true
	case step.State == onboarding.StepFailed:
		return time.Time{}, false // A person has been asked.
	case step.State == onboarding.StepWaiting && step.WaitsFor != "":
		return time.Time{}, g.succeeded(o, step.WaitsFor)
	default:
		return step.NextAttemptAt, true
	}
}

// isAnswered tells whether the read has an answer: what it was to find is there, or is not. A read
// that Twilio refused has none.
func isAnswered(o *onboarding.Onboarding, read onboarding.Key) bool {
	step := o.Step(read)
	return step == nil || step.IsDecided() && (step.Error == nil || step.Error.HTTPStatus == 0)
}

// satisfied tells whether all that a step needs is as it is to be.
func (g graph) satisfied(o *onboarding.Onboarding, needs []onboarding.Key) bool {
	for _, need := range needs {
		i, ok := g.index[need]
		if ok && o.Steps[i].State == onboarding.StepCanceled {
			continue
		}
		if !ok || o.Steps[i].State != onboarding.StepSucceeded || g.aims[need] == onboarding.AimGone {
			return false
		}
	}
	return true
}

func (g graph) succeeded(o *onboarding.Onboarding, k onboarding.Key) bool {
	i, ok := g.index[k]
	return ok && o.Steps[i].State == onboarding.StepSucceeded
}

// operationOf says what a call for the step would do.
func operationOf(node *onboarding.Node, step *onboarding.Step, effect onboarding.Effect, s situation) operation {
	switch {
	case s.surplus[node.Key] != nil:
		return opRemoveSurplus
	case step.State == onboarding.StepRunning:
		return opFind
	case isRemovable(node, step, effect):
		return opRemove
	case isUpdatable(node, step, effect):
		return opUpdate
	case effect.Look != nil && !s.looked[node.Key]:
		return opLook
	default:
		return opDo
	}
}

// isRemovable tells whether the step has made something that is to be removed, and can be.
func isRemovable(node *onboarding.Node, step *onboarding.Step, effect onboarding.Effect) bool {
	return node.Aim == onboarding.AimGone && step.SID != "" && effect.Remove != nil
}

// isUpdatable tells whether what the step has made is brought into line when it is done again.
func isUpdatable(node *onboarding.Node, step *onboarding.Step, effect onboarding.Effect) bool {
	return node.Aim == onboarding.AimDone && step.SID != "" && effect.Update != nil && !node.Kind.IsRead()
}

// isRepeatable tells whether the deed that a running step has under way may be done again without a
// lookup: an update and a removal may.
func isRepeatable(node *onboarding.Node, step *onboarding.Step, effect onboarding.Effect) bool {
	return isRemovable(node, step, effect) || isUpdatable(node, step, effect)
}

// moveOf brings a step that is due into its next state where no call is wanted for that.
func moveOf(o *onboarding.Onboarding, node *onboarding.Node, step *onboarding.Step, effect onboarding.Effect, op operation) (move, bool) {
	m := move{key: node.Key, effect: effect}
	switch {
	case step.State == onboarding.StepRunning:
		return m, false
	case node.Aim == onboarding.AimSettled, node.Aim == onboarding.AimGone && op != opRemove:
		m.to = moveEnd
		if node.Aim == onboarding.AimGone && effect.Stays && step.SID != "" {
			m.to = moveKeep
		}
		return m, true
	case node.Aim == onboarding.AimGone:
		m.to = moveKeep
		for _, k := range node.StaysWith {
			if s := o.Step(k); s != nil && s.State == onboarding.StepCanceled && s.SID != "" {
				m.because = s.Error
				return m, true
			}
		}
		return m, false
	case effect.NotYet && step.State == onboarding.StepPending:
		m.to = moveAwaitReview
		return m, true
	case node.Kind == onboarding.KindCheck && step.State == onboarding.StepPending:
		m.to = moveAwaitCheck
		return m, true
	default:
		return m, false
	}
}
