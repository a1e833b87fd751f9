package simulation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/engine"
	"github.com/attestd/attestd/internal/onboarding/memledger"
	"github.com/attestd/attestd/internal/trusthub"
	"github.com/attestd/attestd/internal/trusthubsim"
)

var (
	errOver   = errors.New("the process is dead, or the simulation over")
	errLedger = errors.New("the ledger failed")
)

// replica is one process.
type replica struct {
	world *world
	name  string
	hub   *trusthub.Client
	ctx   context.Context
	kill  context.CancelFunc
	runs  []*run // that it began and has not ended

	dead     bool
	paused   bool
	stopping chan struct{}
	stops    bool
}

// run is one replica's work on one job.
type run struct {
	name    string
	replica *replica
	job     *memledger.Job
	claimed time.Time // the newest claim
}

func (w *world) start() {
	w.replicasEver++
	r := &replica{world: w, name: fmt.Sprintf("r%d", w.replicasEver), stopping: make(chan struct{})}
	r.ctx, r.kill = context.WithCancel(w.ctx)
	var err error
	r.hub, err = trusthub.New(trusthub.Config{
		AccountSID: trusthubsim.DefaultAccountSID, AuthToken: trusthubsim.DefaultAuthToken, Timeout: w.scenario.timeout,
		// Nobody queues unless an account was refused: those who wait for a token together go on together, in no order.
		MaxConcurrentPerAccount: 1000,
		CircuitFailures:         w.scenario.circuitFailures, Random: shared(rand.New(rand.NewPCG(w.scenario.seed, uint64(w.replicasEver)<<16))),
		Transport: wire{r},
	})
	if err != nil {
		w.violated("client: %v", err)
		return
	}
	w.replicas = append(w.replicas, r)
	w.tracef("%s starts", r.name)
}

// takesJobs tells whether the replica looks for work.
func (r *replica) takesJobs() bool { return !r.dead && !r.paused && !r.stops }

// begin works on a job as a worker of the replica does.
func (r *replica) begin(job *memledger.Job) {
	w := r.world
	w.runsEver++
	one := &run{name: fmt.Sprintf("%s/%s#%d", r.name, job.ID, w.runsEver), replica: r, job: job}
	r.runs = append(r.runs, one)
	w.tracef("%s begins", one.name)
	runner := &engine.Runner{
		Hub:         hub{r.hub, one, rand.New(rand.NewPCG(w.scenario.seed, uint64(w.runsEver)<<32))},
		Plan:        one.turned(w.mutant.plan(w.plan)),
		Name:        r.name,
		Concurrency: w.scenario.concurrency,
		Timing:      w.mutant.timing(w.scenario.timing),
		Now:         time.Now,
		Random:      rand.New(rand.NewPCG(w.scenario.seed, uint64(w.runsEver))).Float64,
		Stopping:    r.stopping,
		Logger:      slog.New(alarm{slog.DiscardHandler, w}),
	}
	w.working.Go(func() {
		err := runner.Advance(r.ctx, w.mutant.ledger(ledger{one, job}, w.store), job.ID)
		if !w.turns.wait(r, "end "+one.name, nil) {
			return
		}
		w.tracef("%s ends: %v", one.name, err)
		if err != nil {
			job.Retry(time.Now().Add(time.Second))
		}
		r.forget(one)
	})
}

// alarm breaks the run off when an error is logged: no misfortune that is played here is one for whoever runs attestd.
type alarm struct {
	slog.Handler
	world *world
}

func (a alarm) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }

func (a alarm) Handle(_ context.Context, r slog.Record) error {
	a.world.violated("error logged: %s", r.Message)
	return nil
}

func (r *replica) forget(one *run) {
	for i := range r.runs {
		if r.runs[i] == one {
			r.runs = append(r.runs[:i], r.runs[i+1:]...)
			return
		}
	}
}

// abandon gives the replica's jobs to others.
func (r *replica) abandon() {
	for _, one := range r.runs {
		r.world.tracef("%s is taken over", one.name)
		one.job.Abandon()
	}
}

// call names a call to Twilio: which step of which onboarding makes it, and whether it looks or does.
type call struct {
	run string
	id  onboarding.ID
	key onboarding.Key
	// does: the call may leave something behind and so needs an intent.
	does bool
	// looks: the call is part of a lookup.
	looks bool
	// removes: the call deletes what is surplus, or what the step made.
	removes bool
	// since is when the run claimed the onboarding that the call is made for.
	since time.Time
}

func (c call) String() string {
	switch {
	case c.looks:
		return fmt.Sprintf("%s %s (lookup)", c.run, c.key)
	case c.removes:
		return fmt.Sprintf("%s %s (removal)", c.run, c.key)
	}
	return fmt.Sprintf("%s %s", c.run, c.key)
}

type callKey struct{}

