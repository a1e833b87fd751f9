package engine

import (
	"sync"
	"testing"
	"testing/synctest"
)

func TestACrewMakesCallsAtOnceAndKeepsFewMembers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewCrew()
		for _, many := range []int{1, 3 * mostWaiting, 2, mostWaiting + 1} {
			var together sync.WaitGroup
			together.Add(many)
			made := make(chan bool, many)
			for range many {
				c.Go(func() {
					together.Done()
					together.Wait() // Until every other one is under way as well.
					made <- true
				})
			}
			synctest.Wait()
			if len(made) != many {
				t.Fatalf("%d of %d calls were made", len(made), many)
			}
			if waiting := c.waiting.Load(); waiting < 1 || waiting > mostWaiting {
				t.Errorf("%d members wait after %d calls, want 1 to %d", waiting, many, mostWaiting)
			}
		}
		c.End() // The bubble ends only when all goroutines have.
		if waiting := c.waiting.Load(); waiting != 0 {
			t.Errorf("%d members wait after the end", waiting)
		}
	})
}
