package simulation

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

var (
	seeds     = flag.Int("seeds", 0, "how many seeds to play; 0 is 2000, or 200 with -short or with -race")
	firstSeed = flag.Uint64("seed", 1, "the first seed")
	show      = flag.Bool("show", false, "print the trace of every run")
)

// TestNothingTwiceNothingLost plays as many seeds as it is told.
func TestNothingTwiceNothingLost(t *testing.T) {
	n := *seeds
	switch {
	case n == 0 && testing.Short():
		n = 200
	case n == 0:
		n = defaultSeeds
	}
	var total tally
	var next atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for !t.Failed() {
					i := next.Add(1) - 1
					if i >= int64(n) {
						return
					}
					o := simulate(t, scenarioOf(*firstSeed+uint64(i)), mutant{})
					if *show {
						fmt.Println(strings.Join(o.trace, "\n"))
					}
					if o.err != nil {
						t.Errorf("%s", o)
					}
					total.add(o)
				}
			})
		}
	})
	t.Logf("%s", &total)
	if n < 2000 || t.Failed() { // What people do is rare in fewer.
		return
	}
	for read, chart := range map[bool][]onboarding.Transition{true: onboarding.ReadChart(), false: onboarding.DeedChart()} {
		for _, tr := range chart {
			for _, from := range tr.From {
				if total.taken[move{read, from, tr.To}] == 0 {
					t.Errorf("no step (a read: %v) ever went from %s to %s: %s", read, from, tr.To, tr.When)
				}
			}
		}
	}
}

// TestSameSeedSameTrace: whatever a seed finds can be found again.
func TestSameSeedSameTrace(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 20; seed++ {
		first, second := simulate(t, scenarioOf(seed), mutant{}), simulate(t, scenarioOf(seed), mutant{})
		if first.digest != second.digest {
			t.Errorf("%s\n%s", first.scenario, parting(first.trace, second.trace))
		}
	}
}

// parting shows where two traces part.
func parting(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("%s\nand then once\n%s\nand once\n%s", strings.Join(a[max(0, i-10):i], "\n"), a[i], b[i])
		}
	}
	return fmt.Sprintf("one has %d lines, the other %d", len(a), len(b))
}

// String is what to read of a run that failed.
func (o outcome) String() string {
	const tail = 120
	trace := o.trace
	if len(trace) > tail {
		trace = append([]string{fmt.Sprintf("(%d lines before; -show prints them)", len(trace)-tail)}, trace[len(trace)-tail:]...)
	}
	return fmt.Sprintf("%v\n%s\n%s\nrepeat: go test ./internal/onboarding/simulation -run '^TestNothingTwiceNothingLost$' -seeds 1 -seed %d",
		o.err, o.scenario, strings.Join(trace, "\n"), o.scenario.seed)
}

// tally sums up many runs.
type tally struct {
	mu                                        sync.Mutex
	seeds, requests, runs, doubled, onboarded int
	virtualHours                              float64
	taken                                     map[move]int
}

func (s *tally) add(o outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seeds++
	s.requests += o.requests
	s.runs += o.runs
	s.doubled += o.doubled
	s.onboarded += o.scenario.onboardings
	s.virtualHours += o.virtual.Hours()
	if s.taken == nil {
		s.taken = map[move]int{}
	}
	for m, n := range o.taken {
		s.taken[m] += n
	}
}

func (s *tally) String() string {
	return fmt.Sprintf("%d seeds: %d onboardings in %d runs and %d requests over %.0f hours; the network doubled %d calls, attestd none",
		s.seeds, s.onboarded, s.runs, s.requests, s.virtualHours, s.doubled)
}
