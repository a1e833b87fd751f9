package trusthub

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

const (
	// raiseAfter is the number of answers without a 429 that raise a lowered limit by one.
	raiseAfter = 50
	// recovery is how long after its last backoff an idle account gets its full limit back.
	recovery = 10 * time.Minute
	// Bounds of the backoff after a 429. It doubles from one to the other, unless Twilio asks for
	// a longer wait.
	backoffMin = time.Second
	backoffMax = time.Minute
)

// errQueueTimeout: the request would have waited in the queue for longer than its time allows.
var errQueueTimeout = errors.New("waited too long for a permit")

// limiters are the limiters of all accounts that sign requests. An entry costs about as much as the
// account's token and likewise stays until the process ends: accounts are few next to requests.
type limiters struct {
	max int // of each account; negative means no limit

	mu        sync.Mutex
	byAccount map[string]*limiter
}

// of returns the account's limiter.
func (l *limiters) of(account string) *limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one := l.byAccount[account]; one != nil {
		return one
	}
	if l.byAccount == nil {
		l.byAccount = make(map[string]*limiter)
	}
	one := newLimiter(l.max)
	l.byAccount[account] = one
	return one
}

// limiter limits the requests that one account has in flight, and lets the account back off after
// "too many requests" (429).
//
// Twilio counts the concurrent requests of an account. It publishes no limit, and the account's
// owner may run other software under the same limit. So the limiter begins with its maximum, halves
// its limit after a 429, and raises it by one after every raiseAfter answers without a 429.
//
// Callers above the limit wait in a queue, first come, first served. All onboardings share the
// parent's queue: nobody waits there for a caller that came later. An onboarding with hundreds of
// numbers does not fill it, because it looks them up page by page, and assigns them with its own
// account's credentials.
type limiter struct {
	max int

	mu       sync.Mutex
	limit    int             // permits that may be out now, from 1 to max
	inFlight int             // permits that are out
	queue    []chan struct{} // waiting callers; a closed channel is a granted permit
	answers  int             // answers without a 429 since limit changed
	backoff  backoff
}

func newLimiter(most int) *limiter {
	if most < 0 {
		most = math.MaxInt
	}
	return &limiter{max: most, limit: most}
}

// permit is the right to have one request in flight. It is released once.
type permit struct {
	round int // the backoff's, when the request began
}

// acquire waits for a permit, at most for maxWait. Its error is errQueueTimeout or the context's.
func (l *limiter) acquire(ctx context.Context, now time.Time, maxWait time.Duration) (permit, error) {
	if err := ctx.Err(); err != nil {
		return permit{}, err
	}
	l.mu.Lock()
	l.restore(now)
	if l.inFlight < l.limit { // Then the queue is empty, see grant.
		l.inFlight++
		p := permit{l.backoff.round}
		l.mu.Unlock()
		return p, nil
	}
	granted := make(chan struct{})
	l.queue = append(l.queue, granted)
	l.mu.Unlock()

	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	var err error
	select {
	case <-granted:
	case <-timer.C:
		err = errQueueTimeout
	case <-ctx.Done():
		err = ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		return permit{l.backoff.round}, nil
	}
	if i := slices.Index(l.queue, granted); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
	} else {
		l.inFlight-- // The permit was granted in the same moment.
		l.grant()
	}
	return permit{}, err
}

// grant hands free permits to the queue. l.mu is locked.
func (l *limiter) grant() {
	for len(l.queue) > 0 && l.inFlight < l.limit {
		close(l.queue[0])
		l.queue = l.queue[1:]
		l.inFlight++
	}
}

// restore gives an idle account its full limit if its last backoff ended a good while ago. l.mu is
// locked.
func (l *limiter) restore(now time.Time) {
	if l.inFlight == 0 && !l.backoff.until.IsZero() && now.Sub(l.backoff.until) >= recovery {
		l.limit, l.answers, l.backoff = l.max, 0, backoff{}
	}
}

// release ends a request that got no 429. answered says that Twilio answered it.
func (l *limiter) release(p permit, answered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight--
	if answered {
		l.backoff.answered(p.round)
		if l.answers++; l.answers >= raiseAfter && l.limit < l.max {
			l.limit, l.answers = l.limit+1, 0
		}
	}
	l.grant()
}

// releaseThrottled ends a request that got a 429. asked is the wait that Twilio asked for, or 0. It
// returns the wait of this caller.
func (l *limiter) releaseThrottled(
	p permit, asked time.Duration, now time.Time, random float64,
) (retryAfter time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.backoff.throttled(p.round, asked, now, random) {
		l.limit, l.answers = max(1, min(l.limit, l.inFlight)/2), 0
	}
	l.inFlight--
	l.grant()
	return l.backoff.retryAfter(now, random)
}

// retryAfter returns how long a call waits for the end of the account's backoff; 0 if there is
// none.
func (l *limiter) retryAfter(now time.Time, random float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.backoff.retryAfter(now, random)
}

// free returns the number of calls that would get a permit at once, but at least 1: one caller may
// as well wait in the queue.
func (l *limiter) free(now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.restore(now)
	return max(1, l.limit-l.inFlight)
}

// backoff is the pause of one account after a 429. All callers of the account pause together: the
// limit is the account's, and a caller that went on alone would use up what the others leave free.
type backoff struct {
	until time.Time
	// inARow counts the 429s without another answer in between, one for each round: if twenty
	// requests in flight all get a 429, the first one counts, and the others tell nothing new.
	inARow int
	// round grows with every 429 that counts. The end of a request from an earlier round counts
	// for nothing.
	round int
	pacer pacer
}

// throttled notes the 429 of a request that began in that round. asked is Twilio's own wait, or 0.
// The backoff lasts at least that long; it lasts longer if the account gets one 429 after another
// although it waits as told. counts says that the 429 is the first of its round.
func (b *backoff) throttled(
	round int, asked time.Duration, now time.Time, random float64,
) (counts bool) {
	if counts = round == b.round; counts {
		b.round++
		b.inARow++
		asked = max(asked, onboarding.Backoff(b.inARow, backoffMin, backoffMax, random))
	}
	if until := now.Add(asked); until.After(b.until) {
		b.until = until
	}
	return counts
}

// answered notes another answer to a request that began in that round.
func (b *backoff) answered(round int) {
	if round == b.round {
		b.inARow = 0
	}
}

// retryAfter returns the wait of one caller until the backoff is over; 0 if it is.
func (b *backoff) retryAfter(now time.Time, random float64) time.Duration {
	if !now.Before(b.until) {
		return 0
	}
	return b.pacer.retryAfter(b.until, now, random)
}
