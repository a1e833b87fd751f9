package onboarding

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// This file takes over what was made by hand: a bundle, an address or end users that the request names. What a bundle that is taken over
// already holds is taken over with it, and only what it lacks is made. Nothing of it is ours to delete.

// given is the SID of the bundle that is to be taken over; "" as well when that has been replaced since.
func (o *Onboarding) given(bundle Key, sid string) string {
	if slices.Contains(replacedSIDs(o, bundle), sid) {
		return ""
	}
	return sid
}

// takeOver reads the bundle that the request names, and refuses one that cannot serve.
func (b bundle) takeOver(o *Onboarding) Effect {
	account := o.SubaccountSID
	return Effect{
		Do: func(ctx context.Context, hub TrustHub) (Result, error) {
			read, err := hub.FetchBundle(ctx, account, b.kind, b.given)
			if fault := notFound(err, b.givenPointer, "The subaccount has no such bundle. Name one of its own, or leave it out to have one made."); fault != nil {
				return Result{Requirements: fault}, nil
			}
			if err != nil {
				return Result{}, err
			}
			var faults []Requirement
			switch {
			case read.AccountSID != account:
				faults = preflightFault(b.givenPointer, "bundle_of_other_account", "This bundle belongs to another account.")
			case read.PolicySID != b.policySID:
				faults = preflightFault(b.givenPointer, "bundle_of_other_policy",
					fmt.Sprintf("This bundle was made for the policy %s, and %s is wanted.", read.PolicySID, b.policySID))
			case read.Status == BundleApproved && !read.ValidUntil.IsZero() && read.ValidUntil.Before(time.Now()):
				faults = preflightFault(b.givenPointer, "approval_ended", "This bundle's approval has ended. Leave it out to have another made.")
			}
			if len(faults) > 0 {
				return Result{Requirements: faults}, nil // It is not taken over, so its SID is not the step's.
			}
			return Result{SID: read.SID, RemoteStatus: read.Status, TakenOver: true}, nil
		},
		Pointer: b.givenPointer,
		Source:  SourcePreflight,
		Stays:   true,
	}
}

// takenOverSubmitted tells whether the bundle was taken over with its submission behind it.
func (b bundle) takenOverSubmitted(o *Onboarding) bool {
	step := o.Step(b.key)
	return b.given != "" && step != nil && (underReview(step.RemoteStatus) || step.RemoteStatus == BundleApproved)
}

// nothingToDo is a step whose effect was there before.
func nothingToDo(key, need Key) Node {
	return Node{Key: key, Needs: []Key{need}, Effect: func(*Onboarding) Effect {
		return Effect{Do: func(context.Context, TrustHub) (Result, error) { return Result{}, nil }}
	}}
}

// lookingFirst makes the effect adopt what is there instead of making a second.
func (e Effect) lookingFirst() Effect {
	do, find := e.Do, e.Find
	e.Do = func(ctx context.Context, hub TrustHub) (Result, error) {
		found, err := find(ctx, hub)
		if err != nil || len(found) > 0 {
			return first(found), err
		}
		return do(ctx, hub)
	}
	return e
}

func first(found []Result) Result {
	if len(found) == 0 {
		return Result{}
	}
	return found[0]
}

// unlessHeld makes the effect adopt what a bundle that is taken over holds already, if it is one and holds it. That is not ours to delete;
// nor is then, to be sure, what we add.
func (e Effect) unlessHeld(o *Onboarding, takenOver bool, held func(context.Context, TrustHub) (Result, error)) Effect {
	if !takenOver {
		return e
	}
	e = e.unlessLocked(o, profileKey)
	do := e.Do
	e.Do = func(ctx context.Context, hub TrustHub) (Result, error) {
		if r, err := held(ctx, hub); err != nil || r.SID != "" {
			return r, err
		}
		return do(ctx, hub)
	}
	e.Remove, e.Stays = nil, true
	return e
}

// unlessLocked refuses to make something for the bundle that is taken over, if nothing can be put on it: it is under review, or approved.
func (e Effect) unlessLocked(o *Onboarding, bundle Key) Effect {
	status := o.Bundle(bundle).Status
	if !underReview(status) && status != BundleApproved {
		return e
	}
	code, what := "profile_incomplete", "this"
	if bundle != profileKey {
		code, what = "product_incomplete", "the profile" // There is nothing else on it.
	}
	e.Do = func(context.Context, TrustHub) (Result, error) {
		return Result{Requirements: preflightFault(e.Pointer, code,
			fmt.Sprintf("The %s that was taken over does not hold %s, and nothing can be put on it while it is %s. Leave it out of the request, or have another made.",
				named(bundle), what, status))}, nil
	}
	return e
}

// takeOver reads the end user that the request names, and refuses one of another type.
func (u endUser) takeOver(account string, attributes map[string]string) Effect {
	return Effect{
		Do: func(ctx context.Context, hub TrustHub) (Result, error) {
			user, err := hub.FetchEndUser(ctx, account, u.given)
			if fault := notFound(err, u.givenPointer, "The subaccount has no such end user. Name one of its own, or leave it out to have one made."); fault != nil {
				return Result{Requirements: fault}, nil
			}
			if err == nil && user.Type != u.kind {
				return Result{Requirements: preflightFault(u.givenPointer, "end_user_of_other_type",
					fmt.Sprintf("This end user is of the type %s, and %s is wanted.", user.Type, u.kind))}, nil
			}
			return Result{SID: user.SID}, err
		},
		Update: func(ctx context.Context, hub TrustHub, sid string) (Result, error) {
			updated, err := hub.UpdateEndUser(ctx, account, sid, attributes)
			return Result{SID: updated.SID}, err
		},
		Pointer: u.givenPointer,
		Source:  SourcePreflight,
		Stays:   true,
	}
}

// heldEndUser returns the end user of that type on the profile that is taken over, with no SID if there is none.
func heldEndUser(ctx context.Context, hub TrustHub, account, profileSID, kind string) (Result, error) {
	assigned, err := assignedOf(ctx, hub, account, profileSID, "IT")
	for i := 0; i < len(assigned) && err == nil; i++ {
		var user HeldEndUser
		if user, err = hub.FetchEndUser(ctx, account, assigned[i]); err == nil && user.Type == kind {
			return Result{SID: user.SID}, nil
		}
	}
	return Result{}, err
}

// heldDocument returns the address document on the profile that is taken over, with no SID if there is none.
func heldDocument(ctx context.Context, hub TrustHub, account, profileSID string) (SupportingDocument, error) {
	assigned, err := assignedOf(ctx, hub, account, profileSID, "RD")
	for i := 0; i < len(assigned) && err == nil; i++ {
		var document SupportingDocument
		if document, err = hub.FetchSupportingDocument(ctx, account, assigned[i]); err == nil && document.Type == addressDocumentType {
			return document, nil
		}
	}
	return SupportingDocument{}, err
}

// assignedOf returns the SIDs of what is assigned to the profile and begins with the prefix, oldest assignment first.
func assignedOf(ctx context.Context, hub TrustHub, account, profileSID, prefix string) ([]string, error) {
	assigned, err := hub.ListEntityAssignments(ctx, account, CustomerProfile, profileSID)
	slices.SortStableFunc(assigned, func(a, b Assignment) int { return a.CreatedAt.Compare(b.CreatedAt) })
	var sids []string
	for _, a := range assigned {
		if strings.HasPrefix(a.ObjectSID, prefix) {
			sids = append(sids, a.ObjectSID)
		}
	}
	return sids, err
}
