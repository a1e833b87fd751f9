package onboarding

import (
	"context"
	"errors"
	"slices"
)

// assignNumber puts the number on the bundle.
func (b bundle) assignNumber(n PhoneNumber, needs ...Key) Node {
	return Node{Key: numberKey(b.key, n), Needs: needs, Effect: func(o *Onboarding) Effect {
		account, bundleSID := o.SubaccountSID, o.SID(b.key)
		move := mover{account: account, kind: b.kind, number: n.SID, from: replacedSIDs(o, b.key), any: o.Request.moves(n)}
		e := Effect{
			Do: func(ctx context.Context, hub TrustHub) (Result, error) {
				made, err := hub.AssignNumber(ctx, account, b.kind, bundleSID, n.SID)
				if other := holderOf(err); move.may(other) {
					if err := move.takeOff(ctx, hub, other); err != nil {
						return Result{}, err
					}
					made, err = hub.AssignNumber(ctx, account, b.kind, bundleSID, n.SID)
				}
				return Result{SID: made.SID}, err
			},
			Find: func(ctx context.Context, hub TrustHub) ([]Result, error) {
				return results(hub.FindNumberAssignments(ctx, account, b.kind, bundleSID, n.SID))
			},
			Remove: func(ctx context.Context, hub TrustHub, sid string) error {
				return hub.DeleteNumberAssignment(ctx, account, b.kind, bundleSID, sid)
			},
			Pointer:     o.Request.numberPointer(n),
			replaceable: b.kind == TrustProduct && o.Bundle(b.key).Status == BundleRejected,
		}
		if underReview(o.Bundle(b.key).Status) {
			// Whether a bundle's numbers can change during its review is not documented: it is tried.
			e.RefusedUntil = b.key.Sub("review")
		}
		if b.given != "" {
			return e.lookingFirst()
		}
		return e
	}}
}

// holderOf is the bundle that has the number, if that is why it was refused.
func holderOf(err error) string {
	var remote *RemoteError
	if errors.As(err, &remote) && remote.Class == ClassPermanent {
		return remote.BundleSID
	}
	return ""
}

// mover takes a number off other bundles: off those that this onboarding has replaced, and where the request says so off any.
type mover struct {
	account string
	kind    BundleKind
	number  string
	from    []string
	any     bool
}

func (m mover) may(bundleSID string) bool {
	return bundleSID != "" && (m.any || slices.Contains(m.from, bundleSID))
}

// takeOff takes the number off the bundle. It comes off a profile only when it is on no product any more.
func (m mover) takeOff(ctx context.Context, hub TrustHub, bundleSID string) error {
	if m.kind == CustomerProfile {
		products, err := hub.ListBundles(ctx, m.account, TrustProduct)
		if err != nil {
			return err
		}
		for _, p := range products {
			if err := m.takeOffOne(ctx, hub, TrustProduct, p.SID); err != nil {
				return err
			}
		}
	}
	return m.takeOffOne(ctx, hub, m.kind, bundleSID)
}

func (m mover) takeOffOne(ctx context.Context, hub TrustHub, kind BundleKind, bundleSID string) error {
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
