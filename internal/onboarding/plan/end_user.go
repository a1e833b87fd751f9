package plan

import (
	"context"
	"fmt"

	"github.com/attestd/attestd/internal/onboarding"
)

// endUser describes the step that makes an end user.
type endUser struct {
	key onboarding.Key
	// kind is Twilio's type of end user: it names the attributes.
	kind string
	// bundle is the bundle that it goes onto.
	bundle onboarding.Key
	// pointer is the part of the request that it is made of.
	pointer string
	// given is the SID of an end user that the request names, to be taken over. givenBy is where it
	// can name one.
	given, givenBy string
	attributes     func(onboarding.Request) map[string]string
}

// businessInformation makes the end user that describes the business.
func businessInformation(r onboarding.Request) onboarding.Node {
	return endUser{
		key: onboarding.BusinessInformationKey, kind: "customer_profile_business_information", bundle: onboarding.CustomerProfileKey,
		pointer: "/business", given: r.EndUserSIDs.BusinessInformation, givenBy: "/end_user_sids/business_information",
		attributes: func(r onboarding.Request) map[string]string { return r.Business.Attributes() },
	}.node(r, beforeObjects(r)...)
}

// authorizedRepresentative makes the end user for the i-th representative of the request; Twilio's
// types count from 1.
func authorizedRepresentative(r onboarding.Request, i int) onboarding.Node {
	kind := fmt.Sprintf("authorized_representative_%d", i+1)
	return endUser{
		key: onboarding.RepresentativeKeys[i], kind: kind, bundle: onboarding.CustomerProfileKey,
		pointer: fmt.Sprintf("/authorized_representatives/%d", i),
		given:   r.EndUserSIDs.Representative(i), givenBy: "/end_user_sids/" + kind,
		attributes: func(r onboarding.Request) map[string]string {
			if i >= len(r.AuthorizedRepresentatives) {
				return nil // Of one that is to be taken back.
			}
			return r.AuthorizedRepresentatives[i].Attributes()
		},
	}.node(r, beforeObjects(r)...)
}

func (u endUser) node(r onboarding.Request, needs ...onboarding.Key) onboarding.Node {
	node := onboarding.Node{
		Key: u.key, Role: onboarding.Role{Kind: onboarding.KindObject, Bundle: u.bundle, Pointer: u.pointer},
		Needs: needs, Parts: []string{u.pointer}, GivenBy: u.givenBy,
	}
	if u.givenBy != "" {
		node.Parts = append(node.Parts, u.givenBy)
	}
	if u.given != "" {
		node.Given, node.Pointer, node.Source = true, u.givenBy, onboarding.SourcePreflight
		node.Effect = u.takeOver
		return node
	}
	node.Effect = u.make
	return node
}

func (u endUser) make(o *onboarding.Onboarding) onboarding.Effect {
	account, replaced := o.SubaccountSID, o.ReplacedSIDs(u.key)
	user := onboarding.EndUser{FriendlyName: tag(o.ID, u.key), Type: u.kind, Attributes: u.attributes(o.Request)}
	e := onboarding.Effect{
		Do: func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
			made, err := hub.CreateEndUser(ctx, account, user)
			return seen(made.SID, ""), err
		},
		Find: func(ctx context.Context, hub onboarding.TrustHub) ([]onboarding.Outcome, error) {
			found, err := hub.FindEndUsers(ctx, account, user.FriendlyName, user.Type)
			return seenAll(withoutReplaced(found, replaced), err)
		},
		Update: u.update(account, user.Attributes),
		Remove: func(ctx context.Context, hub onboarding.TrustHub, sid string) error {
			return hub.DeleteEndUser(ctx, account, sid)
		},
	}
	if u.bundle != onboarding.CustomerProfileKey {
		// The product follows when it is submitted.
		e.InTheWay.Object = o.Bundle(u.bundle).Status == onboarding.BundleRejected
		return e
	}
	profileSID := o.SID(onboarding.CustomerProfileKey)
	takeFromProfile(&e, o, u.pointer, func(ctx context.Context, hub onboarding.TrustHub) (string, error) {
		return endUserOn(ctx, hub, account, profileSID, u.kind)
	})
	return e
}

func (u endUser) update(account string, attributes map[string]string) func(context.Context, onboarding.TrustHub, string) (onboarding.Outcome, error) {
	return func(ctx context.Context, hub onboarding.TrustHub, sid string) (onboarding.Outcome, error) {
		updated, err := hub.UpdateEndUser(ctx, account, sid, attributes)
		return seen(updated.SID, ""), err
	}
}
