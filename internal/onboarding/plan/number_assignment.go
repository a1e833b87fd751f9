package plan

import (
	"context"
	"errors"
	"slices"

	"github.com/attestd/attestd/internal/onboarding"
)

// pointedNumber is a number with a JSON pointer to the member of the request that asked for it.
type pointedNumber struct {
	onboarding.PhoneNumber
	pointer string
}

// pointedAt finds for each number the entry of the request that asked for it, by its SID or in
// E.164; the whole list if none did. A request may have thousands.
func pointedAt(r onboarding.Request, numbers []onboarding.PhoneNumber) []pointedNumber {
	entries := make(map[string]int, len(r.PhoneNumbers))
	for i, name := range slices.Backward(r.PhoneNumbers) {
		entries[name] = i
	}
	pointed := make([]pointedNumber, len(numbers))
	for i, n := range numbers {
		pointed[i] = pointedNumber{n, "/phone_numbers"}
		for _, name := range []string{n.SID, n.Number} {
			if entry, ok := entries[name]; ok {
				pointed[i].pointer = onboarding.PhoneNumberPointer(entry)
			}
		}
	}
	return pointed
}

// assignNumber puts the number on the bundle.
func (b bundle) assignNumber(n pointedNumber, needs ...onboarding.Key) onboarding.Node {
	return onboarding.Node{
		Key:   b.key.Number(n.SID),
		Role:  onboarding.Role{Kind: onboarding.KindAssignment, Bundle: b.key, Number: n.SID, Pointer: n.pointer},
		Needs: needs,
		Effect: func(o *onboarding.Onboarding) onboarding.Effect {
			account, bundleSID, status := o.SubaccountSID, o.SID(b.key), o.Bundle(b.key).Status
			move := mover{account: account, kind: b.kind, number: n.SID, from: o.ReplacedSIDs(b.key), any: o.Request.MovesNumber(n.PhoneNumber)}
			e := onboarding.Effect{
				Do: func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
					made, err := hub.AssignNumber(ctx, account, b.kind, bundleSID, n.SID)
					if other := holderOf(err); move.may(other) {
						if err := move.takeOff(ctx, hub, other); err != nil {
							return nil, err
						}
						made, err = hub.AssignNumber(ctx, account, b.kind, bundleSID, n.SID)
					}
					return seen(made.SID, ""), err
				},
				Find: func(ctx context.Context, hub onboarding.TrustHub) ([]onboarding.Outcome, error) {
					return seenAll(hub.FindNumberAssignments(ctx, account, b.kind, bundleSID, n.SID))
				},
				Remove: func(ctx context.Context, hub onboarding.TrustHub, sid string) error {
					return hub.DeleteNumberAssignment(ctx, account, b.kind, bundleSID, sid)
				},
			}
			if b.kind == onboarding.TrustProduct && status == onboarding.BundleRejected {
				e.InTheWay.Bundles = []onboarding.Key{b.key}
			}
			// Whether a bundle's numbers can change during its review is not documented: it is
			// tried.
			e.RefusedUntil, e.Locked = b.key.Review(), onboarding.UnderReview(status)
			if b.given != "" {
				e.Look = firstFound(e.Find)
			}
			return e
		},
	}
}

// holderOf is the bundle that has the number, if that is why it was refused.
func holderOf(err error) string {
	var remote *onboarding.RemoteError
	if errors.As(err, &remote) && remote.Class == onboarding.ClassPermanent {
		return remote.BundleSID
	}
	return ""
}

// mover takes a number off other bundles: off those whose places others have taken, and where the
// request says so off any.
type mover struct {
	account string
	kind    onboarding.BundleKind
	number  string
	from    []string
	any     bool
}

func (m mover) may(bundleSID string) bool {
	return bundleSID != "" && (m.any || slices.Contains(m.from, bundleSID))
}

// takeOff takes the number off the bundle. It comes off a profile only when it is on no product any
// more.
func (m mover) takeOff(ctx context.Context, hub onboarding.TrustHub, bundleSID string) error {
	if m.kind == onboarding.CustomerProfile {
		products, err := hub.ListBundles(ctx, m.account, onboarding.TrustProduct)
		if err != nil {
			return err
		}
		for _, p := range products {
			if err := m.takeOffOne(ctx, hub, onboarding.TrustProduct, p.SID); err != nil {
				return err
			}
		}
	}
	return m.takeOffOne(ctx, hub, m.kind, bundleSID)
}

func (m mover) takeOffOne(ctx context.Context, hub onboarding.TrustHub, kind onboarding.BundleKind, bundleSID string) error {
	assigned, err := hub.FindNumberAssignments(ctx, m.account, kind, bundleSID, m.number)
	if err != nil {
		return err
	}
	for _, a := range assigned {
		if err := hub.DeleteNumberAssignment(ctx, m.account, kind, bundleSID, a.SID); err != nil {
			return err
		}
	}
	return nil
}
