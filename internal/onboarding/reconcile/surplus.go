package reconcile

import (
	"context"
	"slices"

	"github.com/attestd/attestd/internal/onboarding"
)

// surplus is what Twilio holds beside the object that the step has recorded, or an assignment of
// such a thing.
type surplus struct {
	of     onboarding.Step // with what it has recorded
	sid    string
	find   func(ctx context.Context, hub onboarding.TrustHub) ([]onboarding.Outcome, error)
	remove func(ctx context.Context, hub onboarding.TrustHub) error
}

// lookAround finds what hangs on surplus objects: their assignments, and for a surplus bundle what
// is assigned to it. It asks the steps that build on the object where theirs would be if the
// surplus one were the recorded one; what they find then and not otherwise, and what the ledger has
// not recorded, is surplus too.
func (c *comparison) lookAround(ctx context.Context) error {
	for _, node := range c.nodes {
		for _, f := range c.findings[node.Key] {
			if f.surplus == nil || f.surplus.of.Key != f.Step {
				continue
			}
			if err := c.lookAroundSurplus(ctx, *f.surplus); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *comparison) lookAroundSurplus(ctx context.Context, s surplus) error {
	var looks []*look
	owner := c.filled.Step(s.of.Key)
	recorded := owner.SID
	owner.SID = s.sid
	for _, node := range c.buildingOn(s.of.Key) {
		plain := c.looked[node.Key]
		if plain == nil || plain.err != nil || !node.Kind.IsUnique() || plain.effect.Find == nil || plain.effect.Remove == nil {
			continue
		}
		looks = append(looks, &look{node: node, effect: c.effect(node)})
	}
	owner.SID = recorded
	if err := c.r.lookAll(ctx, looks); err != nil {
		return err
	}
	for _, l := range looks {
		step := c.step(l.node.Key)
		for _, outcome := range l.found {
			found := onboarding.SeenIn(outcome)
			if c.sids[found.SID] || holds(c.looked[step.Key].found, found.SID) {
				continue
			}
			c.findings[step.Key] = append(c.findings[step.Key], Finding{
				Step: step.Key, State: step.State, SID: step.SID, Status: step.RemoteStatus, Remote: found,
				Verdict: VerdictSurplus, Note: "belongs to the surplus " + s.sid,
				surplus: &surplus{of: s.of, sid: s.sid, find: s.find, remove: removal(l.effect, found.SID)},
			})
		}
	}
	return nil
}

// buildingOn returns the nodes that need the step, and those that need them.
func (c *comparison) buildingOn(k onboarding.Key) []onboarding.Node {
	var all []onboarding.Node
	on := map[onboarding.Key]bool{k: true}
	for grown := true; grown; {
		grown = false
		for _, node := range c.nodes {
			if !on[node.Key] && slices.ContainsFunc(node.Needs, func(need onboarding.Key) bool { return on[need] }) {
				on[node.Key], grown = true, true
				all = append(all, node)
			}
		}
	}
	return all
}
