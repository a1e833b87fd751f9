package onboarding

import (
	"context"
	"fmt"
)

// address makes the address, or takes the one that the request names.
func address(a Address) Node {
	node := Node{Key: "address", Needs: []Key{keyPreflight}}
	if a.SID != "" {
		node.Effect = func(o *Onboarding) Effect {
			account := o.Request.SubaccountSID
			return Effect{
				Do: func(ctx context.Context, hub TrustHub) (Result, error) {
					read, err := hub.FetchAddress(ctx, account, a.SID)
					return Result{SID: read.SID}, err
				},
				Pointer: "/address/sid",
				Source:  SourcePreflight,
			}
		}
		return node
	}
	node.Effect = func(o *Onboarding) Effect {
		account, name := o.Request.SubaccountSID, tag(o.ID, "address")
		return Effect{
			Do: func(ctx context.Context, hub TrustHub) (Result, error) {
				made, err := hub.CreateAddress(ctx, account, name, a)
				return Result{SID: made.SID}, err
			},
			Find: func(ctx context.Context, hub TrustHub) ([]Result, error) {
				return results(hub.FindAddresses(ctx, account, name))
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
	}
	return node
}

// addressDocument makes the supporting document that carries the address into the profile.
func addressDocument() Node {
	const key Key = "address_document"
	return Node{Key: key, Needs: []Key{"address"}, Effect: func(o *Onboarding) Effect {
		account, name, addressSID := o.Request.SubaccountSID, tag(o.ID, key), o.SID("address")
		return Effect{
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
	}}
}

// businessInformation makes the end user that describes the business.
func businessInformation() Node {
	return endUser("business_information", "customer_profile_business_information", "/business",
		func(r Request) map[string]string { return r.Business.Attributes() })
}

// authorizedRepresentative makes the end user for the i-th representative of the request; Twilio's types count from 1.
func authorizedRepresentative(i int) Node {
	return endUser(representativeKey(i), fmt.Sprintf("authorized_representative_%d", i+1),
		fmt.Sprintf("/authorized_representatives/%d", i),
		func(r Request) map[string]string { return r.AuthorizedRepresentatives[i].Attributes() })
}

func representativeKey(i int) Key { return Key(fmt.Sprintf("representative_%d", i+1)) }

func endUser(key Key, endUserType, pointer string, attributes func(Request) map[string]string) Node {
	return Node{Key: key, Needs: []Key{keyPreflight}, Effect: func(o *Onboarding) Effect {
		account := o.Request.SubaccountSID
		user := EndUser{FriendlyName: tag(o.ID, key), Type: endUserType, Attributes: attributes(o.Request)}
		return Effect{
			Do: func(ctx context.Context, hub TrustHub) (Result, error) {
				made, err := hub.CreateEndUser(ctx, account, user)
				return Result{SID: made.SID}, err
			},
			Find: func(ctx context.Context, hub TrustHub) ([]Result, error) {
				return results(hub.FindEndUsers(ctx, account, user.FriendlyName, user.Type))
			},
			Update: func(ctx context.Context, hub TrustHub, sid string) (Result, error) {
				updated, err := hub.UpdateEndUser(ctx, account, sid, user.Attributes)
				return Result{SID: updated.SID}, err
			},
			Remove: func(ctx context.Context, hub TrustHub, sid string) error {
				return hub.DeleteEndUser(ctx, account, sid)
			},
			Pointer: pointer,
		}
	}}
}
