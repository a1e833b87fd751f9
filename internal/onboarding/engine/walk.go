package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// walk is one run over one claimed onboarding. A single goroutine owns the onboarding and is the
// only one to write its ledger. Calls are made in goroutines of their own, which get all they need
// when they start and hand back an answer.
type walk struct {
	runner *Runner
	ledger onboarding.Ledger
	timing Timing
	clock  ledgerClock
	onb    *onboarding.Onboarding
	graph  graph
	// entry is what the next write to the ledger will hold.
	entry *onboarding.Entry

	// answers has room for every call in flight: a call never waits for the walk.
	answers  chan answer
	inFlight map[onboarding.Key]bool
	// notBefore holds all new calls back after Twilio said that there were too many, or while it is
	// down.
	notBefore time.Time
	// looked are the steps whose look found nothing.
	looked map[onboarding.Key]bool
	// surplus is what a lookup found where one is wanted, the one to keep first, until the others
	// are removed.
	surplus map[onboarding.Key][]onboarding.Outcome
}

func newWalk(r *Runner, ledger onboarding.Ledger, o *onboarding.Onboarding, claimedAt time.Time) *walk {
	concurrency := r.Concurrency
	if concurrency == 0 {
		concurrency = 10
	}
	w := &walk{
		runner:   r,
		ledger:   ledger,
		timing:   r.Timing.withDefaults(),
		clock:    newLedgerClock(r.Now, claimedAt, o.ReadAt),
		onb:      o,
		answers:  make(chan answer, concurrency),
		inFlight: make(map[onboarding.Key]bool, concurrency),
		looked:   make(map[onboarding.Key]bool),
		surplus:  make(map[onboarding.Key][]onboarding.Outcome),
	}
	w.entry = onboarding.NewEntry(o, w.actor())
	w.arrange()
	checking := w.isCheckDue()
	for i := range o.Steps {
		switch s := &o.Steps[i]; {
		case o.Woken && s.Kind == onboarding.KindReview:
			w.lookNow(s)
		case s.State == onboarding.StepRunning && s.NextAttemptAt.IsZero():
			w.leftUnderWay(s)
		case checking && s.IsDecided() && !s.NextAttemptAt.IsZero():
			s.NextAttemptAt = w.clock.now()
		}
	}
	return w
}

// isCheckDue tells whether something that was decided is due to be read again: then all of it is,
// in one run a day rather than in one for each.
func (w *walk) isCheckDue() bool {
	return slices.ContainsFunc(w.onb.Steps, func(s onboarding.Step) bool {
		return s.IsDecided() && !s.NextAttemptAt.IsZero() && !s.NextAttemptAt.After(w.clock.now())
	})
}

// callbackEcho is how long after a decision was read a wake-up is taken for the callback that told
// of it.
const callbackEcho = time.Minute

// lookNow makes a review due because something happened: one that is open, and one that was decided
// some time ago, for what Twilio has decided it can decide anew.
func (w *walk) lookNow(step *onboarding.Step) {
	now := w.clock.now()
	if step.State == onboarding.StepWaiting || step.IsDecided() && !step.NextAttemptAt.IsZero() && now.Sub(step.FinishedAt) > callbackEcho {
		step.NextAttemptAt = now
	}
}

// arrange lays the plan over the steps.
func (w *walk) arrange() {
	over := w.onb.Canceled()
	nodes, added := w.runner.Plan.Arrange(w.onb)
	w.graph = newGraph(w.onb, nodes)
	w.entry.WantAgain(added, over, w.clock.now())
}

func (w *walk) step(k onboarding.Key) *onboarding.Step { return &w.onb.Steps[w.graph.index[k]] }

func (w *walk) actor() string { return "replica:" + w.runner.Name }

// enter puts the step into the state and into the next write.
func (w *walk) enter(step *onboarding.Step, state onboarding.State) {
	w.entry.Enter(step, state, w.clock.now())
}

func (w *walk) tell(kind string, step *onboarding.Step, detail string) {
	w.entry.Tell(w.clock.now(), kind, step.Key, detail)
}

// run makes every call that is due, as many at once as may be, until nothing is due any more for
// longer than a runner should wait. It returns when the onboarding is due next, zero if only a
// wake-up can make it so. What it learned last is to be written with the release. After an error
// the run is over, and what it had in flight is of unknown outcome.
func (w *walk) run(ctx context.Context) (next time.Time, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer w.drain()
	defer cancel()
	for {
		d := decide(w.onb, w.graph, w.situation())
		if len(d.moves) > 0 {
			for _, m := range d.moves {
				w.move(m)
			}
			continue
		}
		calls, due := w.withinCapacity(d.calls, d.due)
		if len(calls) == 0 && len(w.inFlight) == 0 && (w.runner.isStopping() || due.IsZero() || !w.isWorthWaiting(due)) {
			if w.runner.isStopping() && !due.IsZero() {
				due = w.clock.now() // Another replica can go on at once.
			}
			return due, nil
		}
		if err := w.launch(ctx, calls); err != nil {
			return time.Time{}, err
		}
		if err := w.await(ctx, due); err != nil {
			return time.Time{}, err
		}
	}
}

