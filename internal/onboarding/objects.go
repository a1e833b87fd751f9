package onboarding

import (
	"context"
	"fmt"
	"slices"
)

const (
	businessInformationKey Key = "business_information"
	addressDocumentKey     Key = "address_document"
	addressKey             Key = "address"
	// addressDocumentType is Twilio's type of a document that carries an address into a profile.
	addressDocumentType = "customer_profile_address"
)

// needsOfObjects are the steps before anything is made that goes on a profile: one that is taken over may hold it already.
func needsOfObjects(r Request) []Key {
	if r.CustomerProfileSID != "" {
		return []Key{keyPreflight, profileKey}
	}
	return []Key{keyPreflight}
}

// address makes the address, or takes the one that the request names.
func address(r Request) Node {
	node := Node{Key: addressKey, Needs: needsOfObjects(r)}
	a := r.Address
	if a.SID != "" {
		node.Effect = func(o *Onboarding) Effect {
			account := o.SubaccountSID
			return Effect{
				Do: func(ctx context.Context, hub TrustHub) (Result, error) {
					read, err := hub.FetchAddress(ctx, account, a.SID)
					return Result{SID: read.SID}, err
				},
				Pointer: "/address/sid",
				Source:  SourcePreflight,
				Stays:   true,
			}
		}
		return node
	}
	node.Effect = func(o *Onboarding) Effect {
		account, name, replaced := o.SubaccountSID, tag(o.ID, addressKey), replacedSIDs(o, addressKey)
		e := Effect{
			Do: func(ctx context.Context, hub TrustHub) (Result, error) {
				made, err := hub.CreateAddress(ctx, account, name, a)
				return Result{SID: made.SID}, err
			},
			Find: func(ctx context.Context, hub TrustHub) ([]Result, error) {
				found, err := hub.FindAddresses(ctx, account, name)
				return results(slices.DeleteFunc(found, func(f Object) bool { return slices.Contains(replaced, f.SID) }), err)
			},
			Update: func(ctx context.Context, hub TrustHub, sid string) (Result, error) {
				updated, err := hub.UpdateAddress(ctx, account, sid, a)
				return Result{SID: updated.SID}, err
			},
			Remove: func(ctx context.Context, hub TrustHub, sid string) error {
				return hub.DeleteAddress(ctx, account, sid)
			},
			Pointer: "/address",
		}
		profileSID := o.SID(profileKey)
		return e.unlessHeld(o, r.CustomerProfileSID != "", func(ctx context.Context, hub TrustHub) (Result, error) {
			document, err := heldDocument(ctx, hub, account, profileSID)
			if len(document.AddressSIDs) == 0 || slices.Contains(replaced, document.AddressSIDs[0]) {
				return Result{}, err // The document is to name another.
			}
			return Result{SID: document.AddressSIDs[0]}, err
		})
	}
	return node
}

// addressDocument makes the supporting document that carries the address into the profile.
func addressDocument(r Request) Node {
	return Node{Key: addressDocumentKey, Needs: []Key{addressKey}, Effect: func(o *Onboarding) Effect {
		account, name, addressSID := o.SubaccountSID, tag(o.ID, addressDocumentKey), o.SID(addressKey)
		e := Effect{
			Do: func(ctx context.Context, hub TrustHub) (Result, error) {
				made, err := hub.CreateSupportingDocument(ctx, account, name, addressSID)
				return Result{SID: made.SID}, err
			},
			Find: func(ctx context.Context, hub TrustHub) ([]Result, error) {
				return results(hub.FindSupportingDocuments(ctx, account, name))
			},
			Update: func(ctx context.Context, hub TrustHub, sid string) (Result, error) {
				updated, err := hub.UpdateSupportingDocument(ctx, account, sid, addressSID)
				return Result{SID: updated.SID}, err
			},
			Remove: func(ctx context.Context, hub TrustHub, sid string) error {
				return hub.DeleteSupportingDocument(ctx, account, sid)
			},
			Pointer: "/address",
		}
		profileSID := o.SID(profileKey)
		return e.unlessHeld(o, r.CustomerProfileSID != "", func(ctx context.Context, hub TrustHub) (Result, error) {
			document, err := heldDocument(ctx, hub, account, profileSID)
			return Result{SID: document.SID}, err
		})
	}}
}

