package onboarding

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// comparison is one comparison while it is made. It looks at the steps in the plan's order, each as soon as the SIDs that its lookup needs
// are known: from the ledger, or else from what was found at Twilio. So one comparison shows all of what a ledger lacks, however much.
//
// The shape of an effect tells how to judge what was found:
//
//   - no Find: a read. It is made again, and what it says now is held against what it said then.
//   - Find and Remove: an object or an assignment, of which there must be exactly one.
//   - Find alone: something that is done rather than made, a submission, or of which there may be many, an evaluation.
type comparison struct {
	r *Reconciler
	// ledger is the onboarding as it was read; filled the same with what Twilio holds in the place of what the ledger lacks.
	ledger, filled *Onboarding
	recorded       map[Key]Step
	sids           map[string]bool // all that the ledger has recorded

	nodes    []Node
	looked   map[Key]*look
	atHand   map[Key]bool // what others need of the step is known
	findings map[Key][]Finding
	// timeUp: the time for lookups ended before all were made.
	timeUp bool
}

// look is one lookup.
type look struct {
	node   Node
	effect Effect
	found  []Result
	err    error
}

// surplus is what Twilio holds beside the object that the step has recorded, or an assignment of such a thing.
type surplus struct {
	of     Step // with what it has recorded
	sid    string
	find   func(ctx context.Context, hub TrustHub) ([]Result, error)
	remove func(ctx context.Context, hub TrustHub) error
}

