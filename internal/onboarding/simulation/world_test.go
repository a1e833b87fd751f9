package simulation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/desk"
	"github.com/attestd/attestd/internal/onboarding/memledger"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// Bounds of a run: one that needs more is stuck.
const (
	maxTurns    = 100_000
	maxResumes  = 60
	maxDuration = 30 * 24 * time.Hour
)

// world is all there is in one run. Its fields belong to whoever has the turn.
type world struct {
	scenario scenario
	mutant   mutant
	rng      *rand.Rand
	begun    time.Time
	roughEnd time.Time

	turns    *turns
	ctx      context.Context
	end      context.CancelFunc
	working  sync.WaitGroup
	events   []scheduled
	replicas []*replica

	sim     *trusthubsim.Simulator
	tokens  *tokens
	store   *memledger.Store
	plan    onboarding.Plan
	service *desk.Service
	// onboardings by their IDs, in the order in which they were asked for.
	ids         []onboarding.ID
	subaccounts map[onboarding.ID]string

	// What people have done: see acts_test.go. handmade are the SIDs of what was at Twilio before;
	// again says how often something may be made once more because it has gone, writable which
	// objects a correction has opened, and broken whose objects were deleted at Twilio that attestd
	// does not make again. hidden: something has changed that nobody tells attestd of; doneSince is
	// since when there has been nothing to do.
	itching     int
	handmade    map[string]bool
	again       map[string]int
	amendedAt   map[onboarding.ID]time.Time
	beside      map[string]int // how many more may be there beside the one, because that took their place
	writable    map[string]bool
	broken      map[onboarding.ID]bool
	hidden      bool
	doneSince   time.Time
	back        map[string]bool        // the SIDs of what was taken back
	askedAgain  map[onboarding.ID]bool // to let go of what is left after a cancellation
	numbersEver int
	emptyLists  int             // of numbers, to come
	amongAll    map[string]bool // numbers that attestd has found among all of a subaccount
	// What has become of bundles at Twilio, as far as attestd did it: see wrote.
	changes             int
	edited, evaluatedAt map[string]int
	seen                map[string]string
	lost                map[string]bool // what went from Twilio past attestd
	gone                map[string]bool // numbers that were taken off bundles past attestd
	consoled            map[string]bool // bundles about which something was decided past attestd

	ledgerDownUntil        time.Time
	replicasEver, runsEver int
	resumes                map[onboarding.ID]int
	doubled                int
	judging                sync.Mutex   // guards what the laws note: two requests may leave, or two writes come, at one moment
	mu                     sync.Mutex   // guards what follows
	taken                  map[move]int // changes of state that were written
	trace                  []string
	violation              error
}

// scheduled is something that is to happen at a time.
type scheduled struct {
	at time.Time
	do func()
}

// outcome is what a run came to.
type outcome struct {
	scenario scenario
	err      error
	trace    []string
	digest   string
	taken    map[move]int
	// virtual is how long it lasted; the others count what there was in it.
	virtual                 time.Duration
	requests, doubled, runs int
}

// simulate plays one scenario, in virtual time.
func simulate(t *testing.T, s scenario, m mutant) (o outcome) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		w := newWorld(s, m)
		w.play()
		w.tell()
		o = outcome{
			scenario: s, err: w.violation, trace: w.trace, taken: w.taken,
			virtual: time.Since(w.begun), requests: len(w.sim.Requests()), doubled: w.doubled, runs: w.runsEver,
		}
		sum := sha256.Sum256([]byte(strings.Join(w.trace, "\n")))
		o.digest = hex.EncodeToString(sum[:8])
	})
	return o
}

// tell adds to the trace of a run that failed how its onboardings stand.
func (w *world) tell() {
	if w.violation == nil {
		return
	}
	for _, id := range w.ids {
		o := w.get(id)
		w.tracef("%s, version %d, is %s:", id, o.Version, o.Status())
		for _, s := range o.Steps {
			w.tracef("  %-70s %-9s %s %s waits for %q until %s", s.Key, s.State, s.SID, s.RemoteStatus, s.WaitsFor, s.NextAttemptAt)
		}
	}
}

// play is the story of a run: it begins, much goes wrong, then nothing does any more and everything
// must finish.
func (w *world) play() {
	defer w.close()
	if err := w.setUp(); err != nil {
		w.violated("set up: %v", err)
		return
	}
	w.roughEnd = time.Now().Add(w.scenario.faultsFor)
	w.at(w.roughEnd, w.calm)
	deadline := w.roughEnd.Add(maxDuration)
	for w.turns.given < maxTurns {
		synctest.Wait()
		switch {
		case w.violation != nil:
			return
		case w.turns.twins != "":
			w.violated("not repeatable: two goroutines are %q", w.turns.twins)
		}
		w.hurry()
		if w.rough() && w.rng.Float64() < w.scenario.mishap {
			w.mishap()
		}
		w.itch(false)
		w.fetch()
		if w.turns.give(w.rng) {
			w.pass(time.Duration(1_000 + w.rng.IntN(40_000)))
			continue
		}
		if w.itch(true) {
			continue
		}
		if w.idle() {
			return
		}
		if time.Now().After(deadline) {
			w.violated("stuck: not finished after %s without faults", maxDuration)
			return
		}
		w.rest()
	}
	w.violated("stuck: not finished after %d turns", maxTurns)
}

// rough tells whether things still go wrong.
func (w *world) rough() bool { return time.Now().Before(w.roughEnd) }

// at schedules f.
func (w *world) at(when time.Time, f func()) { w.events = append(w.events, scheduled{when, f}) }

func (w *world) after(d time.Duration, f func()) { w.at(time.Now().Add(d), f) }