// businessInformation makes the end user that describes the business.
func businessInformation(r Request) Node {
	return endUser{
		key: businessInformationKey, kind: "customer_profile_business_information", pointer: "/business",
		given: r.EndUserSIDs.BusinessInformation, givenPointer: "/end_user_sids/business_information",
		onProfile:  true,
		attributes: func(r Request) map[string]string { return r.Business.Attributes() },
	}.node(needsOfObjects(r)...)
}

// authorizedRepresentative makes the end user for the i-th representative of the request; Twilio's types count from 1.
func authorizedRepresentative(r Request, i int) Node {
	kind := fmt.Sprintf("authorized_representative_%d", i+1)
	return endUser{
		key: representativeKeys[i], kind: kind, pointer: fmt.Sprintf("/authorized_representatives/%d", i),
		given: r.EndUserSIDs.representative(i), givenPointer: "/end_user_sids/" + kind,
		onProfile: true,
		attributes: func(r Request) map[string]string {
			if i >= len(r.AuthorizedRepresentatives) {
				return nil // Of one that is to be taken away.
			}
			return r.AuthorizedRepresentatives[i].Attributes()
		},
	}.node(needsOfObjects(r)...)
}

// representativeKeys are the steps of the representatives, as many as Twilio's policy has room for.
var representativeKeys = [2]Key{"representative_1", "representative_2"}

// endUser describes the step that makes an end user.
type endUser struct {
	key Key
	// kind is Twilio's type of end user: it names the attributes.
	kind    string
	pointer string
	// given is the SID of an end user that the request names, to be taken over; givenPointer is where it does.
	given, givenPointer string
	// onProfile: a profile that is taken over may hold one already.
	onProfile bool
	// product is the product that it describes, if it is one's.
	product    Key
	attributes func(Request) map[string]string
}

func (u endUser) node(needs ...Key) Node {
	return Node{Key: u.key, Needs: needs, Effect: func(o *Onboarding) Effect {
		account := o.SubaccountSID
		if u.given != "" {
			return u.takeOver(account, u.attributes(o.Request))
		}
		user, replaced := EndUser{FriendlyName: tag(o.ID, u.key), Type: u.kind, Attributes: u.attributes(o.Request)}, replacedSIDs(o, u.key)
		e := Effect{
			Do: func(ctx context.Context, hub TrustHub) (Result, error) {
				made, err := hub.CreateEndUser(ctx, account, user)
				return Result{SID: made.SID}, err
			},
			Find: func(ctx context.Context, hub TrustHub) ([]Result, error) {
				found, err := hub.FindEndUsers(ctx, account, user.FriendlyName, user.Type)
				return results(slices.DeleteFunc(found, func(f Object) bool { return slices.Contains(replaced, f.SID) }), err)
			},
			Update: func(ctx context.Context, hub TrustHub, sid string) (Result, error) {
				updated, err := hub.UpdateEndUser(ctx, account, sid, user.Attributes)
				return Result{SID: updated.SID}, err
			},
			Remove: func(ctx context.Context, hub TrustHub, sid string) error {
				return hub.DeleteEndUser(ctx, account, sid)
			},
			Pointer:     u.pointer,
			replaceable: u.product != "" && o.Bundle(u.product).Status == BundleRejected,
		}
		profileSID := o.SID(profileKey)
		return e.unlessHeld(o, u.onProfile && o.Request.CustomerProfileSID != "", func(ctx context.Context, hub TrustHub) (Result, error) {
			return heldEndUser(ctx, hub, account, profileSID, u.kind)
		})
	}}
}