func callOf(ctx context.Context) call {
	c, _ := ctx.Value(callKey{}).(call)
	return c
}

// turned has every call of the plan begin and end in a turn of the replica: it can be paused, or die, before the client gets it, and after
// the answer has come.
func (one *run) turned(plan onboarding.Plan) onboarding.Plan {
	lay := plan.Nodes
	plan.Nodes = func(o *onboarding.Onboarding) []onboarding.Node {
		nodes := lay(o)
		for i := range nodes {
			nodes[i].Effect = one.turnedEffect(o.ID, nodes[i].Key, nodes[i].Effect)
		}
		return nodes
	}
	return plan
}

func (one *run) turnedEffect(id onboarding.ID, key onboarding.Key, effect func(*onboarding.Onboarding) onboarding.Effect) func(*onboarding.Onboarding) onboarding.Effect {
	return func(o *onboarding.Onboarding) onboarding.Effect {
		e := effect(o)
		look, do, find, update, remove := e.Look, e.Do, e.Find, e.Update, e.Remove
		if look != nil {
			e.Look = func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
				return inTurn(ctx, one, "look", call{run: one.name, id: id, key: key, since: one.claimed}, func(ctx context.Context) (onboarding.Outcome, error) {
					return look(ctx, hub)
				})
			}
		}
		if do != nil {
			e.Do = func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
				return inTurn(ctx, one, "do", call{run: one.name, id: id, key: key, does: true, since: one.claimed}, func(ctx context.Context) (onboarding.Outcome, error) {
					return do(ctx, hub)
				})
			}
		}
		if find != nil {
			e.Find = func(ctx context.Context, hub onboarding.TrustHub) ([]onboarding.Outcome, error) {
				return inTurn(ctx, one, "find", call{run: one.name, id: id, key: key, looks: true, since: one.claimed}, func(ctx context.Context) ([]onboarding.Outcome, error) {
					return find(ctx, hub)
				})
			}
		}
		if update != nil {
			e.Update = func(ctx context.Context, hub onboarding.TrustHub, sid string) (onboarding.Outcome, error) {
				return inTurn(ctx, one, "update "+sid, call{run: one.name, id: id, key: key, does: true, since: one.claimed}, func(ctx context.Context) (onboarding.Outcome, error) {
					return update(ctx, hub, sid)
				})
			}
		}
		if remove != nil {
			e.Remove = func(ctx context.Context, hub onboarding.TrustHub, sid string) error {
				_, err := inTurn(ctx, one, "remove "+sid, call{run: one.name, id: id, key: key, removes: true, since: one.claimed}, func(ctx context.Context) (struct{}, error) {
					return struct{}{}, remove(ctx, hub, sid)
				})
				return err
			}
		}
		return e
	}
}

func inTurn[T any](ctx context.Context, one *run, what string, c call, f func(context.Context) (T, error)) (T, error) {
	var none T
	w, name := one.replica.world, fmt.Sprintf("%s %s %s", one.name, what, c.key)
	var held time.Duration
	if !w.turns.wait(one.replica, name, func(rng *rand.Rand) { held = w.heldBack(rng) }) {
		return none, errOver
	}
	w.tracef("%s", name)
	if held > 0 {
		w.tracef("  held back for %s", held)
		return none, &onboarding.RemoteError{Class: onboarding.ClassRepeatable, Held: true, RetryAfter: held}
	}
	result, err := f(context.WithValue(ctx, callKey{}, c))
	if !w.turns.wait(one.replica, name+" returns", nil) {
		return none, errOver
	}
	w.tracef("%s returns %v", name, err)
	return result, err
}

// heldBack draws for how long the client says that a call is not worth making, if it does.
func (w *world) heldBack(rng *rand.Rand) time.Duration {
	if !w.rough() || rng.Float64() >= w.scenario.requestFault/10 {
		return 0
	}
	return time.Duration(1 + rng.Int64N(int64(20*time.Second)))
}

// hub is the replica's client. The preflight's reads, which it begins all at once, begin in turns.
type hub struct {
	*trusthub.Client
	run *run
	rng *rand.Rand // for the walk's goroutine alone
}

func (h hub) FetchAccount(ctx context.Context, sid string) (onboarding.Account, error) {
	if !h.turn("account") {
		return onboarding.Account{}, errOver
	}
	return h.Client.FetchAccount(ctx, sid)
}

func (h hub) FetchBundle(ctx context.Context, account string, kind onboarding.BundleKind, sid string) (onboarding.Bundle, error) {
	if !h.turn("bundle " + sid) {
		return onboarding.Bundle{}, errOver
	}
	return h.Client.FetchBundle(ctx, account, kind, sid)
}

