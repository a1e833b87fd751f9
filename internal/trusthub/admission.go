package trusthub

import (
	"errors"
	"net/url"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// Why a call was held back, as the Err of an onboarding.RemoteError.
var (
	errHeldBack    = errors.New("the account is held back after too many requests")
	errCircuitOpen = errors.New("held back because Twilio does not answer as it should")
)

// crowded is how long to wait for a free turn before asking again, unless an answer comes first.
const crowded = 250 * time.Millisecond

// Room implements [onboarding.TrustHub]. It looks at what nearly all of an onboarding's calls need: the account and Trust Hub, and the
// parent and the other API while the account's token is not known. A call that needs more may still be held back when it is made.
func (c *Client) Room(account string) (calls int, wait time.Duration) {
	now := c.now()
	if wait := c.lanes.wait(account, now, c.random()); wait > 0 {
		return 0, wait
	}
	calls, wait = c.circuitOf(c.trustHub).room(now, c.random())
	if calls == 0 {
		return 0, wait
	}
	if account != c.parent && c.tokens.peek(account) == "" {
		if wait := c.lanes.wait(c.parent, now, c.random()); wait > 0 {
			return 0, wait
		}
		n, other := c.circuitOf(c.api).room(now, c.random())
		calls, wait = min(calls, n), max(wait, other)
		if calls == 0 {
			return 0, other
		}
	}
	if free := c.lanes.free(account); free < calls {
		calls, wait = free, max(wait, crowded)
	}
	return calls, wait
}

// heldBack is the failure of a call for which there is no room; nil if there is.
func (k *call) heldBack() *onboarding.RemoteError {
	now := k.now()
	if wait := k.lanes.wait(k.account, now, k.random()); wait > 0 {
		return held(errHeldBack, wait)
	}
	if calls, wait := k.circuitOf(k.url).room(now, k.random()); calls == 0 {
		return held(errCircuitOpen, wait)
	}
	return nil
}

// held is the failure of a call that was not tried.
func held(why error, wait time.Duration) *onboarding.RemoteError {
	return &onboarding.RemoteError{
		Class: onboarding.ClassRepeatable, Held: true, Outage: errors.Is(why, errCircuitOpen), RetryAfter: wait, Err: why,
	}
}

// circuitOf is the circuit of the host that u is at. Both APIs share one if they are configured to be at one place.
func (c *Client) circuitOf(u *url.URL) *circuit {
	if u.Host == c.api.Host && u.Scheme == c.api.Scheme {
		return &c.circuits[0]
	}
	return &c.circuits[1]
}

// longestQueue bounds the wait for a turn. A queue that long is no queue but a fault, and the onboarding had better be given back.
const longestQueue = time.Minute

// patience is how long the call may wait for its turn: a request that has to have left by some time (see onboarding.WithSendBy) need not
// wait beyond it.
func (k *call) patience(now time.Time) time.Duration {
	if by, limited := onboarding.SendBy(k.ctx); limited {
		return min(max(by.Sub(now), 0), longestQueue)
	}
	return longestQueue
}