// hurry does what is scheduled and due, the first first.
func (w *world) hurry() {
	for {
		first := w.nextEvent()
		if first < 0 || w.events[first].at.After(time.Now()) {
			return
		}
		do := w.events[first].do
		w.events = append(w.events[:first], w.events[first+1:]...)
		do()
	}
}

func (w *world) nextEvent() int {
	first := -1
	for i, e := range w.events {
		if first < 0 || e.at.Before(w.events[first].at) {
			first = i
		}
	}
	return first
}

// fetch gives the jobs that are due to replicas.
func (w *world) fetch() {
	for {
		var able []*replica
		for _, r := range w.replicas {
			if r.takesJobs() {
				able = append(able, r)
			}
		}
		if len(able) == 0 {
			return
		}
		job := w.store.Fetch()
		if job == nil {
			return
		}
		able[w.rng.IntN(len(able))].begin(job)
	}
}

// rest lets time pass until something moves or is due.
func (w *world) rest() {
	for told := true; told; { // What was told until now has been looked at.
		select {
		case <-w.turns.arrived:
		case <-w.store.Changed():
		default:
			told = false
		}
	}
	until := time.Now().Add(time.Hour)
	// A job that is due and not fetched waits for a replica, which is an event.
	if due, ok := w.store.NextDue(); ok && due.Before(until) && due.After(time.Now()) {
		until = due
	}
	if first := w.nextEvent(); first >= 0 && w.events[first].at.Before(until) {
		until = w.events[first].at
	}
	timer := time.NewTimer(time.Until(until) + time.Duration(w.rng.IntN(1000)))
	defer timer.Stop()
	select {
	case <-w.turns.arrived:
	case <-w.store.Changed():
	case <-timer.C:
	}
}

// idle is called when nobody wants a turn. It checks that nobody is forgotten, and tells whether
// everything is over.
func (w *world) idle() (over bool) {
	done, quiet := !w.rough() && !w.acting(), true
	for _, r := range w.replicas {
		quiet = quiet && (r.dead || len(r.runs) == 0)
	}
	for _, id := range w.ids {
		due, scheduled := w.store.Due(id)
		if scheduled && (!done || time.Until(due) <= time.Hour) {
			quiet = false
			done = done && w.statusOf(id) == onboarding.StatusApproved
			continue
		}
		switch status := w.statusOf(id); {
		case status == onboarding.StatusApproved && scheduled: // Only checks are to come.
		case status == onboarding.StatusCanceled && !scheduled:
			done = done && w.letGo(id)
		case scheduled, status == onboarding.StatusActionRequired:
			done = false
		default:
			w.violated("forgotten: %s is %s and no job is scheduled", id, status)
		}
	}
	switch {
	case !done:
		w.doneSince = time.Time{}
		return false
	case w.doneSince.IsZero():
		w.doneSince = time.Now()
	}
	if over = quiet && w.looked(); over && w.violation == nil {
		w.finished()
	}
	return over
}

// looked tells whether attestd must have found by itself what nobody has told it: it looks once in
// a check interval, and not for what was under way at that time.
func (w *world) looked() bool {
	p := w.scenario.people
	return !w.hidden || time.Since(w.doneSince) > p.approvalValidity+2*p.checkInterval+2*time.Hour
}

// calm ends all faults.
func (w *world) calm() {
	w.tracef("calm")
	for _, r := range w.replicas {
		r.paused = false
	}
	for len(w.living()) < w.scenario.replicas {
		w.start()
	}
	if validity := w.scenario.people.approvalValidity; validity > 0 {
		settings := w.sim.Settings()
		settings.ApprovalValidity = trusthubsim.Duration(365 * 24 * time.Hour)
		if err := w.sim.SetSettings(settings); err != nil {
			w.violated("settings: %v", err)
		}
		w.unseen()
	}
	w.after(time.Minute, w.mend)
}

func (w *world) living() []*replica {
	var living []*replica
	for _, r := range w.replicas {
		if !r.dead && !r.stops {
			living = append(living, r)
		}
	}
	return living
}

func (w *world) resume(id onboarding.ID) {
	w.tracef("resume %s", id)
	if _, err := w.service.Resume(w.ctx, "key:simulated", id); err != nil {
		w.violated("resume: %v", err)
	}
}

// receive takes in a callback as the API does once its signature is checked.
func (w *world) receive(c onboarding.Callback) error {
	err := w.mutant.receive(w, c)
	for _, s := range w.get(c.OnboardingID).Steps {
		if isReview(s.Key) && s.State == onboarding.StepSucceeded {
			w.reviewedTruly(c.OnboardingID, s.Key)
		}
	}
	return err
}

func (w *world) statusOf(id onboarding.ID) onboarding.Status { return w.get(id).Status() }

func (w *world) get(id onboarding.ID) *onboarding.Onboarding {
	o, err := w.store.Get(w.ctx, id)
	if err != nil {
		w.violated("get: %v", err)
		return &onboarding.Onboarding{}
	}
	w.plan.Arrange(o)
	return o
}

// close ends everything that moves.
func (w *world) close() {
	w.end()
	w.turns.end()
	w.working.Wait()
	w.sim.Close()
	synctest.Wait()
}

// tracef adds a line to the trace.
func (w *world) tracef(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace = append(w.trace, fmt.Sprintf("%14.6f ", time.Since(w.begun).Seconds())+fmt.Sprintf(format, args...))
}

// violated ends the run: a law was broken.
func (w *world) violated(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.violation == nil {
		w.violation = fmt.Errorf(format, args...)
		w.trace = append(w.trace, fmt.Sprintf("%14.6f VIOLATION: %v", time.Since(w.begun).Seconds(), w.violation))
	}
}
