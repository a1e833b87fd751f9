package trusthub

import (
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

const (
	// breakerMin and breakerMax bound the time between two probes.
	breakerMin = time.Second
	breakerMax = 30 * time.Second
	// defaultFailures is how many failures in a row open a breaker. Where one call in ten fails,
	// which is no outage, so many come together once in ten thousand million calls.
	defaultFailures = 10
)

// health is what one request tells about its host.
type health int

const (
	// healthUnknown: nothing. The request was not sent, or its caller gave it up.
	healthUnknown health = iota
	// healthy: the host answered. A refusal is an answer too: 429 and wrong credentials are the
	// trouble of one account.
	healthy
	// failing: the host answered 5xx, lost the connection, or did not answer in time. That may be
	// the trouble of the account that the request was about.
	failing
	// unreachable: there was no connection. No account is the cause of that.
	unreachable
)

// breaker is the circuit breaker of one host. While it is closed, every request passes. A number of
// failures in a row opens it. Then no request passes for a while, and after that a single one, the
// probe. A healthy probe closes the breaker. A failed one doubles the time until the next probe, up
// to a bound.
//
// The trouble of one account does not open it. The failures must concern several accounts, or the
// parent, on which all others depend, or be of a kind that no account causes.
//
// A breaker has no goroutine and no timer: the first request after the wait is the probe.
type breaker struct {
	// failures in a row open it; negative means never.
	failures int
	// least and most bound the time between two probes.
	least, most time.Duration
	parent      string

	mu sync.Mutex
	// The failures in a row while it is closed: their number, the account that the first was about,
	// and whether they are more than the trouble of that account.
	inARow  int
	account string
	shared  bool

	open     bool
	until    time.Time // the earliest time of the next probe
	probing  bool
	period   time.Duration // the time between two probes: now, or when it was open last
	closedAt time.Time
	// generation grows when the breaker opens or closes. The end of a request from an earlier
	// generation counts for nothing: all requests in flight at the opening fail, and none of them
	// is the probe.
	generation int
	pacer      pacer
}

// pass is the breaker's permission to send one request. It is reported once.
type pass struct {
	generation int
	probe      bool
}

// transition is what the report of a request did to the breaker.
type transition int

const (
	unchanged transition = iota
	opened
	closed
)

// capacity returns how many requests would pass now, and the wait before any more of them:
// positive, unless all pass.
func (b *breaker) capacity(now time.Time, random float64) (requests int, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !b.open:
		return math.MaxInt, 0
	case b.blocks(now):
		return 0, b.retryAfter(now, random)
	default:
		return 1, b.least
	}
}

// allow lets a request pass, or returns the wait of its caller. Every pass must be reported.
func (b *breaker) allow(now time.Time, random float64) (p pass, retryAfter time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open {
		if b.blocks(now) {
			return pass{}, b.retryAfter(now, random)
		}
		b.probing = true
	}
	return pass{generation: b.generation, probe: b.open}, 0
}

// blocks says of an open breaker that no request may pass now. b.mu is locked.
func (b *breaker) blocks(now time.Time) bool { return b.probing || now.Before(b.until) }

// retryAfter returns the wait of one caller while the breaker is open. During a probe it expects
// the probe to fail. If the probe succeeds, the caller comes a little late; if it waited for the
// end of the probe only, a failure would make it wait for nothing. b.mu is locked.
func (b *breaker) retryAfter(now time.Time, random float64) time.Duration {
	start := b.until
	if b.probing {
		start = now.Add(b.period)
	}
	return b.pacer.retryAfter(start, now, random)
}

// sample is what one request told about the host.
type sample struct {
	health  health
	account string        // the account that the request was about
	asked   time.Duration // the wait that its answer asked for, or 0
}

// report notes what the request of a pass told. A positive retryAfter says that the request failed
// because of an outage, and is the wait of its caller.
func (b *breaker) report(
	p pass, s sample, now time.Time, random float64,
) (_ transition, retryAfter time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	done := b.note(p, s, now, random)
	if b.open && (s.health == failing || s.health == unreachable) {
		retryAfter = b.retryAfter(now, random)
	}
	return done, retryAfter
}

// note is the state machine behind report. b.mu is locked.
func (b *breaker) note(p pass, s sample, now time.Time, random float64) transition {
	if p.generation != b.generation {
		return unchanged
	}
	if p.probe {
		b.probing = false
	}
	switch {
	case s.health == healthUnknown:
		return unchanged // If it was the probe, the next request is.
	case s.health == healthy && b.open:
		b.close(now)
		return closed
	case s.health == healthy:
		b.inARow = 0
		if b.period > 0 && now.Sub(b.closedAt) >= b.period {
			b.period = 0
		}
		return unchanged
	case b.open:
		b.trip(s.asked, now, random)
		return unchanged
	}
	if b.inARow == 0 {
		b.account, b.shared = s.account, false
	}
	b.inARow++
	if s.health == unreachable || s.account != b.account || s.account == b.parent {
		b.shared = true
	}
	if b.failures < 0 || b.inARow < b.failures || !b.shared {
		return unchanged
	}
	b.trip(s.asked, now, random)
	return opened
}

// trip opens the breaker, or leaves it open for another period.
//
// The period begins at its least only if the breaker has been closed for as long as it was open
// before. A host that answers one request and fails under many would otherwise get the many every
// second.
func (b *breaker) trip(asked time.Duration, now time.Time, random float64) {
	if !b.open {
		b.generation++
	}
	b.open = true
	b.period = min(max(2*b.period, b.least), b.most)
	wait := onboarding.Backoff(1, b.period, b.most, random)
	b.until = now.Add(max(wait, min(asked, pacingSpan)))
}

func (b *breaker) close(now time.Time) {
	b.open, b.closedAt = false, now
	b.generation++
	b.inARow = 0
	b.pacer = pacer{}
}

// healthOfSilence is the health that a request without an answer tells. The end of a request that
// its caller gave up tells nothing.
func healthOfSilence(neverSent, givenUp bool) health {
	switch {
	case givenUp:
		return healthUnknown
	case neverSent:
		return unreachable
	default:
		return failing
	}
}

// healthOfAnswer is the health that an answer tells by its status and Twilio's code, 0 without one.
func healthOfAnswer(status, code int) health {
	if status >= http.StatusInternalServerError && code != codeTooManyRequests {
		return failing
	}
	return healthy
}
