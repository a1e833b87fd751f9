package simulation

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/memledger"
)

// mutant is a deliberate fault in the protocol, made around the state machine and not in it: each takes one rule away. The zero value is
// none.
type mutant struct {
	name string
	// laws are how a violation begins that counts as finding it.
	laws []string

	mutatePlan    func(onboarding.Plan) onboarding.Plan
	mutateLedger  func(onboarding.Ledger, *memledger.Store) onboarding.Ledger
	mutateTiming  func(*onboarding.Timing)
	mutateReceive func(*world, onboarding.Callback) error
}

var mutants = []mutant{
	{
		name: "the intent is not written before the call", laws: []string{"without an intent"},
		mutateLedger: func(l onboarding.Ledger, _ *memledger.Store) onboarding.Ledger { return withoutIntents{l} },
	},
	{
		name: "a lookup finds nothing, and the call is repeated blindly", laws: []string{"made twice"},
		mutatePlan: eachEffect(func(_ onboarding.Key, e *onboarding.Effect) {
			if e.Find != nil {
				e.Find = func(context.Context, onboarding.TrustHub) ([]onboarding.Result, error) { return nil, nil }
			}
		}),
	},
	{
		name: "a call whose answer was lost counts as not made", laws: []string{"made twice"},
		mutatePlan: eachEffect(func(_ onboarding.Key, e *onboarding.Effect) {
			do := e.Do
			e.Do = func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Result, error) {
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
		name: "a run that was woken ends nevertheless", laws: []string{"forgotten"},
		mutateLedger: func(l onboarding.Ledger, _ *memledger.Store) onboarding.Ledger { return withoutWakeUps{l} },
	},
	{
		name: "a run ends without saying when to go on", laws: []string{"forgotten"},
		mutateLedger: func(l onboarding.Ledger, _ *memledger.Store) onboarding.Ledger { return withoutJobs{l} },
	},
	{
		name: "a call leaves however late it is", laws: []string{"made twice", "without an intent"},
		mutatePlan: eachEffect(func(_ onboarding.Key, e *onboarding.Effect) {
			do := e.Do
			e.Do = func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Result, error) {
				return do(onboarding.WithSendBy(ctx, time.Now().Add(1000*time.Hour)), hub)
			}
		}),
	},
	{
		name: "a lookup is believed while lists still lag", laws: []string{"made twice"},
		mutateTiming: func(t *onboarding.Timing) { t.Settle = 1 },
	},
	{
		name: "what is surplus is left there", laws: []string{"left twice"},
		mutatePlan: eachEffect(func(_ onboarding.Key, e *onboarding.Effect) {
			e.Remove = func(context.Context, onboarding.TrustHub, string) error { return nil }
		}),
	},
	{
		name: "what is surplus is removed, and so is what is kept", laws: []string{"removed", "lost", "stuck", "made twice"},
		mutatePlan: eachEffect(func(_ onboarding.Key, e *onboarding.Effect) {
			if find := e.Find; find != nil {
				e.Find = func(ctx context.Context, hub onboarding.TrustHub) ([]onboarding.Result, error) {
					found, err := find(ctx, hub)
					return append(found, found...), err
				}
			}
		}),
	},
	{
		name: "a callback's claim is acted on", laws: []string{"believed"},
		mutateReceive: believe,
	},
	{
		name: "a bundle is submitted before its evaluation", laws: []string{"out of order"},
		mutatePlan: eachNode(func(n *onboarding.Node) {
			if bundle, ok := strings.CutSuffix(string(n.Key), ".submission"); ok {
				n.Needs = []onboarding.Key{onboarding.Key(bundle)}
			}
		}),
	},
	{
		name: "a number reaches the product before the profile", laws: []string{"out of order"},
		mutatePlan: eachNode(func(n *onboarding.Node) {
			if strings.HasPrefix(string(n.Key), "trust_product.number.") {
				n.Needs = []onboarding.Key{"trust_product"}
			}
		}),
	},
	{
		name: "an object is made in the parent account", laws: []string{"wrong account"},
		mutatePlan: eachEffect(func(_ onboarding.Key, e *onboarding.Effect) {
			do := e.Do
			e.Do = func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Result, error) {
				return do(ctx, asParent{hub})
			}
		}),
	},
}

