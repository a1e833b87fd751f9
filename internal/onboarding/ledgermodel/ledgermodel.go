// Package ledgermodel compares an implementation of [onboarding.Ledger] and
// [onboarding.Repository] with a model of a few lines, over sequences of calls that
// pgregory.net/rapid draws. The suite in internal/onboarding/ledgertest has the rules by example.
// This package looks for a sequence of calls that breaks one. It is for tests only.
//
// Start reading at [Check].
package ledgermodel

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/ledgertest"
)

// Check draws sequences of calls, and makes each about an onboarding of its own. setup is called
// once.
func Check(t *testing.T, setup func(t *testing.T) ledgertest.Harness) {
	t.Helper()
	h := setup(t)
	number := 0
	rapid.Check(t, func(rt *rapid.T) {
		number++
		m := &machine{t: t, rt: rt, harness: h, steps: map[onboarding.Key]onboarding.State{}}
		m.create(fmt.Sprint(number))
		rt.Repeat(map[string]func(*rapid.T){
			"":          m.check,
			"fetch":     m.fetch,
			"claim":     m.claim,
			"record":    m.record,
			"release":   m.release,
			"wake":      m.wake,
			"interrupt": m.interrupt,
			"callback":  m.callback,
			"abandon":   m.abandon,
		})
		m.leave()
	})
}

// machine is the model of one onboarding. After each call the implementation must read the same.
type machine struct {
	t       *testing.T
	rt      *rapid.T
	harness ledgertest.Harness
	id      onboarding.ID

	steps     map[onboarding.Key]onboarding.State
	events    int
	callbacks []string // idempotency tokens
	epoch     int64
	// woken says that something woke the onboarding since the newest claim. told says that a claim
	// was told of a wake-up, and that its run has not ended in order.
	woken, told bool

	// job is the number of the job, 0 if there is none. jobs is the newest number.
	job, jobs int
	running   bool // the job was fetched
	isDue     bool // otherwise it is due in an hour
	workers   []*worker
}

// worker has fetched a job, which the onboarding need not have any more.
type worker struct {
	ctx    context.Context
	ledger onboarding.Ledger
	job    int
	epoch  int64 // of its newest claim, 0 before
}

// at is a time in the history. The model does not look at it.
var at = time.Date(2026, time.March, 14, 15, 9, 26, 0, time.UTC)

// now is the ledger's time.
func (m *machine) now() time.Time {
	o, err := m.harness.Repository.Get(m.t.Context(), m.id)
	m.must(err)
	return o.ReadAt
}

func (m *machine) create(name string) {
	m.id = onboarding.ID("onb_model_" + name)
	o := &onboarding.Onboarding{
		ID: m.id, CallbackToken: "token-" + name, Version: 1, CreatedAt: at, UpdatedAt: at,
		SubaccountSID: "AC" + name,
	}
	m.must(m.harness.Repository.Create(m.t.Context(), o, onboarding.Event{At: at, Kind: "onboarding.created"}))
	m.events = 1
	m.schedule(true)
}

// schedule gives the onboarding a new job in place of the one it had, if any.
func (m *machine) schedule(isDue bool) {
	m.jobs++
	m.job, m.running, m.isDue = m.jobs, false, isDue
}

// wakeUp is what every wake-up does. After it the onboarding has a job that runs or is due.
func (m *machine) wakeUp() {
	m.woken = true
	if m.job == 0 || !m.running && !m.isDue {
		m.schedule(true)
	}
}

func (m *machine) fetch(rt *rapid.T) {
	if m.job == 0 || m.running || !m.isDue {
		rt.Skip("nothing is due")
	}
	ctx, ledger := m.harness.Fetch(m.t, m.id)
	m.running = true
	m.workers = append(m.workers, &worker{ctx: ctx, ledger: ledger, job: m.job})
}

func (m *machine) claim(rt *rapid.T) {
	w := m.anyone(rt)
	o, err := w.ledger.Claim(w.ctx, m.id)
	if w.job != m.job {
		m.lost(err)
		return
	}
	m.must(err)
	m.epoch++
	w.epoch = m.epoch
	m.told = m.told || m.woken
	m.woken = false
	if o.Epoch != m.epoch || o.Woken != m.told {
		m.fail("claimed epoch %d and woken %t, want %d and %t", o.Epoch, o.Woken, m.epoch, m.told)
	}
	m.same(o.Steps)
}