// FindPhoneNumbers asks for one number after the other: the client itself would ask for all at once.
func (h hub) FindPhoneNumbers(ctx context.Context, account string, wanted []string) ([]onboarding.PhoneNumber, error) {
	var all []onboarding.PhoneNumber
	for _, number := range wanted {
		if !h.turn("number " + number) {
			return nil, errOver
		}
		found, err := h.Client.FindPhoneNumbers(ctx, account, []string{number})
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// ListPhoneNumbers begins in a turn as the preflight's other reads do.
func (h hub) ListPhoneNumbers(ctx context.Context, account string) ([]onboarding.PhoneNumber, error) {
	if !h.turn("numbers") {
		return nil, errOver
	}
	return h.Client.ListPhoneNumbers(ctx, account)
}

// Room says now and then that there is none, beyond what the client says.
func (h hub) Room(account string) (calls int, wait time.Duration) {
	if w := h.run.replica.world; w.rough() && h.rng.Float64() < w.scenario.requestFault/4 {
		return h.rng.IntN(2), time.Duration(1 + h.rng.Int64N(int64(20*time.Second)))
	}
	return h.Client.Room(account)
}

func (h hub) turn(what string) bool {
	return h.run.replica.world.turns.wait(h.run.replica, h.run.name+" "+what, nil)
}

// shared makes a generator safe for concurrent use.
func shared(rng *rand.Rand) func() float64 {
	var mu sync.Mutex
	return func() float64 {
		mu.Lock()
		defer mu.Unlock()
		return rng.Float64()
	}
}

// ledger is the memory's, reached through a connection that breaks: before or after a call did its work.
type ledger struct {
	run  *run
	over onboarding.Ledger
}

// ledgerFate is what happens to one call of the ledger.
type ledgerFate struct {
	there, back             time.Duration
	failsBefore, failsAfter bool
}

// through makes a call of the ledger: one turn on the way there, one on the way back.
func (l ledger) through(what string, do func() error) error {
	r, w := l.run.replica, l.run.replica.world
	name := l.run.name + " " + what
	var f ledgerFate
	draw := func(rng *rand.Rand) {
		f = w.ledgerFate(rng)
		if what == "release" && w.rough() && rng.Float64() < 4*w.scenario.mishap {
			w.resume(l.run.job.ID) // in the last moment of the run
		}
	}
	if !w.turns.wait(r, name, draw) {
		return errOver
	}
	err := errLedger
	if !f.failsBefore {
		// What is on its way to the ledger arrives, though its sender die.
		w.pass(f.there)
		err = do()
	}
	w.tracef("%s: %v", name, err)
	w.pass(f.back)
	if f.failsAfter && err == nil {
		err = errLedger
	}
	if !w.turns.wait(r, name+" returns", nil) {
		return errOver
	}
	if err != nil {
		w.tracef("%s returns %v", name, err)
	}
	return err
}

func (w *world) ledgerFate(rng *rand.Rand) ledgerFate {
	var f ledgerFate
	f.there = time.Duration(1 + rng.Int64N(int64(time.Millisecond)))
	f.back = time.Duration(1 + rng.Int64N(int64(time.Millisecond)))
	if !w.rough() {
		return f
	}
	if time.Now().Before(w.ledgerDownUntil) {
		f.failsBefore = true
		return f
	}
	switch chance := rng.Float64() / w.scenario.ledgerFault; {
	case chance < 0.25:
		f.failsBefore = true
	case chance < 0.5:
		f.failsAfter = true
	case chance < 0.75:
		f.there = time.Duration(rng.Int64N(int64(8 * time.Second)))
	case chance < 1:
		f.back = time.Duration(rng.Int64N(int64(8 * time.Second)))
	}
	return f
}

func (l ledger) Claim(ctx context.Context, id onboarding.ID) (*onboarding.Onboarding, error) {
	var o *onboarding.Onboarding
	err := l.through("claim", func() (err error) {
		o, err = l.over.Claim(ctx, id)
		l.run.claimed = time.Now()
		return err
	})
	return o, err
}

func (l ledger) Record(ctx context.Context, c onboarding.Change) error {
	return l.through(fmt.Sprintf("record%s", summary(c)), func() error {
		w := l.run.replica.world
		before := w.get(c.ID)
		err := l.over.Record(ctx, c)
		if err == nil {
			w.recorded(before, c)
		}
		return err
	})
}

func (l ledger) Release(ctx context.Context, c onboarding.Change, next time.Time) (bool, error) {
	var woken bool
	err := l.through("release"+summary(c), func() (err error) {
		w := l.run.replica.world
		before := w.get(c.ID)
		woken, err = l.over.Release(ctx, c, next)
		if err == nil {
			w.recorded(before, c)
		}
		return err
	})
	return woken, err
}

func summary(c onboarding.Change) string {
	text := ""
	for _, s := range c.Steps {
		text += fmt.Sprintf(" %s=%s", s.Key, s.State)
	}
	return text
}
