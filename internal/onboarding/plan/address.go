package plan

import (
	"context"
	"slices"

	"github.com/attestd/attestd/internal/onboarding"
)

// addressDocumentType is Twilio's type of a document that carries an address into a profile.
const addressDocumentType = "customer_profile_address"

// addressIdentity are the members of a request that Twilio cannot change in an address: another SID
// names another address, and an address keeps its country.
var addressIdentity = []string{"/address/sid", "/address/iso_country"}

// address makes the address, or takes the one that the request names.
func address(r onboarding.Request) onboarding.Node {
	node := onboarding.Node{
		Key: onboarding.AddressKey, Role: onboarding.Role{Kind: onboarding.KindObject, Bundle: onboarding.CustomerProfileKey, Pointer: "/address"},
		Needs: beforeObjects(r), Parts: []string{"/address"}, RemadeFor: addressIdentity,
	}
	if r.Address.SID != "" {
		node.Given, node.Pointer, node.Source = true, "/address/sid", onboarding.SourcePreflight
		node.Effect = givenAddress
		return node
	}
	node.Effect = madeAddress
	return node
}

func givenAddress(o *onboarding.Onboarding) onboarding.Effect {
	account, sid := o.SubaccountSID, o.Request.Address.SID
	return onboarding.Effect{
		Look: func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
			read, err := hub.FetchAddress(ctx, account, sid)
			return seen(read.SID, ""), err
		},
		Stays: true,
	}
}

func madeAddress(o *onboarding.Onboarding) onboarding.Effect {
	account, a := o.SubaccountSID, o.Request.Address
	name, replaced := tag(o.ID, onboarding.AddressKey), o.ReplacedSIDs(onboarding.AddressKey)
	e := onboarding.Effect{
		Do: func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
			made, err := hub.CreateAddress(ctx, account, name, a)
			return seen(made.SID, ""), err
		},
		Find: func(ctx context.Context, hub onboarding.TrustHub) ([]onboarding.Outcome, error) {
			found, err := hub.FindAddresses(ctx, account, name)
			return seenAll(withoutReplaced(found, replaced), err)
		},
		Update: func(ctx context.Context, hub onboarding.TrustHub, sid string) (onboarding.Outcome, error) {
			updated, err := hub.UpdateAddress(ctx, account, sid, a)
			return seen(updated.SID, ""), err
		},
		Remove: func(ctx context.Context, hub onboarding.TrustHub, sid string) error {
			return hub.DeleteAddress(ctx, account, sid)
		},
	}
	profileSID := o.SID(onboarding.CustomerProfileKey)
	takeFromProfile(&e, o, "/address", func(ctx context.Context, hub onboarding.TrustHub) (string, error) {
		document, err := documentOn(ctx, hub, account, profileSID)
		if len(document.AddressSIDs) == 0 || slices.Contains(replaced, document.AddressSIDs[0]) {
			return "", err // The document is to name another.
		}
		return document.AddressSIDs[0], err
	})
	return e
}

// addressDocument makes the supporting document that carries the address into the profile.
func addressDocument(onboarding.Request) onboarding.Node {
	return onboarding.Node{
		Key:   onboarding.AddressDocumentKey,
		Role:  onboarding.Role{Kind: onboarding.KindObject, Bundle: onboarding.CustomerProfileKey, Pointer: "/address"},
		Needs: []onboarding.Key{onboarding.AddressKey},
		Parts: addressIdentity, // It names the address, and so another one if that is made anew.
		Effect: func(o *onboarding.Onboarding) onboarding.Effect {
			account, name, addressSID := o.SubaccountSID, tag(o.ID, onboarding.AddressDocumentKey), o.SID(onboarding.AddressKey)
			e := onboarding.Effect{
				Do: func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
					made, err := hub.CreateSupportingDocument(ctx, account, name, addressSID)
					return seen(made.SID, ""), err
				},
				Find: func(ctx context.Context, hub onboarding.TrustHub) ([]onboarding.Outcome, error) {
					return seenAll(hub.FindSupportingDocuments(ctx, account, name))
				},
				Update: func(ctx context.Context, hub onboarding.TrustHub, sid string) (onboarding.Outcome, error) {
					updated, err := hub.UpdateSupportingDocument(ctx, account, sid, addressSID)
					return seen(updated.SID, ""), err
				},
				Remove: func(ctx context.Context, hub onboarding.TrustHub, sid string) error {
					return hub.DeleteSupportingDocument(ctx, account, sid)
				},
			}
			profileSID := o.SID(onboarding.CustomerProfileKey)
			takeFromProfile(&e, o, "/address", func(ctx context.Context, hub onboarding.TrustHub) (string, error) {
				document, err := documentOn(ctx, hub, account, profileSID)
				return document.SID, err
			})
			return e
		},
	}
}

// beforeObjects are the steps before anything is made that goes onto a profile: a profile that is
// taken over may hold it already.
func beforeObjects(r onboarding.Request) []onboarding.Key {
	if r.CustomerProfileSID != "" {
		return []onboarding.Key{onboarding.PreflightKey, onboarding.CustomerProfileKey}
	}
	return []onboarding.Key{onboarding.PreflightKey}
}

// withoutReplaced leaves out the objects in whose places others have come.
func withoutReplaced(found []onboarding.Object, replaced []string) []onboarding.Object {
	return slices.DeleteFunc(found, func(f onboarding.Object) bool { return slices.Contains(replaced, f.SID) })
}
