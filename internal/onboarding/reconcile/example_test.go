package reconcile_test

import (
	"context"
	"fmt"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/memledger"
	"github.com/attestd/attestd/internal/onboarding/reconcile"
)

// Twilio has what the ledger does not know of: it was lost with the database, say. It is adopted.
func ExampleReconciler_Fix() {
	plan := onboarding.Plan{Nodes: func(*onboarding.Onboarding) []onboarding.Node {
		return []onboarding.Node{{Key: "end_user", Role: onboarding.Role{Kind: onboarding.KindObject}, Effect: func(*onboarding.Onboarding) onboarding.Effect {
			return onboarding.Effect{
				Do: func(context.Context, onboarding.TrustHub) (onboarding.Outcome, error) { return onboarding.Done{}, nil },
				Find: func(context.Context, onboarding.TrustHub) ([]onboarding.Outcome, error) {
					return []onboarding.Outcome{onboarding.Done{Seen: onboarding.Seen{SID: "IT1"}}}, nil
				},
			}
		}}}
	}}
	ctx, ledger := context.Background(), memledger.New()
	o := &onboarding.Onboarding{ID: "onb_example", CallbackToken: "token"}
	if err := ledger.Create(ctx, o, onboarding.Event{Kind: "onboarding.created"}); err != nil {
		fmt.Println(err)
	}
	r := reconcile.Reconciler{Repository: ledger, Plan: plan}
	before, after, done, err := r.Fix(ctx, o.ID)
	fmt.Println(before.Findings[0].Verdict, "→", after.Findings[0].Verdict, err)
	for _, a := range done {
		fmt.Println(a.Kind, a.Step, a.SID)
	}
	// Output:
	// not in the ledger → same <nil>
	// adopted end_user IT1
}
