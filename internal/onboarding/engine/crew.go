package engine

import (
	"sync"
	"sync/atomic"
)

// Crew makes calls in goroutines that go on to the next call. A call goes deep, through JSON and
// TLS. The stack of a new goroutine has to grow to that, by being copied again and again. In three
// pairs of runs of cmd/bench, side by side, everything together took 9 % more CPU time without a
// crew. Whoever makes a crew ends it.
type Crew struct {
	next    chan func()
	waiting atomic.Int32
	members sync.WaitGroup
}

// mostWaiting is how many members wait for the next call; more were wanted for a moment only.
const mostWaiting = 64

// NewCrew returns a crew without members.
func NewCrew() *Crew { return &Crew{next: make(chan func())} }

// Go runs f at once, in a goroutine other than the caller's.
func (c *Crew) Go(f func()) {
	select {
	case c.next <- f:
	default:
		c.members.Go(func() { c.work(f) })
	}
}

func (c *Crew) work(f func()) {
	for ok := true; ok; {
		f()
		if c.waiting.Add(1) > mostWaiting {
			c.waiting.Add(-1)
			return
		}
		f, ok = <-c.next
		c.waiting.Add(-1)
	}
}

// End waits for all calls. Nothing may be run any more.
func (c *Crew) End() {
	close(c.next)
	c.members.Wait()
}
