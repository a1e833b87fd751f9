package trusthub

import (
	"math"
	"net/http"
	"sync"
	"time"
)

// circuitMin is how long a circuit stays open at first.
const circuitMin = time.Second

// verdict is what a request tells about the host that it went to.
type verdict int

const (
	// noVerdict: nothing. The request was given up, or did not leave.
	noVerdict verdict = iota
	// alive: it answered, be it with a refusal. Too many requests and wrong credentials are an account's trouble.
	alive
	// failing: it answered 5xx, or broke off, or said nothing in time. That may be the trouble of the account that the request was about.
	failing
	// unreachable: there was no connection. That is nobody's in particular.
	unreachable
)

// circuit keeps requests from a host that does not work: it opens after so many failures in a row, refuses everyone for a while, then lets
// one request through to try, and only one. If that fails it stays open for twice as long, up to a bound.
//
// One account's trouble does not open it: the failures must be several accounts', the parent's (whom everyone needs), or of the kind that
// has nothing to do with an account.
//
// It has no goroutine and no timer: whoever asks first when the time has come is the one that tries.
type circuit struct {
	// failures in a row open it; negative: it never opens.
	failures int
	// least and most bound how long it stays open before one may try.
	least, most time.Duration
	// parent is the account whose trouble is everyone's.
	parent string

	mu     sync.Mutex
	inARow int
	about  string // the account of the first of them
	shared bool   // they are not one account's trouble alone

	open     bool
	until    time.Time // when one may try
	trying   bool
	period   time.Duration // how long it is, or was last, open
	closedAt time.Time
	// era is raised when it opens and when it closes. What a request of an earlier one still brings is old news: those that were under
	// way when it opened all fail, and none of them is the one that tries.
	era   int
	turns turns
}

// pass is what a request was let through with.
type pass struct {
	era    int
	trying bool
}

// change is what a request's end did to a circuit.
type change int

const (
	unchanged change = iota
	opened
	stayedOpen
	closed
)

// room says how many calls may be begun now, and how long to wait before any more; the wait is positive unless there is no limit.
func (c *circuit) room(now time.Time, random float64) (calls int, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.open:
		return math.MaxInt, 0
	case c.shut(now):
		return 0, c.stayAway(now, random)
	default:
		return 1, c.least
	}
}

// enter lets a request through or tells it how long to stay away. Every pass must be given back to leave.
func (c *circuit) enter(now time.Time, random float64) (p pass, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open {
		if c.shut(now) {
			return pass{}, c.stayAway(now, random)
		}
		c.trying = true
	}
	return pass{era: c.era, trying: c.open}, 0
}

// shut: it is open, and nobody may try now.
func (c *circuit) shut(now time.Time) bool { return c.trying || now.Before(c.until) }

// stayAway is for how long. While one tries, it expects the worst: if the trial goes well, those who come back later lose little, and if
// not, those who waited for its end would have waited for nothing.
func (c *circuit) stayAway(now time.Time, random float64) time.Duration {
	from := c.until
	if c.trying {
		from = now.Add(c.period)
	}
	return c.turns.after(from, now, random)
}

// leave takes in what became of a request about that account. asked is how long its answer asked us to wait, 0 if it did not. If the
// request failed and the circuit is open, it was not the request's own failure, and wait is for how long to stay away.
func (c *circuit) leave(p pass, v verdict, about string, asked time.Duration, now time.Time, random float64) (_ change, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	done := c.take(p, v, about, asked, now, random)
	if c.open && (v == failing || v == unreachable) {
		wait = c.stayAway(now, random)
	}
	return done, wait
}

// take changes the state. c.mu is held.
func (c *circuit) take(p pass, v verdict, about string, asked time.Duration, now time.Time, random float64) change {
	if p.era != c.era {
		return unchanged
	}
	if p.trying {
		c.trying = false
	}
	switch {
	case v == noVerdict:
		return unchanged // If it was the one that tried, the next may.
	case v == alive && c.open:
		c.close(now)
		return closed
	case v == alive:
		c.inARow = 0
		if c.period > 0 && now.Sub(c.closedAt) >= c.period {
			c.period = 0
		}
		return unchanged
	case c.open:
		c.trip(asked, now, random)
		return stayedOpen
	}
	if c.inARow == 0 {
		c.about, c.shared = about, false
	}
	c.inARow++
	if v == unreachable || about != c.about || about == c.parent {
		c.shared = true
	}
	if c.failures < 0 || c.inARow < c.failures || !c.shared {
		return unchanged
	}
	c.trip(asked, now, random)
	return opened
}

func (c *circuit) close(now time.Time) {
	c.open, c.closedAt = false, now
	c.era++
	c.inARow = 0
	c.turns = turns{}
}

// trip opens it, or keeps it open for longer. The period starts at its least only if it has stayed closed for as long as it was open last:
// a host that answers the one and fails the many would otherwise be asked by the many every second.
func (c *circuit) trip(asked time.Duration, now time.Time, random float64) {
	if !c.open {
		c.era++
	}
	c.open = true
	c.period = min(max(2*c.period, c.least), c.most)
	away := exponential(1, c.period, c.most, random)
	c.until = now.Add(max(away, min(asked, turnsWithin)))
}

// silence is the verdict of a request that was not answered. abandoned: its caller gave it up, so that its end says nothing.
func silence(neverSent, abandoned bool) verdict {
	switch {
	case abandoned:
		return noVerdict
	case neverSent:
		return unreachable
	default:
		return failing
	}
}

// spoken is the verdict of an answer with that status and Twilio's code, 0 if it had none.
func spoken(status, code int) verdict {
	if status >= http.StatusInternalServerError && code != codeTooManyRequests {
		return failing
	}
	return alive
}
