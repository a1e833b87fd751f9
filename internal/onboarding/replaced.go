package onboarding

import (
	"context"
	"slices"
	"strings"
	"time"
)

// This file has what another has replaced: a bundle that cannot be used any more, or an address or a product's end user that cannot become
// what is wanted. It is recorded in a step of its own, which has succeeded and which the plan has no node for, until a cleanup takes it back
// with all else.

// partReplaced is the part of a key that tells of what was replaced: "trust_product.replaced.BU…".
const partReplaced = "replaced"

func replacedKey(key Key, sid string) Key { return key.Sub(partReplaced).Sub(sid) }

// replacedStep records what the step has made, when another is about to take its place.
func replacedStep(old *Step, remoteStatus string, now time.Time) Step {
	return Step{Key: replacedKey(old.Key, old.SID), State: StepSucceeded, SID: old.SID, RemoteStatus: remoteStatus,
		StartedAt: old.StartedAt, FinishedAt: now}
}

// replacedSIDs are the SIDs of what was in the place of what the step makes. They bear the same name.
func replacedSIDs(o *Onboarding, key Key) []string {
	var sids []string
	replaced := key.Sub(partReplaced)
	for i := range o.Steps {
		if o.Steps[i].Key.under(replaced) {
			sids = append(sids, o.Steps[i].SID)
		}
	}
	return sids
}

// withReplaced adds to the nodes those that take back what was replaced. A node of them needs what the replaced one may still hold: that goes
// only after it.
func withReplaced(o *Onboarding, nodes []Node) []Node {
	var all []Node
	for i := range o.Steps {
		key, part := o.Steps[i].Key.cut()
		sid, ok := strings.CutPrefix(part, partReplaced+".")
		if !ok {
			continue
		}
		old := Node{Key: o.Steps[i].Key, Effect: func(o *Onboarding) Effect { return takingBackReplaced(o, key, sid) }}
		for j, n := range nodes {
			object, assigned := n.assigns()
			switch {
			case n.Key == addressDocumentKey && key == addressKey:
				nodes[j].Needs = append(slices.Clone(n.Needs), old.Key) // It is the document that may hold the address.
			case assigned && n.Key.under(key):
				old.Needs = append(old.Needs, object)
				for _, profile := range replacedSIDs(o, object) {
					old.Needs = append(old.Needs, replacedKey(object, profile))
				}
			case n.Key.under(key.Sub("number")) && key != profileKey:
				old.Needs = append(old.Needs, profileKey+n.Key[len(key):])
			}
		}
		all = append(all, old)
	}
	return append(all, nodes...)
}

// takingBackReplaced deletes what was replaced, unless it was there before. A bundle may still have numbers, if they were on their way to the
// one in its place.
func takingBackReplaced(o *Onboarding, key Key, sid string) Effect {
	account, r := o.SubaccountSID, o.Request
	switch {
	case key == addressKey && r.CustomerProfileSID != "", sid == r.CustomerProfileSID, sid == r.TrustProductSID:
		return Effect{Stays: true}
	case key == addressKey:
		return Effect{Remove: func(ctx context.Context, hub TrustHub, sid string) error { return hub.DeleteAddress(ctx, account, sid) }}
	case slices.ContainsFunc(knownProducts, func(p product) bool { return p.user.key == key }):
		return Effect{Remove: func(ctx context.Context, hub TrustHub, sid string) error { return hub.DeleteEndUser(ctx, account, sid) }}
	}
	kind := TrustProduct
	if key == profileKey {
		kind = CustomerProfile
	}
	return Effect{Remove: func(ctx context.Context, hub TrustHub, sid string) error {
		numbers, err := hub.ListNumberAssignments(ctx, account, kind, sid)
		if isNotFound(err) {
			return nil
		}
		for i := 0; i < len(numbers) && err == nil; i++ {
			err = hub.DeleteNumberAssignment(ctx, account, kind, sid, numbers[i].SID)
		}
		if err != nil {
			return err
		}
		return hub.DeleteBundle(ctx, account, kind, sid)
	}}
}
