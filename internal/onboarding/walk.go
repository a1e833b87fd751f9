package onboarding

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// walk is one run over one claimed onboarding. A single goroutine owns the onboarding and is the only one to write its ledger; calls are
// made in goroutines of their own, which get all they need when they start and hand back an answer.
type walk struct {
	runner *Runner
	ledger Ledger
	timing Timing
	onb    *Onboarding
	nodes  []Node // Each has its step at the same place in onb.Steps.
	aims   map[Key]Aim
	index  map[Key]int // into onb.Steps

	// answers has room for every call in flight: a call never waits for the walk.
	answers  chan answer
	inFlight map[Key]bool
	// notBefore holds all new calls back after Twilio said that there were too many, or while it is down.
	notBefore time.Time

	// clock is what to add to this process's time to have the ledger's, and clockAtLeast is as well: the truth is between them, for nobody
	// knows how long the claim was on its way there, how long back, and how long this process was paused meanwhile.
	clock, clockAtLeast time.Duration
	// surplus is what a lookup found where one is wanted, the one to keep first, until the others are removed.
	surplus map[Key][]Result
	// change is what the next write to the ledger will hold.
	change  Change
	changed map[Key]bool
}

// answer is what came of one call.
type answer struct {
	key    Key
	lookup bool
	effect Effect
	result Result
	// asked is when a lookup began, or earlier: what it did not find was not there then. Its answer may have come much later.
	asked time.Time
	found []Result
	// removed and kept are the SIDs of what the lookup found beyond the first.
	removed, kept []string
	err           error
}

// start is a call about to be made.
type start struct {
	node   Node
	effect Effect
	lookup bool
	// surplus, for a lookup that has found more than one, is what it found: then the call removes all but the first.
	surplus []Result
}

// hasIntent tells whether the call may change something at Twilio that must not happen twice.
func (s start) hasIntent() bool { return !s.lookup && s.effect.Find != nil }

func newWalk(r *Runner, ledger Ledger, o *Onboarding, claimedAt time.Time) *walk {
	concurrency := r.Concurrency
	if concurrency == 0 {
		concurrency = 10
	}
	w := &walk{
		runner:   r,
		ledger:   ledger,
		timing:   r.Timing.withDefaults(),
		onb:      o,
		answers:  make(chan answer, concurrency),
		inFlight: make(map[Key]bool, concurrency),
		changed:  make(map[Key]bool),
		surplus:  make(map[Key][]Result),
		clock:    o.ReadAt.Sub(claimedAt),

		clockAtLeast: time.Until(o.ReadAt),
	}
	w.change = Change{ID: o.ID, Epoch: o.Epoch}
	w.arrange()
	checking := w.checking()
	for i := range o.Steps {
		switch s := &o.Steps[i]; {
		case o.Woken && s.Key.IsReview():
			w.lookNow(s)
		case s.State == StepRunning && s.NextAttemptAt.IsZero():
			w.leftUnderWay(s)
		case checking && s.isDecided() && !s.NextAttemptAt.IsZero():
			s.NextAttemptAt = w.now()
		}
	}
	return w
}

// checking tells whether something that was decided is due to be read again: then all of it is, in one run a day rather than in one for
// each.
func (w *walk) checking() bool {
	return slices.ContainsFunc(w.onb.Steps, func(s Step) bool {
		return s.isDecided() && !s.NextAttemptAt.IsZero() && !s.NextAttemptAt.After(w.now())
	})
}

// callbackEcho is how long after a decision was read a wake-up is taken for the callback that told of it.
const callbackEcho = time.Minute

// lookNow makes a review due because something happened: one that is open, and one that was decided some time ago, for what Twilio has
// decided it can decide anew.
func (w *walk) lookNow(step *Step) {
	if step.State == StepWaiting || step.isDecided() && !step.NextAttemptAt.IsZero() && w.now().Sub(step.FinishedAt) > callbackEcho {
		step.NextAttemptAt = w.now()
	}
}

// arrange lays the plan over the steps. A step about which nothing has been done yet follows from the plan and is not written; one that was
// over and is wanted again is.
func (w *walk) arrange() {
	over := w.onb.canceled()
	nodes, added := w.runner.Plan.arrange(w.onb)
	w.nodes = nodes
	w.aims = make(map[Key]Aim, len(nodes))
	for _, n := range nodes {
		w.aims[n.Key] = n.Aim
	}
	w.index = make(map[Key]int, len(w.onb.Steps))
	for i, s := range w.onb.Steps {
		w.index[s.Key] = i
	}
	for i := range added {
		if over[added[i].Key] {
			w.changed[added[i].Key] = true
			w.change.Events = append(w.change.Events, stepEvent(&added[i], w.now(), w.actor()))
		}
	}
}

