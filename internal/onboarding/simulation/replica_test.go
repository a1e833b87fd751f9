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
		// Nobody queues unless an account was refused: those who wait for a token together go on
		// together, in no order.
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

// alarm breaks the run off when an error is logged: no misfortune that is played here is one for
// whoever runs attestd.
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

// FindPhoneNumbers asks for one number after the other: the client itself would ask for all at
// once.
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

// Capacity says now and then that there is none, beyond what the client says.
func (h hub) Capacity(account string) (calls int, wait time.Duration) {
	if w := h.run.replica.world; w.rough() && h.rng.Float64() < w.scenario.requestFault/4 {
		return h.rng.IntN(2), time.Duration(1 + h.rng.Int64N(int64(20*time.Second)))
	}
	return h.Client.Capacity(account)
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
