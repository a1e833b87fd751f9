package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/desk"
	"github.com/attestd/attestd/internal/onboarding/engine"
	"github.com/attestd/attestd/internal/onboarding/memledger"
)

// TestAnyPlanIsWalkedInOrderAndNothingTwice draws a plan, what becomes of each call, and where
// processes die, and holds the state machine against a small model of Twilio. The state machine
// knows graphs and answers, and nothing of Trust Hub.
func TestAnyPlanIsWalkedInOrderAndNothingTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		m := drawModel(rt)
		var err error
		synctest.Test(t, func(t *testing.T) { err = m.play(t.Context()) })
		if err != nil {
			rt.Fatal(err)
		}
	})
}

// TestModelFindsABlindRepeat: the model can tell a state machine that keeps to the rules from one
// that does not.
func TestModelFindsABlindRepeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newModel(task{key: "task_0", kind: onboarding.KindObject, does: []ending{lostAfter}, blind: true})
		if err := m.play(t.Context()); err == nil {
			t.Error("a lookup that finds nothing goes unnoticed")
		}
	})
}

// model is one onboarding and what there is of it at Twilio.
type model struct {
	concurrency int
	// deaths are after how many points of the protocol processes die, each counted from its
	// beginning.
	deaths []int

	store *memledger.Store

	mu     sync.Mutex
	tasks  []*task
	exists map[onboarding.Key][]string // SIDs, the oldest first
	made   map[onboarding.Key]int
	broken error
}

func newModel(tasks ...task) *model {
	m := &model{concurrency: 1, exists: map[onboarding.Key][]string{}, made: map[onboarding.Key]int{}}
	for _, k := range tasks {
		m.tasks = append(m.tasks, &k)
	}
	return m
}

const modelID onboarding.ID = "onb_model"

// play takes the onboarding to its end: one process after the other works on it, and a person
// resumes whenever action is required.
func (m *model) play(ctx context.Context) error {
	m.store = memledger.New()
	service := &desk.Service{
		Repository: m.store, Plan: m.plan(), Now: time.Now,
		NewID: func() onboarding.ID { return modelID }, NewToken: func() string { return "token" },
	}
	if _, err := service.Create(ctx, "key:model", onboarding.Request{}); err != nil {
		return err
	}
	for range 300 {
		job := m.store.Fetch()
		if job != nil {
			m.run(ctx, job)
			if m.broken != nil {
				return m.broken
			}
			continue
		}
		if due, ok := m.store.NextDue(); ok {
			<-time.After(time.Until(due))
			continue
		}
		o, err := m.get(ctx)
		if err != nil {
			return err
		}
		switch status := statusOf(o.Steps); status {
		case onboarding.StatusApproved:
			return m.over(o)
		case onboarding.StatusActionRequired:
			if _, err := service.Resume(ctx, "key:model", modelID); err != nil {
				return err
			}
		default:
			return fmt.Errorf("the onboarding is %s, and nothing is scheduled: %+v", status, o.Steps)
		}
	}
	return errors.New("the onboarding does not end")
}

// get returns the onboarding as the store has it, with every step of the plan.
func (m *model) get(ctx context.Context) (*onboarding.Onboarding, error) {
	o, err := m.store.Get(ctx, modelID)
	if err == nil {
		m.plan().Arrange(o)
	}
	return o, err
}

// run is a process that works on one job, and may die of it.
func (m *model) run(ctx context.Context, job *memledger.Job) {
	ctx, die := context.WithCancel(ctx)
	defer die()
	left := -1
	if len(m.deaths) > 0 {
		left, m.deaths = m.deaths[0], m.deaths[1:]
	}
	runner := &engine.Runner{
		Hub: boundlessHub{}, Plan: m.plan(), Name: "model", Now: time.Now, Concurrency: m.concurrency,
		Timing: engine.Timing{CheckInterval: -1},
		Random: func() float64 { return 0.5 }, Logger: slog.New(slog.DiscardHandler),
		Reached: func(engine.Point, onboarding.Key) {
			m.mu.Lock()
			defer m.mu.Unlock()
			if left--; left == 0 {
				die()
			}
		},
	}
	if err := runner.Advance(ctx, modelLedger{job, m}, job.ID); err != nil {
		job.Abandon()
	}
}

// modelLedger is out of a dead process's reach, and checks the status that goes with each write.
type modelLedger struct {
	onboarding.Ledger
	model *model
}

func (l modelLedger) Record(ctx context.Context, c onboarding.Change) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := l.Ledger.Record(ctx, c); err != nil {
		return err
	}
	return l.check(ctx, c)
}

func (l modelLedger) Release(ctx context.Context, c onboarding.Change, next time.Time) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	woken, err := l.Ledger.Release(ctx, c, next)
	if err == nil {
		err = l.check(ctx, c)
	}
	return woken, err
}

func (l modelLedger) check(ctx context.Context, c onboarding.Change) error {
	o, err := l.model.get(ctx)
	if err != nil {
		return err
	}
	l.model.mu.Lock()
	defer l.model.mu.Unlock()
	if want := statusOf(o.Steps); c.Status != want {
		l.model.breaks("the status is %s, want %s: %+v", c.Status, want, o.Steps)
	}
	return nil
}