// now is the time by the ledger's clock: replicas' own clocks differ. It may be early by the time that the claim took, so that an intent is
// never dated back.
func (w *walk) now() time.Time { return time.Now().Add(w.clock).Truncate(time.Microsecond) }

// nowAtLeast is what the ledger's clock shows already, for certain.
func (w *walk) nowAtLeast() time.Time {
	return time.Now().Add(w.clockAtLeast).Truncate(time.Microsecond)
}

func (w *walk) step(k Key) *Step { return &w.onb.Steps[w.index[k]] }

// run makes every call that is due, as many at once as may be, until nothing is due any more for longer than a runner should wait. It
// returns when the onboarding is due next, zero if only a wake-up can make it so; what it learned last is to be written with the release.
// After an error the walk is over and what it had in flight is of unknown outcome.
func (w *walk) run(ctx context.Context) (next time.Time, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer w.drain()
	defer cancel()
	for {
		starts, due := w.withinRoom(w.choose())
		if len(starts) == 0 && len(w.inFlight) == 0 && (w.stopping() || due.IsZero() || !w.worthWaiting(due)) {
			if w.stopping() && !due.IsZero() {
				due = w.now() // Another replica can go on at once.
			}
			return due, nil
		}
		if err := w.launch(ctx, starts); err != nil {
			return time.Time{}, err
		}
		if err := w.await(ctx, due); err != nil {
			return time.Time{}, err
		}
	}
}

// worthWaiting tells whether the run sits out the time until something is due again. It never does for reviews and checks alone: they can be
// due again and again, and whoever waits for them does not hear what he is told meanwhile (invariants 4 and 5).
func (w *walk) worthWaiting(due time.Time) bool {
	left := due.Sub(w.now())
	return left <= 0 || left <= w.timing.InlineWait && slices.ContainsFunc(w.onb.Steps, func(s Step) bool {
		return s.State == StepRunning || s.State == StepWaiting && s.WaitsFor == "" && !s.Key.IsReview() && !s.Key.isCheck()
	})
}

