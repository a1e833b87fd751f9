package trusthub

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"
)

// quiet is how long an account that was told "too many requests" is remembered for it. Afterwards it has its full width again.
const quiet = 10 * time.Minute

// widenAfter is how many answers without a refusal make a narrowed lane wider by one.
const widenAfter = 50

// errNoTurn: the request would have had to wait longer for its turn than it could.
var errNoTurn = errors.New("waited too long for a turn")

// lanes limit the requests that are under way for each account, and hold an account back after "too many requests".
//
// An account is alone in its lane: what it waits for delays nobody else. Within a lane turns are given in the order of asking, so that in
// the parent's lane, which all onboardings share, nobody waits for more than those who came before. An onboarding with hundreds of numbers
// does not crowd it: it looks them up page by page, and assigns them in its own account's lane.
//
// Twilio publishes no limit, and shares an account's between us and whatever else its owner runs. So a lane begins at its full width, is
// halved when Twilio says that there are too many, and widens again by and by.
type lanes struct {
	width int // of each lane; negative: no limit

	mu    sync.Mutex
	open  map[string]*lane
	swept time.Time
}

type lane struct {
	limit int // how many may be under way now
	busy  int
	queue []*waiter
	calm  int // answers since the limit was last changed
	hold  backoff
}

type waiter struct{ turn chan struct{} } // closed when the turn has come

// place is a turn in a lane, to be given back once.
type place struct {
	lane  *lane
	round int
}

// enter waits for a turn, for no longer than patience. Its error is errNoTurn or the context's.
func (l *lanes) enter(ctx context.Context, account string, now time.Time, patience time.Duration) (place, error) {
	if err := ctx.Err(); err != nil {
		return place{}, err
	}
	l.mu.Lock()
	a := l.laneOf(account, now)
	if a.busy < a.limit && len(a.queue) == 0 {
		a.busy++
		p := place{a, a.hold.round}
		l.mu.Unlock()
		return p, nil
	}
	w := &waiter{make(chan struct{})}
	a.queue = append(a.queue, w)
	l.mu.Unlock()

	timer := time.NewTimer(patience)
	defer timer.Stop()
	var err error
	select {
	case <-w.turn:
	case <-timer.C:
		err = errNoTurn
	case <-ctx.Done():
		err = ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		return place{a, a.hold.round}, nil
	}
	if i := slices.Index(a.queue, w); i >= 0 {
		a.queue = slices.Delete(a.queue, i, i+1)
	} else {
		a.busy-- // The turn came in the same moment.
	}
	l.tidy(account, a, now)
	return place{}, err
}

// laneOf returns the account's lane, and from time to time forgets lanes that are remembered for nothing. l.mu is held.
func (l *lanes) laneOf(account string, now time.Time) *lane {
	if a := l.open[account]; a != nil {
		return a
	}
	if l.open == nil {
		l.open = make(map[string]*lane)
	}
	if now.Sub(l.swept) >= time.Minute {
		l.swept = now
		for other, a := range l.open {
			l.tidy(other, a, now)
		}
	}
	a := &lane{limit: l.fullWidth()}
	l.open[account] = a
	return a
}

func (l *lanes) fullWidth() int {
	if l.width < 0 {
		return math.MaxInt
	}
	return l.width
}

// leave gives a turn back after a request that was made and was not refused for being one too many, or that was not made.
func (l *lanes) leave(account string, p place, made bool, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := p.lane
	a.busy--
	if made {
		a.hold.answered(p.round)
		if a.calm++; a.calm >= widenAfter && a.limit < l.fullWidth() {
			a.limit, a.calm = a.limit+1, 0
		}
	}
	l.tidy(account, a, now)
}

// leaveRefused gives a turn back after a request that was one too many, and returns how long its caller is to stay away. asked is the wait
// that Twilio named, or 0.
func (l *lanes) leaveRefused(account string, p place, asked time.Duration, now time.Time, random float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := p.lane
	if a.hold.refused(p.round, asked, now, random) {
		a.limit, a.calm = max(1, min(a.limit, a.busy)/2), 0
	}
	a.busy--
	l.tidy(account, a, now)
	return a.hold.wait(now, random)
}

// tidy gives free turns to those who wait and closes a lane that nobody needs. l.mu is held.
func (l *lanes) tidy(account string, a *lane, now time.Time) {
	for len(a.queue) > 0 && a.busy < a.limit {
		close(a.queue[0].turn)
		a.queue = a.queue[1:]
		a.busy++
	}
	if a.busy == 0 && len(a.queue) == 0 && (a.hold.until.IsZero() || now.Sub(a.hold.until) >= quiet) {
		if l.open[account] == a {
			delete(l.open, account)
		}
	}
}

// wait is for how long the account's calls are to stay away; 0 if they need not.
func (l *lanes) wait(account string, now time.Time, random float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.open[account]; a != nil {
		return a.hold.wait(now, random)
	}
	return 0
}

// free is how many calls would get their turn at once, but at least one: a caller who finds the lane full can queue as well as ask again.
func (l *lanes) free(account string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.open[account]; a != nil {
		return max(1, a.limit-a.busy-len(a.queue))
	}
	return l.fullWidth()
}
