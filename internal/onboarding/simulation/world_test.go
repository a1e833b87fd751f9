package simulation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
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
	service *onboarding.Service
	// onboardings by their IDs, in the order in which they were asked for.
	ids         []onboarding.ID
	subaccounts map[onboarding.ID]string

	ledgerDownUntil        time.Time
	replicasEver, runsEver int
	resumes, doubled       int
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
		o = outcome{
			scenario: s, err: w.violation, trace: w.trace, taken: w.taken,
			virtual: time.Since(w.begun), requests: len(w.sim.Requests()), doubled: w.doubled, runs: w.runsEver,
		}
		sum := sha256.Sum256([]byte(strings.Join(w.trace, "\n")))
		o.digest = hex.EncodeToString(sum[:8])
	})
	return o
}

func newWorld(s scenario, m mutant) *world {
	w := &world{
		scenario: s, mutant: m, rng: rand.New(rand.NewPCG(s.seed, 1)), begun: time.Now(),
		turns: newTurns(), store: memledger.New(), subaccounts: map[onboarding.ID]string{}, taken: map[move]int{},
	}
	w.ctx, w.end = context.WithCancel(context.Background())
	w.sim = trusthubsim.New(trusthubsim.Config{
		Seed: s.seed, ProductGate: s.productGate, ReviewDelay: s.reviewDelay, ListLag: s.lag, Callbacks: s.callbacks,
		CallbackClient: callbacks{w},
	})
	w.tokens = &tokens{sim: w.sim, real: map[string]string{}, now: map[string]string{}}
	w.plan = onboarding.TrustHubPlan(onboarding.PlanConfig{
		SecondaryProfilePolicySID: onboarding.DefaultSecondaryProfilePolicySID,
		ShakenStirPolicySID:       onboarding.DefaultShakenStirPolicySID,
		Gate:                      s.gate,
		CallbackURL:               func(token string) string { return "https://attestd.example.com/webhooks/" + token },
	})
	w.service = &onboarding.Service{
		Repository: w.store, Plan: w.plan, Now: time.Now,
		NewID:    func() onboarding.ID { return onboarding.ID(fmt.Sprintf("onb_%d", len(w.ids)+1)) },
		NewToken: func() string { return fmt.Sprintf("token-%d", len(w.ids)+1) },
	}
	return w
}

// play is the story of a run: it begins, much goes wrong, then nothing does any more and everything must finish.
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
		w.fetch()
		if w.turns.give(w.rng) {
			w.pass(time.Duration(1_000 + w.rng.IntN(40_000)))
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

// idle is called when nobody wants a turn. It checks that nobody is forgotten, and tells whether everything is over.
func (w *world) idle() (over bool) {
	over = !w.rough()
	for _, r := range w.replicas {
		over = over && (r.dead || len(r.runs) == 0)
	}
	for _, id := range w.ids {
		due, scheduled := w.store.Due(id)
		if scheduled && (!over || time.Until(due) <= time.Hour) { // Whatever its status is. To read it every time would take half of a run.
			over = false
			continue
		}
		switch status := w.get(id).Status(); {
		case status == onboarding.StatusApproved && scheduled && time.Until(due) > time.Hour: // Only checks are to come.
		case scheduled, status == onboarding.StatusActionRequired:
			over = false
		default:
			w.violated("forgotten: %s is %s and no job is scheduled", id, status)
		}
	}
	if over && w.violation == nil {
		w.finished()
	}
	return over
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

// mend does what people do when action is required: they see to it that the reviewer is content, and resume.
func (w *world) mend() {
	var waiting bool
	for _, id := range w.ids {
		o := w.get(id)
		switch o.Status() {
		case onboarding.StatusApproved:
			continue
		case onboarding.StatusActionRequired:
			if w.resumes++; w.resumes > maxResumes {
				w.violated("stuck: %s still needs action after %d resumes: %+v", id, w.resumes, o.Requirements())
				return
			}
			for _, key := range []onboarding.Key{"customer_profile", "trust_product"} {
				if step := o.Step(key.Sub("review")); step != nil && step.State == onboarding.StepFailed {
					_ = w.sim.Review(o.SID(key), trusthubsim.Decision{Status: trusthubsim.StatusApproved})
				}
			}
			w.resume(id)
		default:
		}
		waiting = true
	}
	if waiting {
		w.after(time.Hour, w.mend)
	}
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
		if s.Key.IsReview() && s.State == onboarding.StepSucceeded {
			w.reviewedTruly(c.OnboardingID, s.Key)
		}
	}
	return err
}

func (w *world) get(id onboarding.ID) *onboarding.Onboarding {
	o, err := w.store.Get(w.ctx, id)
	if err != nil {
		w.violated("get: %v", err)
		return &onboarding.Onboarding{}
	}
	w.plan.Arrange(o)
	return o
}

// setUp makes the subaccounts with their numbers, the replicas and the onboardings.
func (w *world) setUp() error {
	for range w.scenario.onboardings {
		var account struct {
			SID   string `json:"sid"`
			Token string `json:"auth_token"`
		}
		if err := w.post("/2010-04-01/Accounts.json", url.Values{"FriendlyName": {"Example Plumbing LLC"}}, &account); err != nil {
			return err
		}
		w.tokens.real[account.SID] = account.Token
		var numbers []string
		for i := range w.scenario.numbers {
			var number struct {
				SID    string `json:"sid"`
				Number string `json:"phone_number"`
			}
			wanted := fmt.Sprintf("+1202555%02d%02d", len(w.ids), i)
			if err := w.post("/2010-04-01/Accounts/"+account.SID+"/IncomingPhoneNumbers.json", url.Values{"PhoneNumber": {wanted}}, &number); err != nil {
				return err
			}
			numbers = append(numbers, pick(w.rng, number.SID, number.Number))
		}
		w.pass(w.scenario.lag + time.Second)
		o, err := w.service.Create(w.ctx, "key:simulated", w.scenario.request(account.SID, numbers))
		if err != nil {
			return err
		}
		w.ids = append(w.ids, o.ID)
		w.subaccounts[o.ID] = account.SID
	}
	for range w.scenario.replicas {
		w.start()
	}
	return nil
}

// post makes something at Twilio with the parent's credentials, past everything that is under test.
func (w *world) post(path string, form url.Values, into any) error {
	r, err := http.NewRequestWithContext(w.ctx, http.MethodPost, "https://api.twilio.com"+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(trusthubsim.DefaultAccountSID, trusthubsim.DefaultAuthToken)
	response, err := w.sim.Transport().RoundTrip(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusCreated {
		return fmt.Errorf("POST %s: %s: %s", path, response.Status, body)
	}
	return json.Unmarshal(body, into)
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
