package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
)

// This file takes over what was made by hand: a bundle or end users that the request names. What a
// bundle that is taken over already holds is taken over with it, and only what it lacks is made.
// Nothing of it is ours to delete.

// given is the SID of the bundle that is to be taken over; "" as well when another has taken its
// place since.
func given(o *onboarding.Onboarding, bundle onboarding.Key, sid string) string {
	if slices.Contains(o.ReplacedSIDs(bundle), sid) {
		return ""
	}
	return sid
}

// takeOver reads the bundle that the request names, and refuses one that cannot serve.
func (b bundle) takeOver(o *onboarding.Onboarding) onboarding.Effect {
	account := o.SubaccountSID
	return onboarding.Effect{
		Look: func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
			read, err := hub.FetchBundle(ctx, account, b.kind, b.given)
			if onboarding.IsNotFound(err) {
				return notFound(b.givenBy, "The subaccount has no such bundle. Name one of its own, or leave it out to have one made."), nil
			}
			if err != nil {
				return nil, err
			}
			ended := !read.ValidUntil.IsZero() && read.ValidUntil.Before(b.now())
			switch {
			case read.AccountSID != account:
				return unfit(b.givenBy, "bundle_of_other_account", "This bundle belongs to another account."), nil
			case read.PolicySID != b.policySID:
				return unfit(b.givenBy, "bundle_of_other_policy",
					fmt.Sprintf("This bundle was made for the policy %s, and %s is wanted.", read.PolicySID, b.policySID)), nil
			case read.Status == onboarding.BundleApproved && ended:
				return unfit(b.givenBy, "approval_ended", "This bundle's approval has ended. Leave it out to have another made."), nil
			}
			return onboarding.Done{Seen: onboarding.Seen{SID: read.SID, Status: read.Status}, Learned: onboarding.Learned{Replan: true}}, nil
		},
		Stays: true,
	}
}

// takenOverSubmitted tells whether the bundle was taken over with its submission behind it.
func (b bundle) takenOverSubmitted(o *onboarding.Onboarding) bool {
	step := o.Step(b.key)
	return b.given != "" && step != nil &&
		(onboarding.UnderReview(step.RemoteStatus) || step.RemoteStatus == onboarding.BundleApproved)
}

// nothingToDo is a step whose effect was there before.
func (b bundle) nothingToDo(kind onboarding.Kind, key, need onboarding.Key) onboarding.Node {
	return onboarding.Node{
		Key: key, Role: onboarding.Role{Kind: kind, Bundle: b.key}, Needs: []onboarding.Key{need},
		Effect: func(*onboarding.Onboarding) onboarding.Effect {
			return onboarding.Effect{Look: func(context.Context, onboarding.TrustHub) (onboarding.Outcome, error) {
				return onboarding.Done{}, nil
			}}
		},
	}
}

// takeOver reads the end user that the request names, and refuses one of another type.
func (u endUser) takeOver(o *onboarding.Onboarding) onboarding.Effect {
	account := o.SubaccountSID
	return onboarding.Effect{
		Look: func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
			user, err := hub.FetchEndUser(ctx, account, u.given)
			if onboarding.IsNotFound(err) {
				return notFound(u.givenBy, "The subaccount has no such end user. Name one of its own, or leave it out to have one made."), nil
			}
			if err == nil && user.Type != u.kind {
				return unfit(u.givenBy, "end_user_of_other_type",
					fmt.Sprintf("This end user is of the type %s, and %s is wanted.", user.Type, u.kind)), nil
			}
			return seen(user.SID, ""), err
		},
		Update: u.update(account, u.attributes(o.Request)),
		Stays:  true,
	}
}

// firstFound looks for what is there already, to be taken over instead of making a second.
func firstFound(find func(context.Context, onboarding.TrustHub) ([]onboarding.Outcome, error)) func(context.Context, onboarding.TrustHub) (onboarding.Outcome, error) {
	return func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
		found, err := find(ctx, hub)
		if err != nil || len(found) == 0 {
			return onboarding.Absent{}, err
		}
		return found[0], nil
	}
}

// takeFromProfile makes the effect look first for what a profile that is taken over already has; a
// profile of our own has nothing. That is not ours to delete; nor is then, to be sure, what we add.
func takeFromProfile(e *onboarding.Effect, o *onboarding.Onboarding, pointer string, find func(context.Context, onboarding.TrustHub) (sid string, err error)) {
	if o.Request.CustomerProfileSID == "" {
		return
	}
	e.Look = func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
		sid, err := find(ctx, hub)
		if err != nil || sid == "" {
			return onboarding.Absent{}, err
		}
		return seen(sid, ""), nil
	}
	e.Remove, e.Stays = nil, true
	refuseLocked(e, o, onboarding.CustomerProfileKey, pointer)
}

// refuseLocked makes the effect ask a person where its look finds nothing on a bundle that is taken
// over, and nothing can be put on it: the bundle is under review, or approved.
func refuseLocked(e *onboarding.Effect, o *onboarding.Onboarding, bundle onboarding.Key, pointer string) {
	status := o.Bundle(bundle).Status
	if !onboarding.UnderReview(status) && status != onboarding.BundleApproved {
		return
	}
	code, name, what := "profile_incomplete", "profile", "this"
	if bundle != onboarding.CustomerProfileKey {
		code, name, what = "product_incomplete", "SHAKEN/STIR trust product", "the profile" // There is nothing else on it.
	}
	look := e.Look
	e.Look = func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
		outcome, err := look(ctx, hub)
		if _, absent := outcome.(onboarding.Absent); err == nil && absent {
			return unfit(pointer, code, fmt.Sprintf("The %s that was taken over does not hold %s, and nothing can be put on it while it is %s. "+
				"Leave it out of the request, or have another made.", name, what, status)), nil
		}
		return outcome, err
	}
}

// endUserOn returns the SID of the end user of that type on the profile, or "".
func endUserOn(ctx context.Context, hub onboarding.TrustHub, account, profileSID, kind string) (string, error) {
	assigned, err := assignedTo(ctx, hub, account, profileSID, "IT")
	for i := 0; i < len(assigned) && err == nil; i++ {
		var user onboarding.RemoteEndUser
		if user, err = hub.FetchEndUser(ctx, account, assigned[i]); err == nil && user.Type == kind {
			return user.SID, nil
		}
	}
	return "", err
}

// documentOn returns the address document on the profile, with no SID if there is none.
func documentOn(ctx context.Context, hub onboarding.TrustHub, account, profileSID string) (onboarding.SupportingDocument, error) {
	assigned, err := assignedTo(ctx, hub, account, profileSID, "RD")
	for i := 0; i < len(assigned) && err == nil; i++ {
		var document onboarding.SupportingDocument
		if document, err = hub.FetchSupportingDocument(ctx, account, assigned[i]); err == nil && document.Type == addressDocumentType {
			return document, nil
		}
	}
	return onboarding.SupportingDocument{}, err
}

// assignedTo returns the SIDs of what is assigned to the profile and begins with the prefix, oldest
// assignment first.
func assignedTo(ctx context.Context, hub onboarding.TrustHub, account, profileSID, prefix string) ([]string, error) {
	assigned, err := hub.ListEntityAssignments(ctx, account, onboarding.CustomerProfile, profileSID)
	slices.SortStableFunc(assigned, func(a, b onboarding.Assignment) int { return a.CreatedAt.Compare(b.CreatedAt) })
	var sids []string
	for _, a := range assigned {
		if strings.HasPrefix(a.ObjectSID, prefix) {
			sids = append(sids, a.ObjectSID)
		}
	}
	return sids, err
}
