package engine_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/engine"
)

// A bundle takes nothing during its review, and the review is decided while Twilio's refusal is on
// its way. The refusal says nothing by then: the call is made again, and nobody is asked.
func TestARefusalOfBeforeADecisionIsNoRefusalAfterIt(t *testing.T) {
	t.Parallel()
	for name, class := range map[string]onboarding.Class{"refused": onboarding.ClassPermanent, "as if done before": onboarding.ClassExists} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				number := onboarding.Effect{
					RefusedUntil: "review",
					Do: func(context.Context, onboarding.TrustHub) (onboarding.Outcome, error) {
						if calls++; calls == 1 {
							<-time.After(500 * time.Millisecond) // The review is read meanwhile.
							return nil, &onboarding.RemoteError{Class: class, HTTPStatus: 409, Code: 20409}
						}
						return onboarding.Done{Seen: onboarding.Seen{SID: "RA1"}}, nil
					},
					Find: findingNothing,
				}
				review := onboarding.Effect{Look: func(context.Context, onboarding.TrustHub) (onboarding.Outcome, error) {
					<-time.After(100 * time.Millisecond)
					return onboarding.Done{}, nil
				}}
				node := func(key onboarding.Key, kind onboarding.Kind, e onboarding.Effect) onboarding.Node {
					return onboarding.Node{Key: key, Role: onboarding.Role{Kind: kind}, Effect: func(*onboarding.Onboarding) onboarding.Effect { return e }}
				}
				plan := onboarding.Plan{Explain: inItsWords, Nodes: func(*onboarding.Onboarding) []onboarding.Node {
					return []onboarding.Node{node("review", onboarding.KindReview, review), node("number", onboarding.KindAssignment, number)}
				}}
				store := newOnboarding(t)
				runner := &engine.Runner{
					Hub: boundlessHub{}, Plan: plan, Name: "r1", Now: time.Now, Random: func() float64 { return 0 }, Logger: slog.New(slog.DiscardHandler),
					Timing: engine.Timing{CheckInterval: -1},
				}
				if err := runner.Advance(t.Context(), store, modelID); err != nil {
					t.Fatal(err)
				}
				o, err := store.Get(t.Context(), modelID)
				if err != nil {
					t.Fatal(err)
				}
				if s := o.Step("number"); s.State != onboarding.StepSucceeded || calls != 2 {
					t.Errorf("after %d calls the number is %s: %v", calls, s.State, s.Requirements)
				}
			})
		})
	}
}