// TestEveryMutantIsCaught shows that the simulation can fail: without any one of the protocol's rules it does, and says what was broken.
func TestEveryMutantIsCaught(t *testing.T) {
	t.Parallel()
	const patience = 400 // seeds
	for _, m := range mutants {
		t.Run(strings.ReplaceAll(m.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); seed <= patience; seed++ {
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

func (m mutant) timing(t onboarding.Timing) onboarding.Timing {
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

func eachNode(change func(*onboarding.Node)) func(onboarding.Plan) onboarding.Plan {
	return func(plan onboarding.Plan) onboarding.Plan {
		return func(o *onboarding.Onboarding) []onboarding.Node {
			nodes := plan(o)
			for i := range nodes {
				change(&nodes[i])
			}
			return nodes
		}
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

// withoutIntents writes no intents.
type withoutIntents struct{ onboarding.Ledger }

func (l withoutIntents) Record(ctx context.Context, c onboarding.Change) error {
	var steps []onboarding.Step
	for _, s := range c.Steps {
		if s.State != onboarding.StepRunning {
			steps = append(steps, s)
		}
	}
	c.Steps = steps
	return l.Ledger.Record(ctx, c)
}

// withoutEpoch lets a runner that lost its place write.
type withoutEpoch struct {
	onboarding.Ledger
	store *memledger.Store
}

func (l withoutEpoch) Record(ctx context.Context, c onboarding.Change) error {
	err := l.Ledger.Record(ctx, c)
	if errors.Is(err, onboarding.ErrLostPlace) {
		return l.recordAnyway(ctx, c)
	}
	return err
}

func (l withoutEpoch) Release(ctx context.Context, c onboarding.Change, next time.Time) (bool, error) {
	woken, err := l.Ledger.Release(ctx, c, next)
	if errors.Is(err, onboarding.ErrLostPlace) && len(c.Steps) > 0 {
		return false, errors.Join(err, l.recordAnyway(ctx, c))
	}
	return woken, err
}

func (l withoutEpoch) recordAnyway(ctx context.Context, c onboarding.Change) error {
	now, err := l.store.Get(ctx, c.ID)
	if err != nil {
		return err
	}
	c.Epoch = now.Epoch
	return l.store.Record(ctx, c)
}

// withoutWakeUps ends a run though something happened meanwhile.
type withoutWakeUps struct{ onboarding.Ledger }

func (l withoutWakeUps) Release(ctx context.Context, c onboarding.Change, next time.Time) (bool, error) {
	woken, err := l.Ledger.Release(ctx, c, next)
	for woken && err == nil {
		var o *onboarding.Onboarding
		if o, err = l.Claim(ctx, c.ID); err == nil {
			woken, err = l.Ledger.Release(ctx, onboarding.Change{ID: c.ID, Epoch: o.Epoch, Status: c.Status, Attestation: c.Attestation}, next)
		}
	}
	return false, err
}

// withoutJobs ends every run for good.
type withoutJobs struct{ onboarding.Ledger }

func (l withoutJobs) Release(ctx context.Context, c onboarding.Change, _ time.Time) (bool, error) {
	return l.Ledger.Release(ctx, c, time.Time{})
}

// believe takes a callback's word for the review's outcome.
func believe(w *world, c onboarding.Callback) error {
	err := w.store.Update(w.ctx, c.OnboardingID, func(o *onboarding.Onboarding, now time.Time) (onboarding.Change, error) {
		change := onboarding.Change{ID: o.ID}
		for _, key := range []onboarding.Key{"customer_profile", "trust_product"} {
			review := o.Step(key.Sub("review"))
			if c.Status == onboarding.BundleApproved && c.BundleSID != "" && c.BundleSID == o.SID(key) && review != nil {
				review.State, review.FinishedAt = onboarding.StepSucceeded, now
				change.Steps = append(change.Steps, *review)
			}
		}
		change.Status = o.Status()
		return change, nil
	})
	if err != nil {
		return err
	}
	return w.service.ReceiveCallback(w.ctx, c)
}

// asParent makes end users in the parent account.
type asParent struct{ onboarding.TrustHub }

func (h asParent) CreateEndUser(ctx context.Context, _ string, u onboarding.EndUser) (onboarding.Object, error) {
	return h.TrustHub.CreateEndUser(ctx, h.ParentAccount(), u)
}
