package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/engine"
	"github.com/attestd/attestd/internal/onboarding/memledger"
)

// A runner walks any plan. This one makes a kite, and flies it.
func ExampleRunner_Advance() {
	doing := func(what string) func(context.Context, onboarding.TrustHub) (onboarding.Outcome, error) {
		return func(context.Context, onboarding.TrustHub) (onboarding.Outcome, error) {
			fmt.Println(what)
			return onboarding.Done{Seen: onboarding.Seen{SID: "the kite"}}, nil
		}
	}
	plan := onboarding.Plan{Nodes: func(*onboarding.Onboarding) []onboarding.Node {
		return []onboarding.Node{
			{Key: "kite", Role: onboarding.Role{Kind: onboarding.KindObject}, Effect: func(*onboarding.Onboarding) onboarding.Effect {
				return onboarding.Effect{Do: doing("make a kite")}
			}},
			{Key: "flight", Role: onboarding.Role{Kind: onboarding.KindDeed}, Needs: []onboarding.Key{"kite"}, Effect: func(o *onboarding.Onboarding) onboarding.Effect {
				return onboarding.Effect{Do: doing("fly " + o.SID("kite"))}
			}},
		}
	}}
	ctx, ledger := context.Background(), memledger.New()
	o := &onboarding.Onboarding{ID: "onb_kite", CallbackToken: "token"}
	if err := ledger.Create(ctx, o, onboarding.Event{Kind: "onboarding.created"}); err != nil {
		fmt.Println(err)
	}
	runner := engine.Runner{
		Hub: boundlessHub{}, Plan: plan, Now: time.Now, Random: func() float64 { return 0 }, Logger: slog.New(slog.DiscardHandler),
	}
	if err := runner.Advance(ctx, ledger, o.ID); err != nil {
		fmt.Println(err)
	}
	// Output:
	// make a kite
	// fly the kite
}
