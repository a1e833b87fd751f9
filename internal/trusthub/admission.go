package trusthub

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// Why a call was not sent, as the Err of an onboarding.RemoteError.
var (
	errBackoff     = errors.New("not sent: the account backs off after too many requests")
	errBreakerOpen = errors.New("not sent: Twilio does not answer as it should")
)

const (
	// maxQueueTime bounds the wait for a permit. So long a queue is a fault, and its onboarding is
	// better given back.
	maxQueueTime = time.Minute
	// recheck is how long a caller of Capacity waits for a free permit, unless an answer comes first.
	recheck = 250 * time.Millisecond
	// pacingInterval lies between the retries of two callers, and pacingSpan is the time in which
	// all retries of a pacer lie.
	pacingInterval = 20 * time.Millisecond
	pacingSpan     = 5 * time.Minute
)

// Capacity implements [onboarding.TrustHub]: how many calls for the account would be admitted now.
//
// It looks at what nearly all calls of an onboarding need: the account and Trust Hub, and, until
// the account's token is known, the parent and the other API. A call that needs more may still not
// be sent.
func (c *Client) Capacity(account string) (calls int, wait time.Duration) {
	now := c.now()
	limiter := c.limiters.of(account)
	if wait := limiter.retryAfter(now, c.random()); wait > 0 {
		return 0, wait
	}
	calls, wait = c.breakerOf(c.trustHub).capacity(now, c.random())
	if calls == 0 {
		return 0, wait
	}
	if account != c.parent && c.tokens.peek(account) == "" {
		if wait := c.limiters.of(c.parent).retryAfter(now, c.random()); wait > 0 {
			return 0, wait
		}
		fetches, other := c.breakerOf(c.api).capacity(now, c.random())
		calls, wait = min(calls, fetches), max(wait, other)
	}
	if free := limiter.free(now); free < calls {
		calls, wait = free, max(wait, recheck)
	}
	return calls, wait
}

// breakerOf returns the breaker of the URL's host. Both APIs share one if both are configured to be
// on one host.
func (c *Client) breakerOf(u *url.URL) *breaker {
	if u.Host == c.api.Host && u.Scheme == c.api.Scheme {
		return &c.breakers[0]
	}
	return &c.breakers[1]
}

// admission is the permission to send one request: its account's permit and its host's pass. It
// ends with finish.
type admission struct {
	limiter *limiter
	permit  permit
	breaker *breaker
	pass    pass
}

// admit waits in the account's queue for permission to send the request. A failure says that the
// request must not be sent, and when to make the call a second time.
//
// The account and the host are checked before the queue, so that nobody waits there in vain, and
// after it, because much may have happened meanwhile.
func (k *call) admit() (admission, *onboarding.RemoteError) {
	a := admission{limiter: k.limiters.of(k.account), breaker: k.breakerOf(k.url)}
	now := k.now()
	if wait := a.limiter.retryAfter(now, k.random()); wait > 0 {
		return a, notSent(errBackoff, wait)
	}
	if requests, wait := a.breaker.capacity(now, k.random()); requests == 0 {
		return a, notSent(errBreakerOpen, wait)
	}
	var err error
	if a.permit, err = a.limiter.acquire(k.ctx, now, k.queueTime(now)); err != nil {
		return a, &onboarding.RemoteError{
			Class: onboarding.ClassRepeatable, Err: fmt.Errorf("wait for a permit: %w", err),
		}
	}
	now = k.now()
	if wait := a.limiter.retryAfter(now, k.random()); wait > 0 {
		a.limiter.release(a.permit, false)
		return a, notSent(errBackoff, wait)
	}
	var wait time.Duration
	if a.pass, wait = a.breaker.allow(now, k.random()); wait > 0 {
		a.limiter.release(a.permit, false)
		return a, notSent(errBreakerOpen, wait)
	}
	return a, nil
}

// queueTime is how long the call may wait for a permit. A request with a deadline for its sending
// (see onboarding.WithSendBy) has no use for a later permit.
func (k *call) queueTime(now time.Time) time.Duration {
	if deadline, ok := onboarding.SendBy(k.ctx); ok {
		return min(max(deadline.Sub(now), 0), maxQueueTime)
	}
	return maxQueueTime
}

// finish ends the admission and tells limiter and breaker how the request went. For a failure of
// the account or of the host, it sets the time of the next try.
func (k *call) finish(a admission, failure *onboarding.RemoteError) {
	now := k.now()
	var asked time.Duration
	if failure != nil {
		asked = failure.RetryAfter
	}
	done, wait := a.breaker.report(a.pass, sample{k.health, k.subject, asked}, now, k.random())
	k.logTransition(done)
	if failure != nil && wait > 0 {
		failure.Outage, failure.RetryAfter = true, max(failure.RetryAfter, wait)
	}
	if failure != nil && isTooManyRequests(failure) {
		failure.RetryAfter = a.limiter.releaseThrottled(a.permit, failure.RetryAfter, now, k.random())
		return
	}
	a.limiter.release(a.permit, k.status != 0)
}

// notSent is the failure of a call that was not admitted.
func notSent(why error, wait time.Duration) *onboarding.RemoteError {
	return &onboarding.RemoteError{
		Class: onboarding.ClassRepeatable, NotSent: true, Outage: errors.Is(why, errBreakerOpen),
		RetryAfter: wait, Err: why,
	}
}

// pacer spreads the retries of callers that were not admitted: each gets a time of its own, fifty a
// second. That is as many onboardings as a replica works on in a second. Faster retries would only
// wait in queues, and while Twilio is away each retry costs the ledger two writes.
//
// A random spread alone would be too long for one caller and too short for ten thousand. A
// rate.Limiter does not fit: its clock must not go back, but the start of the retries can, by the
// jitter of a breaker.
type pacer struct {
	next time.Time // the time of the next caller
}

// retryAfter returns the wait of one caller, from now. No retry makes sense before start. A caller
// whose time would lie beyond the span gets a random one within it.
func (p *pacer) retryAfter(start, now time.Time, random float64) time.Duration {
	at := start
	if p.next.After(at) {
		at = p.next
	}
	if at.Sub(start) < pacingSpan {
		p.next = at.Add(pacingInterval)
	} else {
		at = start.Add(time.Duration(random * float64(pacingSpan)))
	}
	// The other replicas pace their callers from about the same start.
	jitter := max(pacingInterval, start.Sub(now)/4)
	return at.Sub(now) + time.Duration(random*float64(jitter))
}
