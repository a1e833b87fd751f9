package plan

import (
	"context"
	"slices"

	"github.com/attestd/attestd/internal/onboarding"
)

// This file has what another has taken the place of: a bundle that cannot be used any more, or an
// address or a product's end user that cannot become what is wanted. It is recorded in a step of
// its own, which has succeeded and for which the plan has no node, until a cleanup takes it back
// with all else.

// withReplaced adds to the nodes those that take back what was replaced. Such a node needs what the
// replaced object may still hold: that goes only after it.
func withReplaced(o *onboarding.Onboarding, nodes []onboarding.Node) []onboarding.Node {
	var all []onboarding.Node
	for i := range o.Steps {
		key, sid, ok := o.Steps[i].Key.SplitReplaced()
		if !ok {
			continue
		}
		old := onboarding.Node{
			Key: o.Steps[i].Key, Role: onboarding.Role{Kind: onboarding.KindObject},
			Effect: func(o *onboarding.Onboarding) onboarding.Effect { return takingBackReplaced(o, key, sid) },
		}
		for j := range nodes {
			switch n := &nodes[j]; {
			case n.Key == onboarding.AddressDocumentKey && key == onboarding.AddressKey:
				n.Needs = append(slices.Clone(n.Needs), old.Key) // It is the document that may name the address.
			case n.Object != "" && n.Bundle == key:
				old.Needs = append(old.Needs, n.Object)
				for _, object := range o.ReplacedSIDs(n.Object) {
					old.Needs = append(old.Needs, n.Object.Replaced(object))
				}
			case n.Number != "" && n.Bundle == key && key != onboarding.CustomerProfileKey:
				old.Needs = append(old.Needs, onboarding.CustomerProfileKey.Number(n.Number))
			}
		}
		all = append(all, old)
	}
	return append(all, nodes...)
}

// takingBackReplaced deletes what was replaced, unless it was there before.
func takingBackReplaced(o *onboarding.Onboarding, key onboarding.Key, sid string) onboarding.Effect {
	account, r := o.SubaccountSID, o.Request
	type hub = onboarding.TrustHub
	switch {
	case key == onboarding.AddressKey && r.CustomerProfileSID != "", sid == r.CustomerProfileSID, sid == r.TrustProductSID:
		return onboarding.Effect{Stays: true}
	case key == onboarding.AddressKey:
		return onboarding.Effect{Remove: func(ctx context.Context, h hub, sid string) error { return h.DeleteAddress(ctx, account, sid) }}
	case key == onboarding.CustomerProfileKey:
		return onboarding.Effect{Remove: removeWithNumbers(account, onboarding.CustomerProfile)}
	case slices.ContainsFunc(products, func(p product) bool { return p.user.key == key }):
		return onboarding.Effect{Remove: func(ctx context.Context, h hub, sid string) error { return h.DeleteEndUser(ctx, account, sid) }}
	default:
		return onboarding.Effect{Remove: removeWithNumbers(account, onboarding.TrustProduct)}
	}
}

// removeWithNumbers deletes a bundle that may still have numbers: they were on their way to the one
// in its place.
func removeWithNumbers(account string, kind onboarding.BundleKind) func(context.Context, onboarding.TrustHub, string) error {
	return func(ctx context.Context, hub onboarding.TrustHub, sid string) error {
		numbers, err := hub.ListNumberAssignments(ctx, account, kind, sid)
		if onboarding.IsNotFound(err) {
			return nil
		}
		for i := 0; i < len(numbers) && err == nil; i++ {
			err = hub.DeleteNumberAssignment(ctx, account, kind, sid, numbers[i].SID)
		}
		if err != nil {
			return err
		}
		return hub.DeleteBundle(ctx, account, kind, sid)
	}
}