func (m *machine) record(rt *rapid.T) {
	w := m.claimed(rt)
	if w.epoch == m.epoch && w.job != m.job {
		rt.Skip("rescued, and not claimed by another yet: it may write or not")
	}
	c := m.change(rt, w)
	err := w.ledger.Record(w.ctx, c)
	if w.epoch != m.epoch {
		m.lost(err)
		return
	}
	m.must(err)
	m.write(c)
}

// change is what a worker writes: any steps, or none.
func (m *machine) change(rt *rapid.T, w *worker) onboarding.Change {
	c := onboarding.Change{ID: m.id, Epoch: w.epoch, Status: onboarding.StatusInProgress}
	keys := rapid.SliceOfNDistinct(rapid.SampledFrom([]onboarding.Key{"a", "b", "c.d"}), 0, 3, rapid.ID[onboarding.Key]).Draw(rt, "keys")
	for _, key := range keys {
		state := rapid.SampledFrom([]onboarding.State{onboarding.StepRunning, onboarding.StepSucceeded, onboarding.StepFailed}).Draw(rt, "state")
		c.Steps = append(c.Steps, onboarding.Step{Key: key, State: state})
		c.Events = append(c.Events, onboarding.Event{At: at, Kind: "step." + string(state), Step: key})
	}
	return c
}

func (m *machine) write(c onboarding.Change) {
	for _, s := range c.Steps {
		m.steps[s.Key] = s.State
	}
	m.events += len(c.Events)
}

func (m *machine) release(rt *rapid.T) {
	w := m.claimed(rt)
	when := rapid.SampledFrom([]string{"never", "now", "later"}).Draw(rt, "next")
	now := m.now()
	next := map[string]time.Time{"never": {}, "now": now, "later": now.Add(time.Hour)}[when]
	c := m.change(rt, w)
	woken, err := w.ledger.Release(w.ctx, c, next)
	if w.epoch != m.epoch || w.job != m.job {
		m.lost(err)
		return
	}
	m.must(err)
	m.write(c)
	if woken != m.woken {
		m.fail("the release says woken %t, want %t", woken, m.woken)
	}
	switch {
	case m.woken: // It goes on.
		return
	case when == "never":
		m.job, m.running = 0, false
	default:
		m.schedule(when == "now")
	}
	m.told = false
}

func (m *machine) wake(rt *rapid.T) {
	state := rapid.SampledFrom([]onboarding.State{onboarding.StepPending, onboarding.StepFailed}).Draw(rt, "state")
	if rapid.Bool().Draw(rt, "refuse") {
		refusal := errors.New("refused")
		err := m.harness.Repository.Update(m.t.Context(), m.id, func(*onboarding.Onboarding, time.Time) (onboarding.Change, error) {
			return onboarding.Change{}, refusal
		})
		if !errors.Is(err, refusal) {
			m.fail("a refused update says %v", err)
		}
		return
	}
	var c onboarding.Change
	m.must(m.harness.Repository.Update(m.t.Context(), m.id, func(o *onboarding.Onboarding, now time.Time) (onboarding.Change, error) {
		c = onboarding.Change{
			ID: m.id, Status: o.Status(), Steps: []onboarding.Step{{Key: "a", State: state}},
			Events: []onboarding.Event{{At: now, Kind: "onboarding.resumed"}},
		}
		return c, nil
	}))
	m.write(c)
	m.wakeUp()
}

func (m *machine) interrupt(*rapid.T) {
	var c onboarding.Change
	m.must(m.harness.Repository.Interrupt(m.t.Context(), m.id, func(o *onboarding.Onboarding, now time.Time) (onboarding.Change, error) {
		c = onboarding.Change{
			ID: m.id, Status: o.Status(), Steps: []onboarding.Step{{Key: "a", State: onboarding.StepPending}},
			Events: []onboarding.Event{{At: now, Kind: "onboarding.amended"}},
		}
		return c, nil
	}))
	m.write(c)
	m.epoch++
	m.woken = true
	m.schedule(true)
}

