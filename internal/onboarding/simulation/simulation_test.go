package simulation

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

var (
	seeds     = flag.Int("seeds", 0, "how many seeds to play; 0 is as many as the time allows, see seedsTime")
	firstSeed = flag.Uint64("seed", 1, "the first seed")
	show      = flag.Bool("show", false, "print the trace of every run")
)

const (
	// seedsTime is how long seeds are played if their number is not given.
	seedsTime = 20 * time.Second
	// leastSeeds are played however slow the machine is. With -short no more than these are played.
	leastSeeds = 50
	// mostSeeds are enough however fast the machine is. In so many every transition is taken:
	// people's acts are rare in fewer.
	mostSeeds = 2000
)

// isPlayed tells whether one more seed is played after so many, begun in that time. given is the
// number that was asked for, 0 for none.
func isPlayed(begun int, after time.Duration, given int, short bool) bool {
	switch {
	case given > 0:
		return begun < given
	case begun < leastSeeds:
		return true
	}
	return !short && begun < mostSeeds && after < seedsTime
}

func TestSeedsArePlayedUntilTheirTimeIsUsed(t *testing.T) {
	t.Parallel()
	const inTime, late = seedsTime - 1, seedsTime
	for _, tt := range []struct {
		name  string
		begun int
		after time.Duration
		given int
		short bool
		want  bool
	}{
		{"in time", leastSeeds, inTime, 0, false, true},
		{"late", leastSeeds, late, 0, false, false},
		{"late, and too few", leastSeeds - 1, late, 0, false, true},
		{"enough", mostSeeds, inTime, 0, false, false},
		{"a short run", leastSeeds, inTime, 0, true, false},
		{"fewer than asked for, and late", mostSeeds + 1, late, mostSeeds + 2, false, true},
		{"as many as asked for", 1, inTime, 1, false, false},
	} {
		if got := isPlayed(tt.begun, tt.after, tt.given, tt.short); got != tt.want {
			t.Errorf("%s: one more is played: %t, want %t", tt.name, got, tt.want)
		}
	}
}

// TestNothingTwiceNothingLost plays one seed after the other.
func TestNothingTwiceNothingLost(t *testing.T) {
	var total tally
	var begun atomic.Int64
	start := time.Now()
	t.Run("seeds", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for !t.Failed() {
					before := begun.Add(1) - 1
					if !isPlayed(int(before), time.Since(start), *seeds, testing.Short()) {
						return
					}
					o := simulate(t, scenarioOf(*firstSeed+uint64(before)), mutant{})
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
	missing := total.waysNotTaken()
	t.Logf("ways that no step took: %v", missing)
	if total.seeds >= mostSeeds && !t.Failed() && len(missing) > 0 {
		t.Errorf("in %d seeds no step ever took: %v", total.seeds, missing)
	}
}

// takenElsewhere are ways of the charts that nobody in the simulation makes a step take, each with the
// tests that do.
var takenElsewhere = map[move]string{
	{false, onboarding.StepFailed, onboarding.StepSucceeded}: "a comparison adopts what a refused step has left: internal/onboarding/reconcile",
	{true, onboarding.StepCanceled, onboarding.StepPending}:  "a product that was dropped is wanted again: internal/server",
	{true, onboarding.StepFailed, onboarding.StepCanceled}:   "a cancellation makes it pending first; without one it ends as it is: internal/onboarding/engine",
}

// waysNotTaken are the ways of the charts that no step went.
func (s *tally) waysNotTaken() (missing []move) {
	for read, chart := range map[bool][]onboarding.Transition{true: onboarding.ReadChart(), false: onboarding.DeedChart()} {
		for _, tr := range chart {
			for _, from := range tr.From {
				m := move{read, from, tr.To}
				if _, elsewhere := takenElsewhere[m]; !elsewhere && s.taken[m] == 0 {
					missing = append(missing, m)
				}
			}
		}
	}
	return missing
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