// await waits for an answer, or until the next step is due, and takes in every answer that is there by then: the more answers one write
// to the ledger holds, the fewer writes.
func (w *walk) await(ctx context.Context, due time.Time) error {
	var timer <-chan time.Time
	if !due.IsZero() && !w.full() {
		t := time.NewTimer(max(0, due.Sub(w.now())))
		defer t.Stop()
		timer = t.C
	}
	stopping := w.runner.Stopping
	switch {
	case !w.stopping():
	case len(w.inFlight) == 0:
		return nil // The stop came with the last write.
	default:
		stopping, timer = nil, nil
	}
	select {
	case a := <-w.answers:
		w.take(a)
	case <-timer:
	case <-stopping:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return w.gather(ctx)
}

// gatherFor is how long the first of several answers waits for the others. Calls that were made together are answered within milliseconds of
// each other, and each answer that is written by itself costs the database as much as all of them together.
const gatherFor = 2 * time.Millisecond

func (w *walk) gather(ctx context.Context) error {
	timer := time.NewTimer(gatherFor)
	defer timer.Stop()
	for len(w.inFlight) > 0 {
		select {
		case a := <-w.answers:
			w.take(a)
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// drain waits for the calls that an abandoned walk has in flight: every goroutine has an owner that waits for it.
func (w *walk) drain() {
	for range w.inFlight {
		<-w.answers
	}
}

func (w *walk) full() bool { return len(w.inFlight) >= cap(w.answers) }

func (w *walk) stopping() bool {
	select {
	case <-w.runner.Stopping:
		return true
	default:
		return false
	}
}

// choose returns the calls to make now, and when the next one is due that is not among them: zero if none ever is by itself.
func (w *walk) choose() (starts []start, due time.Time) {
	now := w.now()
	for i, node := range w.nodes {
		step := &w.onb.Steps[i]
		at, ok := w.dueAt(node, step)
		if !ok {
			continue
		}
		at = latest(at, w.notBefore, now)
		if at.After(now) || w.stopping() || len(w.inFlight)+len(starts) >= cap(w.answers) {
			if due.IsZero() || at.Before(due) {
				due = at
			}
			continue
		}
		effect := w.effectOf(node, step)
		if at, ok := w.withoutCall(node, step, effect); ok {
			if !at.IsZero() && (due.IsZero() || at.Before(due)) {
				due = at
			}
			continue
		}
		starts = append(starts, start{node: node, effect: effect, lookup: step.State == StepRunning, surplus: w.surplus[node.Key]})
	}
	return starts, due
}

// effectOf returns what is to be done for the step now: its effect, an update of what it made before, or the removal of that.
func (w *walk) effectOf(node Node, step *Step) Effect {
	switch effect := node.Effect(w.onb); {
	case step.SID == "":
		return effect
	case node.Aim == AimGone && effect.Remove != nil:
		return effect.removing(step.SID)
	case node.Aim == AimDone && effect.Update != nil:
		return effect.updating(step.SID)
	default:
		return effect
	}
}

// withoutCall brings a step that is due into its next state where no call is wanted for that, and says when there is more to do: at once
// where others may have waited for it.
func (w *walk) withoutCall(node Node, step *Step, effect Effect) (due time.Time, ok bool) {
	now := w.now()
	switch {
	case step.State == StepRunning:
		return time.Time{}, false
	case node.Aim == AimSettled, node.Aim == AimGone && !effect.removes:
		w.cancel(step, effect)
		return now, true
	case node.Aim == AimGone && w.stillOnTop(node) != nil:
		step.Error = w.stillOnTop(node).Error
		w.keep(step)
		return now, true
	case node.Aim == AimGone && step.State == StepSucceeded:
		w.again(step)
		return time.Time{}, false
	case effect.ReadLater && step.State == StepPending:
		return w.awaitReview(step, now), true
	case effect.Check && step.State == StepPending:
		step.NextAttemptAt = w.nextCheck(time.Time{})
		w.enter(step, StepWaiting)
		return step.NextAttemptAt, true
	default:
		return time.Time{}, false
	}
}

// stillOnTop returns the step that has put the number of a profile's step on a product, if Twilio has not let go of it: then the number is
// not taken off the profile either.
func (w *walk) stillOnTop(node Node) *Step {
	if !node.Key.under(profileKey.Sub("number")) {
		return nil
	}
	for _, need := range node.Needs {
		if s := w.onb.Step(need); s != nil && s.State == StepCanceled && s.SID != "" {
			return s
		}
	}
	return nil
}

// withinRoom leaves the calls out for which there is no room at Twilio, before anything is written about them: while Twilio is down, an
// onboarding costs the ledger a claim and a release each time it looks, and its history nothing.
func (w *walk) withinRoom(starts []start, due time.Time) ([]start, time.Time) {
	if len(starts) == 0 {
		return starts, due
	}
	account := w.onb.SubaccountSID
	if account == "" {
		account = w.runner.Hub.ParentAccount() // Which makes the subaccount.
	}
	calls, wait := w.runner.Hub.Room(account)
	if calls >= len(starts) {
		return starts, due
	}
	again := w.now().Add(wait)
	if calls == 0 {
		w.notBefore = latest(w.notBefore, again)
		return nil, w.notBefore
	}
	if due.IsZero() || again.Before(due) {
		due = again
	}
	return starts[:calls], due
}

// dueAt tells when the step is due by itself, if it ever is: not while it is in flight, done, or waits for another.
func (w *walk) dueAt(node Node, step *Step) (time.Time, bool) {
	if w.inFlight[node.Key] {
		return time.Time{}, false
	}
	if node.Aim != AimDone {
		return w.dueToGo(node, step)
	}
	switch step.State {
	case StepPending:
		return step.NextAttemptAt, w.satisfied(node.Needs) // Zero, unless a read was held back in this walk.
	case StepRunning:
		return step.NextAttemptAt, true
	case StepWaiting:
		if step.WaitsFor != "" {
			return time.Time{}, w.succeeded(step.WaitsFor)
		}
		return step.NextAttemptAt, true
	case StepSucceeded, StepFailed:
		return step.NextAttemptAt, !step.NextAttemptAt.IsZero()
	default:
		return time.Time{}, false
	}
}

// dueToGo is dueAt for a step that is to be gone, or merely settled.
func (w *walk) dueToGo(node Node, step *Step) (time.Time, bool) {
	switch {
	case step.State == StepCanceled, node.Aim == AimSettled && step.State == StepSucceeded:
		return time.Time{}, false
	case step.State == StepRunning:
		return step.NextAttemptAt, true
	case !w.satisfied(node.Needs), node.Key.isNumber() && !w.resolved():
		return time.Time{}, false
	case step.State == StepSucceeded, !w.effectOf(node, step).removes:
		return time.Time{}, true
	case step.State == StepFailed:
		return time.Time{}, false // A person has been asked.
	case step.State == StepWaiting && step.WaitsFor != "":
		return time.Time{}, w.succeeded(step.WaitsFor)
	default:
		return step.NextAttemptAt, true
	}
}

// resolved tells whether the request's numbers are known. Before, one that leaves may be what the request names anew; what the preflight
// has looked for and not found is no such one.
func (w *walk) resolved() bool {
	preflight := w.onb.Step(keyPreflight)
	if !w.onb.CanceledAt.IsZero() || preflight == nil {
		return true
	}
	return preflight.isDecided() && (preflight.Error == nil || preflight.Error.HTTPStatus == 0)
}

// satisfied tells whether all that a step needs is as it is to be.
func (w *walk) satisfied(needs []Key) bool {
	for _, need := range needs {
		i, ok := w.index[need]
		if ok && w.onb.Steps[i].State == StepCanceled {
			continue
		}
		if !ok || w.onb.Steps[i].State != StepSucceeded || w.aims[need] == AimGone {
			return false
		}
	}
	return true
}

func latest(t time.Time, others ...time.Time) time.Time {
	for _, o := range others {
		if o.After(t) {
			t = o
		}
	}
	return t
}

func (w *walk) succeeded(k Key) bool {
	i, ok := w.index[k]
	return ok && w.onb.Steps[i].State == StepSucceeded
}

// launch writes what is new to the ledger, the intents of the calls to come included, and only then makes those calls (invariant 1).
func (w *walk) launch(ctx context.Context, starts []start) error {
	local := time.Now()
	for _, s := range starts {
		step := w.step(s.node.Key)
		if s.hasIntent() {
			w.runner.reached(BeforeIntent, s.node.Key)
			w.intend(step)
		} else if step.StartedAt.IsZero() {
			step.StartedAt = w.now() // Written with what comes of it.
		}
	}
	if err := w.record(ctx); err != nil {
		return err
	}
	sendBy := local.Add(w.timing.SendWindow)
	for _, s := range starts {
		if s.hasIntent() {
			w.runner.reached(AfterIntent, s.node.Key)
		}
		w.inFlight[s.node.Key] = true
		w.runner.goCall(func() { w.answers <- w.call(ctx, s, sendBy) })
	}
	return nil
}

// record writes the change that has come together, if there is any.
func (w *walk) record(ctx context.Context) error {
	if len(w.changed) == 0 && len(w.change.Events) == 0 {
		return nil
	}
	if err := w.ledger.Record(ctx, w.unwritten()); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	w.written()
	return nil
}

// unwritten is the change that has come together since the last write.
func (w *walk) unwritten() Change {
	for i := range w.onb.Steps {
		if w.changed[w.onb.Steps[i].Key] {
			w.change.Steps = append(w.change.Steps, w.onb.Steps[i])
		}
	}
	clear(w.changed)
	w.change.conclude(w.onb)
	return w.change
}

// written begins the next change, once the ledger has this one.
func (w *walk) written() {
	for _, s := range w.change.Steps {
		if s.State != StepRunning {
			w.runner.reached(AfterCommit, s.Key)
		}
	}
	w.change = Change{ID: w.onb.ID, Epoch: w.onb.Epoch}
}

// call makes one call to Twilio. It runs in a goroutine of its own and touches nothing of the walk. A panic in it is an unknown outcome:
// it must not take the process, and with it everyone else's onboardings, down.
func (w *walk) call(ctx context.Context, s start, sendBy time.Time) (a answer) {
	a = answer{key: s.node.Key, lookup: s.lookup, effect: s.effect, asked: w.nowAtLeast()}
	defer func() {
		if p := recover(); p != nil {
			a.err = &RemoteError{Class: ClassUnknown, Err: fmt.Errorf("panic: %T", p)}
			w.runner.Logger.ErrorContext(ctx, "a call panicked", "onboarding_id", w.onb.ID, "step", s.node.Key, "panic_type", fmt.Sprintf("%T", p))
		}
	}()
	switch {
	case s.surplus != nil:
		w.removeSurplus(WithSendBy(ctx, sendBy), s, &a)
	case s.lookup:
		a.found, a.err = s.effect.Find(ctx, w.runner.Hub)
	case s.hasIntent():
		a.result, a.err = s.effect.Do(WithSendBy(ctx, sendBy), w.runner.Hub)
		w.runner.reached(AfterAnswer, s.node.Key)
	default:
		a.result, a.err = s.effect.Do(ctx, w.runner.Hub)
	}
	return a
}

// removeSurplus removes what a lookup found beyond the first: two of a kind make a reviewer reject both. The step is concluded only after
// that, so that a crash on the way leaves the lookup, and with it the removal, still to be done.
func (w *walk) removeSurplus(ctx context.Context, s start, a *answer) {
	a.found = s.surplus
	for _, extra := range s.surplus[1:] {
		switch err := s.effect.Remove(ctx, w.runner.Hub, extra.SID); {
		case err == nil:
			a.removed = append(a.removed, extra.SID)
		case asRemote(err).Class == ClassPermanent:
			a.kept = append(a.kept, extra.SID)
		default:
			a.err = err
			return
		}
	}
}