func newComparison(r *Reconciler, o *Onboarding) *comparison {
	filled := *o
	filled.Steps, filled.Numbers = slices.Clone(o.Steps), slices.Clone(o.Numbers)
	c := &comparison{
		r: r, ledger: o, filled: &filled,
		recorded: make(map[Key]Step, len(o.Steps)),
		sids:     make(map[string]bool, len(o.Steps)),
		looked:   make(map[Key]*look, len(o.Steps)),
		atHand:   make(map[Key]bool, len(o.Steps)),
		findings: make(map[Key][]Finding, len(o.Steps)),
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
var errTimeUp error = &RemoteError{Class: ClassUnknown, Err: errors.New("no answer in time")}

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

// next returns the lookups that have become possible. A running step is not looked at: its runner does that, and knows when to believe it.
func (c *comparison) next() []*look {
	nodes, _ := c.r.Plan.arrange(c.filled)
	// A check's own answer is nothing to compare: what it looks at is compared step by step.
	c.nodes = slices.DeleteFunc(nodes, func(n Node) bool { return n.Key.isCheck() })
	var looks []*look
	for _, node := range c.nodes {
		if c.looked[node.Key] != nil || node.Aim != AimDone || !c.ready(node) || c.step(node.Key).State == StepRunning {
			continue
		}
		l := &look{node: node, effect: c.effect(node)}
		c.looked[node.Key] = l
		looks = append(looks, l)
	}
	return looks
}

func (c *comparison) ready(node Node) bool {
	return !slices.ContainsFunc(node.Needs, func(k Key) bool { return !c.atHand[k] })
}

// step is the step in the ledger.
func (c *comparison) step(k Key) Step {
	if s, ok := c.recorded[k]; ok {
		return s
	}
	return Step{Key: k, State: StepPending}
}

// effect is the node's effect as if the step had recorded nothing itself: an evaluation's lookup leaves out the one that is recorded.
func (c *comparison) effect(node Node) Effect {
	step := c.filled.Step(node.Key)
	sid := step.SID
	step.SID = ""
	defer func() { step.SID = sid }()
	return node.Effect(c.filled)
}

// judge holds what was found against the step, and fills in what the ledger lacks.
func (c *comparison) judge(l *look) {
	step := c.step(l.node.Key)
	f := Finding{Step: step.Key, State: step.State, SID: step.SID, Status: step.RemoteStatus, Verdict: VerdictSame, before: step}
	if len(l.found) > 0 {
		f.HeldSID, f.HeldStatus = l.found[0].SID, l.found[0].RemoteStatus
	}
	var others []Finding
	switch {
	case l.err != nil:
		f.Verdict, f.Note, f.Err = VerdictNotCompared, l.err.Error(), l.err
		// What a read or a deed has brought is in the ledger, if it has succeeded; an object is known by its SID.
		c.atHand[f.Step] = f.SID != "" || f.State == StepSucceeded && l.effect.Remove == nil
	case l.effect.Find == nil:
		c.judgeRead(&f, l)
	case l.effect.Remove == nil:
		c.judgeDeed(&f, l)
	default:
		others = c.judgeObject(&f, l)
	}
	if f.Verdict == VerdictMissing && !step.FinishedAt.IsZero() && c.ledger.ReadAt.Before(step.FinishedAt.Add(c.r.Settle)) {
		f.Verdict, f.Note = VerdictUnknown, "done a moment ago: Twilio's lists may lag"
	}
	c.findings[f.Step] = append([]Finding{f}, others...)
}

// judgeRead judges what a read says now.
func (c *comparison) judgeRead(f *Finding, l *look) {
	done := f.State == StepSucceeded
	if len(l.found) == 0 {
		if done {
			f.Verdict = VerdictMissing
		}
		return
	}
	now := l.found[0]
	known := f.Status
	for _, need := range l.node.Needs {
		if known == "" { // A review that was not read yet: the submission was told a status.
			known = c.filled.Step(need).RemoteStatus
		}
	}
	switch {
	case done && len(now.Requirements) > 0:
		f.Verdict, f.Note = VerdictOtherStatus, asked(now.Requirements)
	case done && f.SID == "" && now.SID != "":
		f.Verdict, f.adopt = VerdictUnrecorded, &now
	case !sameStatus(known, now.RemoteStatus):
		f.Verdict = VerdictOtherStatus
	}
	c.atHand[f.Step] = done || len(now.Requirements) == 0 && !now.InReview
	c.fill(f.Step, now)
	if len(c.filled.Numbers) == 0 {
		c.filled.Numbers = now.Numbers
	}
}

// judgeDeed judges a submission or an evaluation.
func (c *comparison) judgeDeed(f *Finding, l *look) {
	done := f.State == StepSucceeded
	c.atHand[f.Step] = done
	if len(l.found) == 0 {
		if done || f.SID != "" {
			f.Verdict = VerdictMissing
		}
		return
	}
	now := l.found[0]
	if now.SID != "" { // An evaluation: Find returns the newest alone.
		switch {
		case now.SID == f.SID:
		case f.SID != "":
			f.Note = "Twilio has a newer one, which does no harm"
		case done && len(now.Requirements) == 0 && now.WaitsFor == "":
			f.Verdict, f.adopt = VerdictUnrecorded, &now
		case done:
			f.Verdict, f.Note = VerdictOtherStatus, asked(now.Requirements)
		default:
			// Nothing is submitted on the strength of an evaluation that was not made for it (invariant 6).
			f.Note = "the runner makes a new one, which does no harm"
		}
		c.atHand[f.Step] = done || len(now.Requirements) == 0
		c.fill(f.Step, now)
		return
	}
	switch {
	case done:
	case now.RemoteStatus == BundleRejected:
		f.Note = "rejected after an earlier submission"
	default:
		f.Verdict, f.adopt = VerdictUnrecorded, &now
		c.atHand[f.Step] = true
		c.fill(f.Step, now)
	}
}

// judgeObject judges what there must be one of, and returns what there is beyond that.
func (c *comparison) judgeObject(f *Finding, l *look) (others []Finding) {
	f.Status, f.HeldStatus = "", "" // A bundle's status is in the line of its review; here it would be that of its first day.
	var extra []Result
	switch {
	case f.SID == "" && len(l.found) == 0:
		if f.State == StepSucceeded {
			f.Verdict, f.Note = VerdictMissing, "the ledger has no SID either"
		}
		return nil
	case f.SID == "":
		adopt := l.found[0]
		f.Verdict, f.adopt = VerdictUnrecorded, &adopt
		c.fill(f.Step, adopt)
		extra = l.found[1:]
	case holds(l.found, f.SID):
		i := slices.IndexFunc(l.found, func(r Result) bool { return r.SID == f.SID })
		f.HeldSID = f.SID
		extra = slices.Delete(slices.Clone(l.found), i, i+1)
	default:
		f.Verdict = VerdictMissing
		if len(l.found) > 0 {
			f.Note = "there is another in its place: a person must decide"
		}
	}
	c.atHand[f.Step] = true
	for _, e := range extra {
		other := Finding{Step: f.Step, State: f.State, SID: f.SID, Status: f.Status, HeldSID: e.SID, HeldStatus: e.RemoteStatus, Verdict: VerdictSurplus}
		switch {
		case f.SID == "":
			other.Note = "the oldest is the one to adopt"
		case e.RemoteStatus != "" && e.RemoteStatus != BundleDraft:
			other.Note = "no longer a draft: a person must decide"
		default:
			other.surplus = &surplus{of: f.before, sid: e.SID, find: l.effect.Find, remove: removal(l.effect, e.SID)}
		}
		others = append(others, other)
	}
	return others
}

func removal(e Effect, sid string) func(context.Context, TrustHub) error {
	return func(ctx context.Context, hub TrustHub) error { return e.Remove(ctx, hub, sid) }
}

// fill puts what was found where the ledger has nothing.
func (c *comparison) fill(k Key, found Result) {
	step := c.filled.Step(k)
	if step.SID == "" {
		step.SID = found.SID
	}
	if step.RemoteStatus == "" {
		step.RemoteStatus = found.RemoteStatus
	}
}

// lookAround finds what hangs on surplus objects: their assignments, and for a surplus bundle what is assigned to it. It asks the steps
// that build on the object where theirs would be if the surplus one were the recorded one; what they find then and not otherwise, and
// what the ledger has not recorded, is surplus too.
func (c *comparison) lookAround(ctx context.Context) error {
	for _, node := range c.nodes {
		for _, f := range c.findings[node.Key] {
			if f.surplus == nil || f.surplus.of.Key != f.Step {
				continue
			}
			if err := c.lookAroundSurplus(ctx, *f.surplus); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *comparison) lookAroundSurplus(ctx context.Context, s surplus) error {
	var looks []*look
	owner := c.filled.Step(s.of.Key)
	recorded := owner.SID
	owner.SID = s.sid
	for _, node := range c.buildingOn(s.of.Key) {
		plain := c.looked[node.Key]
		if plain == nil || plain.err != nil || plain.effect.Find == nil || plain.effect.Remove == nil {
			continue
		}
		looks = append(looks, &look{node: node, effect: c.effect(node)})
	}
	owner.SID = recorded
	if err := c.r.lookAll(ctx, looks); err != nil {
		return err
	}
	for _, l := range looks {
		step := c.step(l.node.Key)
		for _, found := range l.found {
			if c.sids[found.SID] || holds(c.looked[step.Key].found, found.SID) {
				continue
			}
			c.findings[step.Key] = append(c.findings[step.Key], Finding{
				Step: step.Key, State: step.State, SID: step.SID, Status: step.RemoteStatus, HeldSID: found.SID, HeldStatus: found.RemoteStatus,
				Verdict: VerdictSurplus, Note: "belongs to the surplus " + s.sid,
				surplus: &surplus{of: s.of, sid: s.sid, find: s.find, remove: removal(l.effect, found.SID)},
			})
		}
	}
	return nil
}

// buildingOn returns the nodes that need the step, and those that need them.
func (c *comparison) buildingOn(k Key) []Node {
	var all []Node
	on := map[Key]bool{k: true}
	for grown := true; grown; {
		grown = false
		for _, node := range c.nodes {
			if !on[node.Key] && slices.ContainsFunc(node.Needs, func(need Key) bool { return on[need] }) {
				on[node.Key], grown = true, true
				all = append(all, node)
			}
		}
	}
	return all
}

// report puts the findings into the plan's order. now is the onboarding as it is after all the lookups: where a step has moved meanwhile,
// what was found says nothing about it.
func (c *comparison) report(now *Onboarding) Report {
	report := Report{ID: c.ledger.ID}
	known := make(map[Key]bool, len(c.nodes))
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
func (c *comparison) unseen(node Node) Finding {
	step := c.step(node.Key)
	f := Finding{Step: step.Key, State: step.State, SID: step.SID, Status: step.RemoteStatus}
	switch {
	case node.Aim != AimDone:
		f.Verdict, f.Note = VerdictUnknown, "not wanted any more: the runner takes it back"
		if step.State == StepCanceled {
			f.Verdict, f.Note = VerdictNotBegun, "taken back"
		}
	case step.State == StepRunning:
		f.Verdict, f.Note = VerdictUnknown, "the outcome is unknown until the runner has looked it up"
	case c.timeUp:
		f.Verdict, f.Note, f.Err = VerdictNotCompared, errTimeUp.Error(), errTimeUp
	case step.State == StepPending && step.SID == "":
		f.Verdict = VerdictNotBegun
	default:
		f.Verdict, f.Note = VerdictNotCompared, "what it builds on is not known"
	}
	return f
}

// sameStatus tells whether two of Twilio's words leave nothing to act on between them. A bundle goes from pending-review to in-review by
// itself.
func sameStatus(known, now string) bool {
	return known == "" || now == "" || known == now || underReview(known) && underReview(now)
}

func underReview(status string) bool {
	return status == BundlePendingReview || status == BundleInReview
}

// asked says what requirements are about, without their texts: those may be Twilio's.
func asked(requirements []Requirement) string {
	const most = 3
	var parts []string
	for i, r := range requirements {
		if i == most {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, strings.TrimSpace(r.Pointer+" "+r.Code))
	}
	return strings.Join(parts, ", ")
}

// lookAll makes the lookups, several at once. What Twilio does not have is found to be nothing; any other failure stays in its look. The
// error is the context's.
func (r *Reconciler) lookAll(ctx context.Context, looks []*look) error {
	concurrency := r.Concurrency
	if concurrency == 0 {
		concurrency = 8
	}
	slots := make(chan struct{}, concurrency)
	var wg sync.WaitGroup
	for _, l := range looks {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			find := l.effect.Find
			if find == nil {
				find = func(ctx context.Context, hub TrustHub) ([]Result, error) {
					now, err := l.effect.Do(ctx, hub)
					return []Result{now}, err
				}
			}
			l.found, l.err = r.patiently(ctx, find)
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

const (
	lookTries   = 4
	lookWait    = 500 * time.Millisecond
	lookWaitMax = 10 * time.Second
)

// patiently makes one lookup, and again if Twilio has no time for it now.
func (r *Reconciler) patiently(ctx context.Context, find func(context.Context, TrustHub) ([]Result, error)) ([]Result, error) {
	for try := 1; ; try++ {
		found, err := find(ctx, r.Hub)
		if err == nil {
			return found, nil
		}
		var remote *RemoteError
		if !errors.As(err, &remote) {
			return nil, err
		}
		again := remote.Class == ClassRepeatable || remote.Class == ClassUnknown
		wait := max(remote.RetryAfter, time.Duration(try)*lookWait)
		switch {
		case remote.HTTPStatus == 404 && !again:
			return nil, nil
		case !again, try == lookTries, wait > lookWaitMax:
			return nil, fmt.Errorf("look it up: %w", err)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		}
	}
}
