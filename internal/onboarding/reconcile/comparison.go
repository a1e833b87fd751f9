package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// comparison is one comparison while it is made. It looks at the steps in the plan's order, each as
// soon as the SIDs that its lookup needs are known: from the ledger, or else from what was found at
// Twilio. So one comparison shows all of what a ledger lacks, however much.
//
// The kind of a node tells how to judge what was found:
//
//   - a read, and an object that was given: it is read again, and what it says now is held against
//     what it said then;
//   - a bundle, an object or an assignment: there must be exactly one;
//   - a deed: a submission is done or not, and of evaluations there may be many.
type comparison struct {
	r *Reconciler
	// ledger is the onboarding as it was read; filled the same with what Twilio holds in the place
	// of what the ledger lacks.
	ledger, filled *onboarding.Onboarding
	recorded       map[onboarding.Key]onboarding.Step
	sids           map[string]bool // all that the ledger has recorded

	nodes    []onboarding.Node
	looked   map[onboarding.Key]*look
	atHand   map[onboarding.Key]bool // what others need of the step is known
	findings map[onboarding.Key][]Finding
	// timeUp: the time for lookups ended before all were made.
	timeUp bool
}

// look is one lookup.
type look struct {
	node   onboarding.Node
	effect onboarding.Effect
	found  []onboarding.Outcome
	err    error
}

func newComparison(r *Reconciler, o *onboarding.Onboarding) *comparison {
	filled := *o
	filled.Steps, filled.Numbers = slices.Clone(o.Steps), slices.Clone(o.Numbers)
	c := &comparison{
		r: r, ledger: o, filled: &filled,
		recorded: make(map[onboarding.Key]onboarding.Step, len(o.Steps)),
		sids:     make(map[string]bool, len(o.Steps)),
		looked:   make(map[onboarding.Key]*look, len(o.Steps)),
		atHand:   make(map[onboarding.Key]bool, len(o.Steps)),
		findings: make(map[onboarding.Key][]Finding, len(o.Steps)),
	}
	for _, s := range o.Steps {
		c.recorded[s.Key] = s
		if s.SID != "" {
			c.sids[s.SID] = true
		}
	}
	return c
}

// errTimeUp ends the lookups of a comparison, and not the comparison.
var errTimeUp error = &onboarding.RemoteError{Class: onboarding.ClassUnknown, Err: errors.New("no answer in time")}

// runWithin is run, but what is not looked up within that time is left out. Zero is no bound.
func (c *comparison) runWithin(ctx context.Context, bound time.Duration) error {
	if bound <= 0 {
		return c.run(ctx)
	}
	timed, cancel := context.WithTimeoutCause(ctx, bound, errTimeUp)
	defer cancel()
	err := c.run(timed)
	if errors.Is(err, errTimeUp) {
		c.timeUp = true
		return nil
	}
	return err
}

// run looks until no step is left that can be looked at.
func (c *comparison) run(ctx context.Context) error {
	for {
		looks := c.next()
		if len(looks) == 0 {
			return c.lookAround(ctx)
		}
		err := c.r.lookAll(ctx, looks)
		for _, l := range looks {
			c.judge(l)
		}
		if err != nil {
			return err
		}
	}
}

// next returns the lookups that have become possible. A running step is not looked at: its runner
// does that, and knows when to believe it.
func (c *comparison) next() []*look {
	nodes, _ := c.r.Plan.Arrange(c.filled)
	// A check's own answer is nothing to compare: what it looks at is compared step by step.
	c.nodes = slices.DeleteFunc(nodes, func(n onboarding.Node) bool { return n.Kind == onboarding.KindCheck })
	var looks []*look
	for _, node := range c.nodes {
		if c.looked[node.Key] != nil || node.Aim != onboarding.AimDone || !c.ready(node) || c.step(node.Key).State == onboarding.StepRunning {
			continue
		}
		l := &look{node: node, effect: c.effect(node)}
		c.looked[node.Key] = l
		looks = append(looks, l)
	}
	return looks
}

func (c *comparison) ready(node onboarding.Node) bool {
	return !slices.ContainsFunc(node.Needs, func(k onboarding.Key) bool { return !c.atHand[k] })
}

// step is the step in the ledger.
func (c *comparison) step(k onboarding.Key) onboarding.Step {
	if s, ok := c.recorded[k]; ok {
		return s
	}
	return onboarding.Step{Key: k, State: onboarding.StepPending}
}

// effect is the node's effect as if the step had recorded nothing itself: an evaluation's lookup
// leaves out the one that is recorded.
func (c *comparison) effect(node onboarding.Node) onboarding.Effect {
	step := c.filled.Step(node.Key)
	sid := step.SID
	step.SID = ""
	defer func() { step.SID = sid }()
	return node.Effect(c.filled)
}

// report puts the findings into the plan's order. now is the onboarding as it is after all the
// lookups: where a step has moved meanwhile, what was found says nothing about it.
func (c *comparison) report(now *onboarding.Onboarding) Report {
	report := Report{ID: c.ledger.ID}
	known := make(map[onboarding.Key]bool, len(c.nodes))
	for _, node := range c.nodes {
		known[node.Key] = true
		findings := c.findings[node.Key]
		if len(findings) == 0 {
			findings = []Finding{c.unseen(node)}
		}
		for _, f := range findings {
			if step := now.Step(f.Step); step != nil && f.Differs() && moved(*step, c.step(f.Step)) {
				f.Verdict, f.Note = VerdictUnknown, "changed during the comparison: a runner is at it"
				f.adopt, f.surplus = nil, nil
			}
			report.Findings = append(report.Findings, f)
		}
	}
	for _, s := range c.ledger.Steps {
		if !known[s.Key] && s.SID != "" {
			report.Findings = append(report.Findings, Finding{Step: s.Key, State: s.State, SID: s.SID, Status: s.RemoteStatus,
				Verdict: VerdictNotCompared, Note: "the plan has no such step"})
		}
	}
	return report
}

// unseen is the finding for a step that was not looked at.
func (c *comparison) unseen(node onboarding.Node) Finding {
	step := c.step(node.Key)
	f := Finding{Step: step.Key, State: step.State, SID: step.SID, Status: step.RemoteStatus}
	switch {
	case node.Aim != onboarding.AimDone:
		f.Verdict, f.Note = VerdictUnknown, "not wanted any more: the runner takes it back"
		if step.State == onboarding.StepCanceled {
			f.Verdict, f.Note = VerdictNotBegun, "taken back"
		}
	case step.State == onboarding.StepRunning:
		f.Verdict, f.Note = VerdictUnknown, "the outcome is unknown until the runner has looked it up"
	case c.timeUp:
		f.Verdict, f.Note, f.Err = VerdictNotCompared, errTimeUp.Error(), errTimeUp
	case step.State == onboarding.StepPending && step.SID == "":
		f.Verdict = VerdictNotBegun
	default:
		f.Verdict, f.Note = VerdictNotCompared, "what it builds on is not known"
	}
	return f
}