func (m *machine) callback(rt *rapid.T) {
	wake := rapid.Bool().Draw(rt, "wake")
	token := rapid.SampledFrom([]string{"", "one", "two"}).Draw(rt, "token")
	m.must(m.harness.Repository.RecordCallback(m.t.Context(), onboarding.Callback{
		OnboardingID: m.id, ReceivedAt: at, IdempotencyToken: token, Body: []byte("{}"),
	}, wake))
	if token != "" && slices.Contains(m.callbacks, token) {
		return
	}
	m.callbacks = append(m.callbacks, token)
	if wake {
		m.wakeUp()
	}
}

func (m *machine) abandon(rt *rapid.T) {
	if m.job == 0 || !m.running {
		rt.Skip("no job runs")
	}
	m.harness.Abandon(m.t, m.id)
	m.schedule(true)
}

// anyone is any worker, even one whose onboarding has another job.
func (m *machine) anyone(rt *rapid.T) *worker {
	if len(m.workers) == 0 {
		rt.Skip("no job was fetched")
	}
	return m.workers[rapid.IntRange(0, len(m.workers)-1).Draw(rt, "worker")]
}

// claimed is any worker that has claimed, even if another has claimed later.
func (m *machine) claimed(rt *rapid.T) *worker {
	w := m.anyone(rt)
	if w.epoch == 0 {
		rt.Skip("a runner writes nothing before it has claimed")
	}
	return w
}

// check compares everything that can be read, after each call.
func (m *machine) check(*rapid.T) {
	o, err := m.harness.Repository.Get(m.t.Context(), m.id)
	m.must(err)
	m.same(o.Steps)
	events, err := m.harness.Repository.Events(m.t.Context(), m.id)
	m.must(err)
	callbacks, err := m.harness.Repository.Callbacks(m.t.Context(), m.id)
	m.must(err)
	if len(events) != m.events || len(callbacks) != len(m.callbacks) {
		m.fail("%d events and %d callbacks, want %d and %d", len(events), len(callbacks), m.events, len(m.callbacks))
	}
	due, scheduled := m.harness.Due(m.t, m.id)
	switch {
	case scheduled != (m.job != 0):
		m.fail("a job: %t, want %t", scheduled, m.job != 0)
	case scheduled && !m.running && m.isDue == due.After(o.ReadAt):
		m.fail("the job is due at %s, read at %s, want it due: %t", due, o.ReadAt, m.isDue)
	}
}

func (m *machine) same(steps []onboarding.Step) {
	got := map[onboarding.Key]onboarding.State{}
	for _, s := range steps {
		got[s.Key] = s.State
	}
	if !maps.Equal(got, m.steps) {
		m.fail("the steps are %v, want %v", got, m.steps)
	}
}

// leave ends the onboarding's job, so that no worker has it when the test ends.
func (m *machine) leave() {
	if m.job == 0 {
		return
	}
	if m.running {
		m.harness.Abandon(m.t, m.id)
		m.schedule(true)
	}
	if !m.isDue {
		m.wakeUp()
		m.must(m.harness.Repository.Update(m.t.Context(), m.id, func(o *onboarding.Onboarding, _ time.Time) (onboarding.Change, error) {
			return onboarding.Change{ID: m.id, Status: o.Status()}, nil
		}))
	}
	ctx, ledger := m.harness.Fetch(m.t, m.id)
	for woken := true; woken; {
		o, err := ledger.Claim(ctx, m.id)
		m.must(err)
		woken, err = ledger.Release(ctx, onboarding.Change{ID: m.id, Epoch: o.Epoch, Status: o.Status()}, time.Time{})
		m.must(err)
	}
}

// lost checks that a call under an older claim, or for a job that was replaced, was refused.
func (m *machine) lost(err error) {
	if !errors.Is(err, onboarding.ErrLostPlace) {
		m.fail("a worker that has lost its place gets %v", err)
	}
}

func (m *machine) must(err error) {
	if err != nil {
		m.fail("%v", err)
	}
}

func (m *machine) fail(format string, args ...any) {
	m.rt.Helper()
	m.rt.Fatalf(format, args...)
}
