package onboarding

import (
	"runtime"
	"sync"
	"testing"
)

func TestACrewRunsAllAtOnce(t *testing.T) {
	t.Parallel()
	const many = 3 * mostWaiting
	c := NewCrew()
	for range 3 {
		var all, begun sync.WaitGroup
		begun.Add(many)
		for range many {
			all.Add(1)
			c.Go(func() {
				defer all.Done()
				begun.Done()
				begun.Wait() // Until every other one has begun.
			})
		}
		all.Wait()
	}
	before := runtime.NumGoroutine()
	c.End()
	if c.waiting.Load() != 0 {
		t.Errorf("%d of %d goroutines are left after the end", c.waiting.Load(), before)
	}
}

func TestACrewKeepsFewMembers(t *testing.T) {
	t.Parallel()
	c := NewCrew()
	defer c.End()
	var all, go_ sync.WaitGroup
	go_.Add(1)
	for range 3 * mostWaiting {
		all.Add(1)
		c.Go(func() { go_.Wait(); all.Done() })
	}
	go_.Done()
	all.Wait()
	for range 3 * mostWaiting {
		runtime.Gosched()
	}
	if waiting := c.waiting.Load(); waiting > mostWaiting {
		t.Errorf("%d members wait, want at most %d", waiting, mostWaiting)
	}
}
