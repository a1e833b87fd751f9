package simulation

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/attestd/attestd/internal/onboarding/engine"
	"github.com/attestd/attestd/internal/onboarding/plan"
	"github.com/attestd/attestd/internal/trusthub"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// scenario is what a seed decides before anything happens.
type scenario struct {
	seed uint64

	replicas, onboardings    int
	numbers, representatives int
	gate                     plan.Gate
	productGate              trusthubsim.ProductGate
	concurrency              int
	timing                   engine.Timing
	timeout                  time.Duration // of the client, for one request
	circuitFailures          int
	// strained: Twilio answers 429 now and then, and otherwise it refuses credentials now and then
	// and accounts change their tokens. Never both in one run: who waits for a new token goes on
	// together with others, and the order in which those then queue for an account that is held
	// back nobody decides.
	strained bool

	lag         time.Duration // of Twilio's lists
	processing  time.Duration // the longest that Twilio takes to begin with what has left
	reviewDelay time.Duration
	callbacks   trusthubsim.Callbacks

	// faultsFor is how long things go wrong; after that nothing does any more, and everything must
	// finish.
	faultsFor time.Duration
	// Chances, of a request, a ledger call and a turn.
	requestFault, ledgerFault, mishap float64

	people people
}

func scenarioOf(seed uint64) scenario {
	rng := rand.New(rand.NewPCG(seed, 0))
	between := func(least, most time.Duration) time.Duration {
		return least + time.Duration(rng.Int64N(int64(most-least)+1))
	}
	s := scenario{
		seed:            seed,
		replicas:        1 + rng.IntN(3),
		onboardings:     1 + max(0, rng.IntN(4)-2),
		numbers:         1 + rng.IntN(2),
		representatives: 1 + rng.IntN(2),
		gate:            pick(rng, plan.GateAuto, plan.GateAuto, plan.GateSubmitted, plan.GateApproved),
		productGate:     pick(rng, trusthubsim.GateApproved, trusthubsim.GateSubmitted),
		concurrency:     pick(rng, 0, 1, 2, 5),
		timeout:         pick(rng, trusthub.DefaultTimeout, 2*time.Second),
		reviewDelay:     pick(rng, between(0, 5*time.Second), between(0, 3*time.Minute), between(0, 12*time.Hour)),
		faultsFor:       pick(rng, between(5*time.Second, time.Minute), between(time.Minute, time.Hour)),
		requestFault:    pick(rng, 0, 0.03, 0.1, 0.3),
		ledgerFault:     pick(rng, 0, 0, 0.02, 0.1),
		mishap:          pick(rng, 0, 0.005, 0.02, 0.05),
	}
	s.strained = rng.IntN(2) == 0
	s.circuitFailures = -1
	if s.onboardings == 1 && s.strained {
		s.circuitFailures = 3
	}
	s.timing = engine.Timing{
		Settle:  pick(rng, 3*time.Second, 5*time.Second, 20*time.Second),
		PollMin: between(10*time.Second, 5*time.Minute),
		PollMax: time.Hour,
	}
	// What attestd is told to wait for must be enough: a list that lags and a request on its way
	// fit into it, with a little to spare.
	room := s.timing.Settle - 500*time.Millisecond
	s.lag = pick(rng, 0, between(0, room/2), between(0, room))
	s.processing = room - s.lag
	s.callbacks = trusthubsim.Callbacks{
		Lost: pick(rng, 0, 0.3, 1), Duplicated: pick(rng, 0, 0.5),
		Delay: trusthubsim.Duration(between(0, time.Second)), Spread: trusthubsim.Duration(between(time.Millisecond, time.Minute)),
	}
	s.people = peopleOf(seed, s)
	s.timing.CheckInterval = s.people.checkInterval
	return s
}

func (s scenario) String() string {
	return fmt.Sprintf("seed %d: %d replicas, %d onboardings, gate %s/%s, concurrency %d, settle %s, lag %s, timeout %s, review %s, faults for %s (request %g, ledger %g, mishap %g), %s",
		s.seed, s.replicas, s.onboardings, s.gate, s.productGate, s.concurrency, s.timing.Settle, s.lag, s.timeout, s.reviewDelay, s.faultsFor,
		s.requestFault, s.ledgerFault, s.mishap, s.people)
}

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }
