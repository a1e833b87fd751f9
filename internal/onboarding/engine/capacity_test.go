package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/desk"
	"github.com/attestd/attestd/internal/onboarding/engine"
	"github.com/attestd/attestd/internal/onboarding/memledger"
)

// narrow is a TrustHub that only says how much room it has; the effects of these tests call
// nothing.
type narrow struct {
	onboarding.TrustHub
	calls int
	wait  time.Duration
	asked int
}

func (n *narrow) Capacity(string) (int, time.Duration) {
	n.asked++
	return n.calls, n.wait
}

// strained is an onboarding of made-up steps.
type strained struct {
	hub    *narrow
	store  *memledger.Store
	runner *engine.Runner
	begun  time.Time
	did    map[onboarding.Key]int
}

const strainedID onboarding.ID = "onb_strained"

// strain makes an onboarding of n steps without needs. effect says what each does; its Do is
// counted.
func strain(t *testing.T, n int, effect onboarding.Effect) *strained {
	t.Helper()
	s := &strained{hub: &narrow{calls: math.MaxInt}, store: memledger.New(), begun: time.Now(), did: make(map[onboarding.Key]int)}
	nodes := func(*onboarding.Onboarding) (nodes []onboarding.Node) {
		for i := range n {
			key := onboarding.Key(fmt.Sprintf("step_%d", i))
			node := onboarding.Node{Key: key, Role: onboarding.Role{Kind: onboarding.KindObject}}
			counted := effect
			if effect.Do != nil {
				counted.Do = s.counting(key, effect.Do)
			} else {
				node.Kind, counted.Look = onboarding.KindRead, s.counting(key, effect.Look)
			}
			node.Effect = func(*onboarding.Onboarding) onboarding.Effect { return counted }
			nodes = append(nodes, node)
		}
		return nodes
	}
	plan := onboarding.Plan{Nodes: nodes, Explain: inItsWords}
	s.runner = &engine.Runner{
		Hub: s.hub, Plan: plan, Name: "r1", Now: time.Now, Random: func() float64 { return 0 }, Logger: slog.New(slog.DiscardHandler), Concurrency: 1,
	}
	service := desk.Service{
		Repository: s.store, Plan: plan, Now: time.Now,
		NewID: func() onboarding.ID { return strainedID }, NewToken: func() string { return "token" },
	}
	if _, err := service.Create(t.Context(), "test", onboarding.Request{SubaccountSID: "AC1"}); err != nil {
		t.Fatal(err)
	}
	return s
}

// effectFunc is a look or a deed.
type effectFunc = func(context.Context, onboarding.TrustHub) (onboarding.Outcome, error)

func (s *strained) counting(key onboarding.Key, call effectFunc) effectFunc {
	return func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
		s.did[key]++
		return call(ctx, hub)
	}
}

// inItsWords asks for what the refusal says.
func inItsWords(r onboarding.Refusal) onboarding.Requirement {
	return onboarding.Requirement{Code: "refused", Message: r.Error.Message}
}

// run works on the onboarding once, now.
func (s *strained) run(t *testing.T) {
	t.Helper()
	if err := s.runner.Advance(t.Context(), s.store, strainedID); err != nil {
		t.Fatal(err)
	}
}

func (s *strained) step(t *testing.T, key onboarding.Key) onboarding.Step {
	t.Helper()
	o, err := s.store.Get(t.Context(), strainedID)
	if err != nil {
		t.Fatal(err)
	}
	s.runner.Plan.Arrange(o)
	return *o.Step(key)
}

// wantDue checks how long after the beginning the onboarding's job is due.
func (s *strained) wantDue(t *testing.T, after time.Duration) {
	t.Helper()
	due, ok := s.store.Due(strainedID)
	if !ok || due.Sub(s.begun) != after {
		t.Errorf("the job is due %v after the beginning (%v), want %v", due.Sub(s.begun), ok, after)
	}
}

func (s *strained) events(t *testing.T) int {
	t.Helper()
	events, err := s.store.Events(t.Context(), strainedID)
	if err != nil {
		t.Fatal(err)
	}
	return len(events) - 1 // without its creation
}

func failingWith(e onboarding.RemoteError) func(context.Context, onboarding.TrustHub) (onboarding.Outcome, error) {
	return func(context.Context, onboarding.TrustHub) (onboarding.Outcome, error) { return nil, &e }
}

func findingNothing(context.Context, onboarding.TrustHub) ([]onboarding.Outcome, error) {
	return nil, nil
}

var heldBack = onboarding.RemoteError{Class: onboarding.ClassRepeatable, NotSent: true, Outage: true, RetryAfter: 30 * time.Second}

func TestWhereThereIsNoRoomNothingIsDoneOrWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := strain(t, 3, onboarding.Effect{Do: failingWith(heldBack), Find: findingNothing})
		s.hub.calls, s.hub.wait = 0, 40*time.Second
		s.run(t)
		if len(s.did) != 0 || s.events(t) != 0 {
			t.Errorf("calls %v, %d events", s.did, s.events(t))
		}
		if s.hub.asked != 1 {
			t.Errorf("room was asked for %d times: each time is another turn", s.hub.asked)
		}
		s.wantDue(t, 40*time.Second)
	})
}

func TestNoMoreCallsAreBegunThanThereIsRoomFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		at := make(map[time.Duration]int)
		begun := time.Now()
		s := strain(t, 4, onboarding.Effect{Find: findingNothing, Do: func(context.Context, onboarding.TrustHub) (onboarding.Outcome, error) {
			at[time.Since(begun)]++
			return onboarding.Done{Seen: onboarding.Seen{SID: "IT1"}}, nil
		}})
		s.runner.Concurrency = 4
		s.hub.calls, s.hub.wait = 1, time.Minute // the next is begun when the one has been answered, if there is room by then
		s.run(t)
		if fmt.Sprint(at) != "map[0s:4]" || s.hub.asked != 4 {
			t.Errorf("calls were begun at %v; room was asked for %d times, want once for each call", at, s.hub.asked)
		}
	})
}

func TestAnIntentThatWasHeldBackIsTakenBackAndIsNoAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := strain(t, 1, onboarding.Effect{Do: failingWith(heldBack), Find: findingNothing})
		s.run(t)
		step := s.step(t, "step_0")
		if step.State != onboarding.StepWaiting || step.Attempts != 0 || step.Error == nil {
			t.Errorf("the step is %+v", step)
		}
		s.wantDue(t, 30*time.Second)
	})
}

func TestAReadThatWasHeldBackLeavesNoTrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := strain(t, 1, onboarding.Effect{Look: failingWith(heldBack)})
		s.run(t)
		step := s.step(t, "step_0")
		if step.State != onboarding.StepPending || step.Attempts != 0 || s.events(t) != 0 || s.did["step_0"] != 1 {
			t.Errorf("the step is %+v, with %d events", step, s.events(t))
		}
		s.wantDue(t, 30*time.Second)
	})
}

// A call that failed ten times is tried again after minutes; if it fails because Twilio is down,
// that says nothing about the call.
func TestAnOutageDoesNotWearOutAStepsPatience(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		e    onboarding.RemoteError
		want time.Duration
	}{
		"refused":           {onboarding.RemoteError{Class: onboarding.ClassRepeatable, RetryAfter: 10 * time.Second}, 5 * time.Minute},
		"refused, outage":   {onboarding.RemoteError{Class: onboarding.ClassRepeatable, RetryAfter: 10 * time.Second, Outage: true}, 10 * time.Second},
		"no answer":         {onboarding.RemoteError{Class: onboarding.ClassUnknown}, 5 * time.Minute},
		"no answer, outage": {onboarding.RemoteError{Class: onboarding.ClassUnknown, RetryAfter: 10 * time.Second, Outage: true}, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := onboarding.RemoteError{Class: onboarding.ClassRepeatable}
				s := strain(t, 1, onboarding.Effect{Look: func(context.Context, onboarding.TrustHub) (onboarding.Outcome, error) {
					return nil, &e
				}})
				for range 10 {
					s.run(t)
					<-time.After(10 * time.Minute)
				}
				e = c.e
				s.run(t)
				step := s.step(t, "step_0")
				due, _ := s.store.Due(strainedID)
				if wait := time.Until(due); step.State != onboarding.StepWaiting || wait != c.want {
					t.Errorf("tried again after %v, want %v: %+v", wait, c.want, step)
				}
			})
		})
	}
}

// A lookup that does not get through is tried again less and less often, so that the runner lets go
// of the onboarding.
func TestALookupThatDoesNotGetThroughIsNotTriedForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		unknown := onboarding.RemoteError{Class: onboarding.ClassUnknown}
		s := strain(t, 1, onboarding.Effect{
			Do: failingWith(unknown),
			Find: func(context.Context, onboarding.TrustHub) ([]onboarding.Outcome, error) {
				looks++
				return nil, &unknown
			},
		})
		worked, runs := time.Duration(0), 0
		for time.Since(s.begun) < time.Hour {
			began := time.Now()
			s.run(t)
			worked += time.Since(began)
			runs++
			due, _ := s.store.Due(strainedID)
			<-time.After(time.Until(due))
		}
		if looks > 30 || runs > 25 || worked > time.Minute {
			t.Errorf("in an hour %d lookups in %d runs that took %v together", looks, runs, worked)
		}
		if step := s.step(t, "step_0"); step.State != onboarding.StepRunning || s.did["step_0"] != 1 {
			t.Errorf("the step is %+v; the call was made %d times, want once", step, s.did["step_0"])
		}
	})
}
