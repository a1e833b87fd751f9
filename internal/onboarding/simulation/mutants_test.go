package simulation

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/engine"
	"github.com/attestd/attestd/internal/onboarding/memledger"
)

// mutant is a deliberate fault in the protocol, made around the state machine and not in it: each
// takes one rule away. The zero value is none.
type mutant struct {
	name string
	// laws are how a violation begins that counts as finding it.
	laws []string
	// first is where the search begins, 1 if zero: a seed that was seen to find it, which saves
	// those before.
	first uint64

	mutatePlan       func(onboarding.Plan) onboarding.Plan
	mutateLedger     func(onboarding.Ledger, *memledger.Store) onboarding.Ledger
	mutateTiming     func(*engine.Timing)
	mutateReceive    func(*world, onboarding.Callback) error
	mutateRepository func(onboarding.InterruptibleRepository) onboarding.InterruptibleRepository
}

var mutants = []mutant{
	{
		name: "the intent is not written before the call", laws: []string{"without an intent"},
		mutateLedger: func(l onboarding.Ledger, _ *memledger.Store) onboarding.Ledger { return withoutIntents{l} },
	},
	{
		name: "a lookup finds nothing, and the call is repeated blindly", laws: []string{"made twice", "stuck"},
		mutatePlan: eachEffect(func(_ onboarding.Key, e *onboarding.Effect) {
			if e.Find != nil {
				e.Find = func(context.Context, onboarding.TrustHub) ([]onboarding.Outcome, error) { return nil, nil }
			}
		}),
	},
	{
		name: "a call whose answer was lost counts as not made", laws: []string{"made twice"},
		mutatePlan: eachEffect(func(_ onboarding.Key, e *onboarding.Effect) {
			do := e.Do
			if do == nil {
				return
			}
			e.Do = func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
				r, err := do(ctx, hub)
				var remote *onboarding.RemoteError
				if errors.As(err, &remote) && remote.Class == onboarding.ClassUnknown {
					err = &onboarding.RemoteError{Class: onboarding.ClassRepeatable, Err: remote}
				}
				return r, err
			}
		}),
	},
	{
		name: "a runner that lost its place writes on", laws: []string{"made twice", "without an intent", "forgotten", "lost"},
		mutateLedger: func(l onboarding.Ledger, s *memledger.Store) onboarding.Ledger { return withoutEpoch{l, s} },
	},
	{
		name: "a run that was woken ends nevertheless", first: 55, laws: []string{"forgotten"},
		mutateLedger: func(l onboarding.Ledger, _ *memledger.Store) onboarding.Ledger { return withoutWakeUps{l} },
	},
	{
		name: "a run ends without saying when to go on", laws: []string{"forgotten"},
		mutateLedger: func(l onboarding.Ledger, _ *memledger.Store) onboarding.Ledger { return withoutJobs{l} },
	},
	{
		name: "a call leaves however late it is", first: 93, laws: []string{"made twice", "without an intent", "edited"},
		mutatePlan: eachEffect(func(_ onboarding.Key, e *onboarding.Effect) {
			do := e.Do
			if do == nil {
				return
			}
			e.Do = func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
				return do(onboarding.WithSendBy(ctx, time.Now().Add(1000*time.Hour)), hub)
			}
		}),
	},
	{
		name: "a lookup is believed while lists still lag", first: 19, laws: []string{"made twice"},
		mutateTiming: func(t *engine.Timing) { t.Settle = 1 },
	},
	{
		name: "what is surplus is left there", laws: []string{"left twice"},
		mutatePlan: eachNode(func(n *onboarding.Node) {
			if effect := n.Effect; n.Aim == onboarding.AimDone {
				n.Effect = func(o *onboarding.Onboarding) onboarding.Effect {
					e := effect(o)
					e.Remove = func(context.Context, onboarding.TrustHub, string) error { return nil }
					return e
				}
			}
		}),
	},
	{
		name: "what is surplus is removed, and so is what is kept", laws: []string{"removed", "lost", "stuck", "made twice"},
		mutatePlan: eachEffect(func(_ onboarding.Key, e *onboarding.Effect) {
			if find := e.Find; find != nil {
				e.Find = func(ctx context.Context, hub onboarding.TrustHub) ([]onboarding.Outcome, error) {
					found, err := find(ctx, hub)
					return append(found, found...), err
				}
			}
		}),
	},
	{
		name: "a callback's claim is acted on", first: 15, laws: []string{"believed", "attestation"},
		mutateReceive: believe,
	},
	{
		name: "a bundle is submitted before its evaluation", laws: []string{"out of order"},
		mutatePlan: eachNode(func(n *onboarding.Node) {
			if n.Kind == onboarding.KindSubmission {
				n.Needs = []onboarding.Key{n.Bundle}
			}
		}),
	},
	{
		name: "a number reaches the product before the profile", laws: []string{"out of order"},
		mutatePlan: eachNode(func(n *onboarding.Node) {
			if n.Number != "" && n.Bundle == onboarding.ShakenStirKey {
				n.Needs = []onboarding.Key{n.Bundle}
			}
		}),
	},
	{
		name: "a correction is submitted without a new evaluation", laws: []string{"out of order", "edited"},
		mutateRepository: changing(func(_ *onboarding.Onboarding, c *onboarding.Change) {
			c.Steps = slices.DeleteFunc(c.Steps, func(s onboarding.Step) bool {
				return c.Request != nil && strings.HasSuffix(string(s.Key), ".evaluation") && s.SID != ""
			})
		}),
	},
	{
		name: "an amendment leaves the runner its epoch", first: 67, laws: []string{"without an intent", "edited", "not corrected", "no such way", "made twice", "out of order", "removed", "lost"},
		mutateRepository: func(r onboarding.InterruptibleRepository) onboarding.InterruptibleRepository {
			return withoutInterruption{r}
		},
	},
	{
		name: "cleanup deletes what was taken over", first: 40, laws: []string{"removed"},
		mutatePlan: eachEffectOf(func(o *onboarding.Onboarding, _ onboarding.Key, e *onboarding.Effect) {
			if e.Stays && o.Cleanup {
				account := o.SubaccountSID
				e.Remove = func(ctx context.Context, hub onboarding.TrustHub, sid string) error {
					switch sid[:2] {
					case "AD":
						return hub.DeleteAddress(ctx, account, sid)
					case "IT":
						return hub.DeleteEndUser(ctx, account, sid)
					case "BU":
						return hub.DeleteBundle(ctx, account, onboarding.CustomerProfile, sid)
					}
					return nil
				}
			}
		}),
	},
	{
		name: "an empty list of numbers removes all", first: 54, laws: []string{"removed"},
		mutatePlan: withoutNumbers,
	},
	{
		name: "a number is removed from the profile before the product", first: 22, laws: []string{"out of order"},
		mutatePlan: eachNode(func(n *onboarding.Node) {
			if n.Aim == onboarding.AimGone && n.Number != "" && n.Bundle == onboarding.CustomerProfileKey {
				n.Needs, n.StaysWith = nil, nil
			}
		}),
	},
	{
		name: "a canceled onboarding goes on", laws: []string{"after the end", "stuck"},
		mutatePlan: func(plan onboarding.Plan) onboarding.Plan {
			lay := plan.Nodes
			plan.Nodes = func(o *onboarding.Onboarding) []onboarding.Node {
				alive := *o
				alive.CanceledAt = time.Time{}
				return lay(&alive)
			}
			return plan
		},
	},
	{
		name: "an object is made in the parent account", laws: []string{"wrong account"},
		mutatePlan: eachEffect(func(_ onboarding.Key, e *onboarding.Effect) {
			do := e.Do
			if do == nil {
				return
			}
			e.Do = func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
				return do(ctx, asParent{hub})
			}
		}),
	},
}