// statusOf says what steps amount to, in the words of the documentation.
func statusOf(steps []onboarding.Step) onboarding.Status {
	count := map[onboarding.State]int{}
	reviews := 0
	for _, s := range steps {
		count[s.State]++
		if s.State == onboarding.StepWaiting && s.Kind == onboarding.KindReview {
			reviews++
		}
	}
	switch {
	case count[onboarding.StepFailed] > 0:
		return onboarding.StatusActionRequired
	case count[onboarding.StepSucceeded] == len(steps):
		return onboarding.StatusApproved
	case reviews > 0 && count[onboarding.StepRunning] == 0 && count[onboarding.StepWaiting] == reviews:
		return onboarding.StatusInReview
	default:
		return onboarding.StatusInProgress
	}
}

func (m *model) plan() onboarding.Plan {
	return onboarding.Plan{Nodes: m.nodes, Explain: inItsWords}
}

func (m *model) nodes(*onboarding.Onboarding) []onboarding.Node {
	var nodes []onboarding.Node
	for _, k := range m.tasks {
		nodes = append(nodes, onboarding.Node{
			Key: k.key, Role: onboarding.Role{Kind: k.kind}, Needs: k.needs,
			Effect: func(*onboarding.Onboarding) onboarding.Effect { return m.effect(k) },
		})
	}
	return nodes
}

func (m *model) effect(k *task) onboarding.Effect {
	call := func(ctx context.Context, _ onboarding.TrustHub) (onboarding.Outcome, error) {
		if err := arrive(ctx, k); err != nil {
			return nil, err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.do(ctx, k)
	}
	if k.kind.IsRead() {
		return onboarding.Effect{Look: call}
	}
	return onboarding.Effect{Do: call, Find: m.finding(k), Remove: m.removing(k)}
}

func (m *model) finding(k *task) func(context.Context, onboarding.TrustHub) ([]onboarding.Outcome, error) {
	return func(ctx context.Context, _ onboarding.TrustHub) ([]onboarding.Outcome, error) {
		if err := arrive(ctx, k); err != nil {
			return nil, err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if err := failure(next(&k.lookups)); err != nil {
			return nil, err
		}
		var found []onboarding.Outcome
		for _, sid := range m.exists[k.key] {
			if !k.blind {
				found = append(found, onboarding.Done{Seen: onboarding.Seen{SID: sid}})
			}
		}
		return found, nil
	}
}

func (m *model) removing(k *task) func(context.Context, onboarding.TrustHub, string) error {
	return func(ctx context.Context, _ onboarding.TrustHub, sid string) error {
		if err := arrive(ctx, k); err != nil {
			return err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if i := slices.Index(m.exists[k.key], sid); i > 0 {
			m.exists[k.key] = slices.Delete(m.exists[k.key], i, i+1)
		} else {
			m.breaks("%s: %s is removed, the oldest or gone", k.key, sid)
		}
		return nil
	}
}

// do makes a call at Twilio, and checks that it may be made.
func (m *model) do(ctx context.Context, k *task) (onboarding.Outcome, error) {
	o, err := m.get(ctx)
	if err != nil {
		return onboarding.Done{}, err
	}
	for _, need := range k.needs {
		if o.Step(need).State != onboarding.StepSucceeded {
			m.breaks("%s is called before %s, which it needs", k.key, need)
		}
	}
	if state := o.Step(k.key).State; !k.kind.IsRead() && state != onboarding.StepRunning {
		m.breaks("%s is called without an intent: it is %s", k.key, state)
	}
	if len(m.exists[k.key]) > 0 {
		m.breaks("%s is called again, and was done before", k.key)
	}
	end := next(&k.does)
	if end == wanting {
		return onboarding.Wanting{Requirements: []onboarding.Requirement{{Code: "wanting"}}}, nil
	}
	if end == reviewing && k.kind.IsRead() {
		return onboarding.Reviewing{}, nil
	}
	var made onboarding.Done
	if !k.kind.IsRead() && (end == fine || end == lostAfter || end == reviewing) {
		times := 1
		if end == lostAfter && k.doubles {
			times = 2
		}
		for range times {
			m.made[k.key]++
			m.exists[k.key] = append(m.exists[k.key], fmt.Sprintf("%s/%d", k.key, m.made[k.key]))
		}
		made.SID = m.exists[k.key][0]
	}
	return made, failure(end)
}

// arrive is a request's way to Twilio. One whose process dies meanwhile does not arrive.
func arrive(ctx context.Context, k *task) error {
	select {
	case <-time.After(k.latency):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// breaks keeps the first rule that was broken.
func (m *model) breaks(format string, args ...any) {
	if m.broken == nil {
		m.broken = fmt.Errorf(format, args...)
	}
}

// over checks that what the ledger holds is what there is, and that there is one of each.
func (m *model) over(o *onboarding.Onboarding) error {
	for _, k := range m.tasks {
		if k.kind.IsRead() {
			continue
		}
		if there := m.exists[k.key]; len(there) != 1 || there[0] != o.Step(k.key).SID {
			return fmt.Errorf("%s: there are %q, and the ledger has %q", k.key, there, o.Step(k.key).SID)
		}
	}
	return nil
}

// boundlessHub has room for every call. The plan's effects need no more of it.
type boundlessHub struct{ onboarding.TrustHub }

func (boundlessHub) ParentAccount() string { return "AC" }

func (boundlessHub) Capacity(string) (int, time.Duration) { return math.MaxInt, 0 }