func (w *walk) situation() situation {
	return situation{
		now: w.clock.now(), atLeast: w.clock.atLeast(), notBefore: w.notBefore, stopping: w.runner.isStopping(), slots: cap(w.answers) - len(w.inFlight),
		inFlight: w.inFlight, looked: w.looked, surplus: w.surplus, settled: w.settledAt,
	}
}

// move carries out a move.
func (w *walk) move(m move) {
	step := w.step(m.key)
	switch m.to {
	case moveEnd:
		w.end(step)
	case moveKeep:
		if m.because != nil {
			step.Error = m.because
		}
		w.keep(step)
	case moveAwaitReview:
		w.awaitReview(step)
	case moveAwaitCheck:
		w.enter(step, onboarding.StepWaiting)
		step.NextAttemptAt = w.nextCheck(time.Time{})
	case moveRepeat:
		w.notThere(step, m.effect)
	}
}

// isWorthWaiting tells whether the run sits out the time until something is due again. It never
// does for reviews and checks alone: they can be due again and again, and whoever waits for them
// does not hear what he is told meanwhile (invariants 4 and 5).
func (w *walk) isWorthWaiting(due time.Time) bool {
	left := due.Sub(w.clock.now())
	return left <= 0 || left <= w.timing.InlineWait && slices.ContainsFunc(w.onb.Steps, func(s onboarding.Step) bool {
		return s.State == onboarding.StepRunning || s.State == onboarding.StepWaiting && s.WaitsFor == "" &&
			s.Kind != onboarding.KindReview && s.Kind != onboarding.KindCheck
	})
}

// withinCapacity leaves the calls out for which Twilio has no capacity, before anything is written
// about them: while Twilio is down, an onboarding costs the ledger a claim and a release each time
// it looks, and its history nothing.
func (w *walk) withinCapacity(calls []call, due time.Time) ([]call, time.Time) {
	if len(calls) == 0 {
		return calls, due
	}
	account := w.onb.SubaccountSID
	if account == "" {
		account = w.runner.Hub.ParentAccount() // Which makes the subaccount.
	}
	capacity, wait := w.runner.Hub.Capacity(account)
	if capacity >= len(calls) {
		return calls, due
	}
	again := w.clock.now().Add(wait)
	if capacity == 0 {
		w.notBefore = latest(w.notBefore, again)
		return nil, w.notBefore
	}
	if due.IsZero() || again.Before(due) {
		due = again
	}
	return calls[:capacity], due
}

// await waits for an answer, or until the next step is due, and takes in every answer that is there
// by then: the more answers one write to the ledger holds, the fewer writes.
func (w *walk) await(ctx context.Context, due time.Time) error {
	var timer <-chan time.Time
	if !due.IsZero() && len(w.inFlight) < cap(w.answers) {
		t := time.NewTimer(max(0, due.Sub(w.clock.now())))
		defer t.Stop()
		timer = t.C
	}
	stopping := w.runner.Stopping
	switch {
	case !w.runner.isStopping():
	case len(w.inFlight) == 0:
		return nil // The stop came with the last write.
	default:
		stopping, timer = nil, nil
	}
	select {
	case a := <-w.answers:
		w.receive(a)
	case <-timer:
	case <-stopping:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return w.gather(ctx)
}

// gatherFor is how long the first of several answers waits for the others. Calls that were made
// together are answered within milliseconds of each other, and each answer that is written by
// itself costs the database as much as all of them together.
const gatherFor = 2 * time.Millisecond

func (w *walk) gather(ctx context.Context) error {
	timer := time.NewTimer(gatherFor)
	defer timer.Stop()
	for len(w.inFlight) > 0 {
		select {
		case a := <-w.answers:
			w.receive(a)
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// drain waits for the calls that an abandoned run has in flight: every goroutine has an owner that
// waits for it.
func (w *walk) drain() {
	for range w.inFlight {
		<-w.answers
	}
}

// record writes the entry, if it holds anything.
func (w *walk) record(ctx context.Context) error {
	if w.entry.IsEmpty() {
		return nil
	}
	change := w.entry.Finish()
	if err := w.ledger.Record(ctx, change); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	w.written(change)
	return nil
}

// written begins the next entry, once the ledger has this one.
func (w *walk) written(change onboarding.Change) {
	if way := w.entry.Uncharted; way != "" {
		// Better an onboarding that goes on than one that is stuck: the tests have a logger that
		// fails them.
		w.runner.Logger.Error("a step went a way that the charts do not have", "onboarding_id", w.onb.ID, "way", way)
	}
	for i := range change.Steps {
		if change.Steps[i].State != onboarding.StepRunning {
			w.runner.reached(AfterCommit, change.Steps[i].Key)
		}
	}
	w.entry = onboarding.NewEntry(w.onb, w.actor())
}