// TestEveryMutantIsCaught shows that the simulation can fail: without any one of the protocol's
// rules it does, and says what was broken.
func TestEveryMutantIsCaught(t *testing.T) {
	t.Parallel()
	const patience = 400 // seeds
	for _, m := range mutants {
		t.Run(strings.ReplaceAll(m.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			first := max(m.first, 1)
			for seed := first; seed < first+patience; seed++ {
				o := simulate(t, scenarioOf(seed), m)
				if o.err == nil {
					continue
				}
				for _, law := range m.laws {
					if strings.HasPrefix(o.err.Error(), law) {
						t.Logf("caught by seed %d: %v", seed, o.err)
						return
					}
				}
				t.Fatalf("found something else than %q:\n%s", m.laws, o)
			}
			t.Errorf("not found with %d seeds", patience)
		})
	}
}

func (m mutant) plan(p onboarding.Plan) onboarding.Plan {
	if m.mutatePlan == nil {
		return p
	}
	return m.mutatePlan(p)
}

func (m mutant) ledger(l onboarding.Ledger, s *memledger.Store) onboarding.Ledger {
	if m.mutateLedger == nil {
		return l
	}
	return m.mutateLedger(l, s)
}

func (m mutant) timing(t engine.Timing) engine.Timing {
	if m.mutateTiming != nil {
		m.mutateTiming(&t)
	}
	return t
}

func (m mutant) receive(w *world, c onboarding.Callback) error {
	if m.mutateReceive != nil {
		return m.mutateReceive(w, c)
	}
	return w.service.ReceiveCallback(w.ctx, c)
}

func (m mutant) repository(r onboarding.InterruptibleRepository) onboarding.InterruptibleRepository {
	if m.mutateRepository == nil {
		return r
	}
	return m.mutateRepository(r)
}

func eachNode(change func(*onboarding.Node)) func(onboarding.Plan) onboarding.Plan {
	return func(plan onboarding.Plan) onboarding.Plan {
		lay := plan.Nodes
		plan.Nodes = func(o *onboarding.Onboarding) []onboarding.Node {
			nodes := lay(o)
			for i := range nodes {
				change(&nodes[i])
			}
			return nodes
		}
		return plan
	}
}

func eachEffect(change func(onboarding.Key, *onboarding.Effect)) func(onboarding.Plan) onboarding.Plan {
	return eachNode(func(n *onboarding.Node) {
		effect := n.Effect
		n.Effect = func(o *onboarding.Onboarding) onboarding.Effect {
			e := effect(o)
			change(n.Key, &e)
			return e
		}
	})
}

// eachEffectOf is eachEffect with the onboarding.
func eachEffectOf(change func(*onboarding.Onboarding, onboarding.Key, *onboarding.Effect)) func(onboarding.Plan) onboarding.Plan {
	return eachNode(func(n *onboarding.Node) {
		effect := n.Effect
		n.Effect = func(o *onboarding.Onboarding) onboarding.Effect {
			e := effect(o)
			change(o, n.Key, &e)
			return e
		}
	})
}
