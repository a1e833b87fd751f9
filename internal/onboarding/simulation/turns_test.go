package simulation

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"
	"testing/synctest"
)

// turns lets one goroutine at a time do what others could notice, in an order that a generator
// decides.
type turns struct {
	mu      sync.Mutex
	waiting []*turn
	given   int
	over    bool
	arrived chan struct{} // one waits that did not before
	twins   string        // two that cannot be told apart: the run is not repeatable
}

// turn is a goroutine that waits to go on.
type turn struct {
	key   string
	owner *replica // nil for the network and for Twilio, which nobody pauses
	since int      // how many turns had been given when it began to wait
	draw  func(*rand.Rand)
	goOn  chan bool
}

func newTurns() *turns { return &turns{arrived: make(chan struct{}, 1)} }

// wait waits for a turn. draw, unless nil, is called with the seed's generator when it comes. It
// returns false if the owner died meanwhile, or the run is over: then nothing may be done any more.
// key tells it from all others that may wait at the same time.
func (t *turns) wait(owner *replica, key string, draw func(*rand.Rand)) bool {
	t.mu.Lock()
	if t.over || owner != nil && owner.dead {
		t.mu.Unlock()
		return false
	}
	w := &turn{key: key, owner: owner, since: t.given, draw: draw, goOn: make(chan bool)}
	t.waiting = append(t.waiting, w)
	t.mu.Unlock()
	select {
	case t.arrived <- struct{}{}:
	default:
	}
	return <-w.goOn
}

// give waits until nothing moves and lets one of those go on that wait, if there is any.
func (t *turns) give(rng *rand.Rand) bool {
	synctest.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	var ready []*turn
	for _, w := range t.waiting {
		if w.owner == nil || !w.owner.paused {
			ready = append(ready, w)
		}
	}
	if len(ready) == 0 {
		return false
	}
	slices.SortFunc(ready, func(a, b *turn) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.since, b.since))
	})
	for i := range ready[1:] {
		if ready[i].key == ready[i+1].key && ready[i].since == ready[i+1].since {
			t.twins = ready[i].key
		}
	}
	next := ready[rng.IntN(len(ready))]
	t.waiting = slices.DeleteFunc(t.waiting, func(w *turn) bool { return w == next })
	t.given++
	if next.draw != nil {
		next.draw(rng)
	}
	next.goOn <- true
	return true
}

// after makes what was done in all turns so far known to a goroutine that a timer woke: nothing
// else moves at such a moment, but nobody has told the memory so.
func (t *turns) after() {
	t.mu.Lock()
	defer t.mu.Unlock()
}

// bury sends away those that wait for a turn of a replica that died.
func (t *turns) bury(r *replica) {
	t.mu.Lock()
	r.dead = true
	t.mu.Unlock()
	t.sendAway(func(w *turn) bool { return w.owner == r })
}

// end sends everyone away, now and from now on.
func (t *turns) end() {
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	t.sendAway(func(*turn) bool { return true })
}

func (t *turns) sendAway(who func(*turn) bool) {
	t.mu.Lock()
	var gone []*turn
	t.waiting = slices.DeleteFunc(t.waiting, func(w *turn) bool {
		if who(w) {
			gone = append(gone, w)
			return true
		}
		return false
	})
	t.mu.Unlock()
	for _, w := range gone {
		w.goOn <- false
	}
}
