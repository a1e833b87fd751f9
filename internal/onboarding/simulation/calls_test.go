package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// call names a call to Twilio: which step of which onboarding makes it, and whether it looks or
// does.
type call struct {
	run string
	id  onboarding.ID
	key onboarding.Key
	// does: the call may leave something behind and so needs an intent.
	does bool
	// looks: the call is part of a lookup.
	looks bool
	// removes: the call deletes what is surplus, or what the step made.
	removes bool
	// since is when the run claimed the onboarding that the call is made for.
	since time.Time
}

func (c call) String() string {
	switch {
	case c.looks:
		return fmt.Sprintf("%s %s (lookup)", c.run, c.key)
	case c.removes:
		return fmt.Sprintf("%s %s (removal)", c.run, c.key)
	}
	return fmt.Sprintf("%s %s", c.run, c.key)
}

type callKey struct{}

func callOf(ctx context.Context) call {
	c, _ := ctx.Value(callKey{}).(call)
	return c
}

// turned has every call of the plan begin and end in a turn of the replica: it can be paused, or
// die, before the client gets it, and after the answer has come.
func (one *run) turned(plan onboarding.Plan) onboarding.Plan {
	lay := plan.Nodes
	plan.Nodes = func(o *onboarding.Onboarding) []onboarding.Node {
		nodes := lay(o)
		for i := range nodes {
			nodes[i].Effect = one.turnedEffect(o.ID, nodes[i].Key, nodes[i].Effect)
		}
		return nodes
	}
	return plan
}

func (one *run) turnedEffect(id onboarding.ID, key onboarding.Key, effect func(*onboarding.Onboarding) onboarding.Effect) func(*onboarding.Onboarding) onboarding.Effect {
	return func(o *onboarding.Onboarding) onboarding.Effect {
		e := effect(o)
		look, do, find, update, remove := e.Look, e.Do, e.Find, e.Update, e.Remove
		if look != nil {
			e.Look = func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
				return inTurn(ctx, one, "look", call{run: one.name, id: id, key: key, since: one.claimed}, func(ctx context.Context) (onboarding.Outcome, error) {
					return look(ctx, hub)
				})
			}
		}
		if do != nil {
			e.Do = func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
				return inTurn(ctx, one, "do", call{run: one.name, id: id, key: key, does: true, since: one.claimed}, func(ctx context.Context) (onboarding.Outcome, error) {
					return do(ctx, hub)
				})
			}
		}
		if find != nil {
			e.Find = func(ctx context.Context, hub onboarding.TrustHub) ([]onboarding.Outcome, error) {
				return inTurn(ctx, one, "find", call{run: one.name, id: id, key: key, looks: true, since: one.claimed}, func(ctx context.Context) ([]onboarding.Outcome, error) {
					return find(ctx, hub)
				})
			}
		}
		if update != nil {
			e.Update = func(ctx context.Context, hub onboarding.TrustHub, sid string) (onboarding.Outcome, error) {
				return inTurn(ctx, one, "update "+sid, call{run: one.name, id: id, key: key, does: true, since: one.claimed}, func(ctx context.Context) (onboarding.Outcome, error) {
					return update(ctx, hub, sid)
				})
			}
		}
		if remove != nil {
			e.Remove = func(ctx context.Context, hub onboarding.TrustHub, sid string) error {
				_, err := inTurn(ctx, one, "remove "+sid, call{run: one.name, id: id, key: key, removes: true, since: one.claimed}, func(ctx context.Context) (struct{}, error) {
					return struct{}{}, remove(ctx, hub, sid)
				})
				return err
			}
		}
		return e
	}
}

func inTurn[T any](ctx context.Context, one *run, what string, c call, f func(context.Context) (T, error)) (T, error) {
	var none T
	w, name := one.replica.world, fmt.Sprintf("%s %s %s", one.name, what, c.key)
	var held time.Duration
	if !w.turns.wait(one.replica, name, func(rng *rand.Rand) { held = w.heldBack(rng) }) {
		return none, errOver
	}
	w.tracef("%s", name)
	if held > 0 {
		w.tracef("  held back for %s", held)
		return none, &onboarding.RemoteError{Class: onboarding.ClassRepeatable, NotSent: true, RetryAfter: held}
	}
	result, err := f(context.WithValue(ctx, callKey{}, c))
	if !w.turns.wait(one.replica, name+" returns", nil) {
		return none, errOver
	}
	w.tracef("%s returns %v", name, err)
	return result, err
}

// heldBack draws for how long the client says that a call is not worth making, if it does.
func (w *world) heldBack(rng *rand.Rand) time.Duration {
	if !w.rough() || rng.Float64() >= w.scenario.requestFault/10 {
		return 0
	}
	return time.Duration(1 + rng.Int64N(int64(20*time.Second)))
}
