package plan

import (
	"context"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// holding is a Trust Hub that has one bundle, one end user, and what is assigned to the bundle.
type holding struct {
	onboarding.TrustHub
	bundle   onboarding.Bundle
	user     onboarding.RemoteEndUser
	document onboarding.SupportingDocument
	assigned []onboarding.Assignment
	err      error
}

func (h holding) FetchBundle(context.Context, string, onboarding.BundleKind, string) (onboarding.Bundle, error) {
	return h.bundle, h.err
}

func (h holding) FetchEndUser(context.Context, string, string) (onboarding.RemoteEndUser, error) {
	return h.user, h.err
}

func (h holding) FetchSupportingDocument(context.Context, string, string) (onboarding.SupportingDocument, error) {
	return h.document, h.err
}

func (h holding) ListEntityAssignments(context.Context, string, onboarding.BundleKind, string) ([]onboarding.Assignment, error) {
	return h.assigned, h.err
}

var monday = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// nodeOf returns the node of that key in the plan of a request that names what the subaccount has.
func nodeOf(t *testing.T, key onboarding.Key, change func(*onboarding.Onboarding)) (onboarding.Node, *onboarding.Onboarding) {
	t.Helper()
	trustHub := TrustHub(Config{Now: func() time.Time { return monday }})
	o := &onboarding.Onboarding{ID: "onb_1", SubaccountSID: "AC1", Request: exampleRequest()}
	change(o)
	trustHub.Arrange(o)
	for _, n := range trustHub.Nodes(o) {
		if n.Key == key {
			return n, o
		}
	}
	t.Fatalf("the plan has no step %s", key)
	return onboarding.Node{}, nil
}

// TestABundleIsTakenOverOnlyIfItCanServe has what is wrong with a bundle that a request names.
func TestABundleIsTakenOverOnlyIfItCanServe(t *testing.T) {
	t.Parallel()
	good := onboarding.Bundle{Object: onboarding.Object{SID: "BU1"}, AccountSID: "AC1", PolicySID: DefaultSecondaryProfilePolicySID, Status: onboarding.BundleDraft}
	change := func(f func(*onboarding.Bundle)) onboarding.Bundle { b := good; f(&b); return b }
	for name, test := range map[string]struct {
		bundle onboarding.Bundle
		err    error
		code   string
	}{
		"it serves":              {bundle: good},
		"approved, without end":  {bundle: change(func(b *onboarding.Bundle) { b.Status = onboarding.BundleApproved })},
		"approved for long":      {bundle: change(func(b *onboarding.Bundle) { b.Status, b.ValidUntil = onboarding.BundleApproved, monday.Add(time.Hour) })},
		"its approval has ended": {bundle: change(func(b *onboarding.Bundle) { b.Status, b.ValidUntil = onboarding.BundleApproved, monday.Add(-time.Hour) }), code: "approval_ended"},
		"of another account":     {bundle: change(func(b *onboarding.Bundle) { b.AccountSID = "AC2" }), code: "bundle_of_other_account"},
		"of another policy":      {bundle: change(func(b *onboarding.Bundle) { b.PolicySID = "RN9" }), code: "bundle_of_other_policy"},
		"not there":              {err: &onboarding.RemoteError{Class: onboarding.ClassPermanent, HTTPStatus: 404}, code: "20404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node, o := nodeOf(t, onboarding.CustomerProfileKey, func(o *onboarding.Onboarding) { o.Request.CustomerProfileSID = "BU1" })
			outcome, err := node.Effect(o).Look(t.Context(), holding{bundle: test.bundle, err: test.err})
			if err != nil {
				t.Fatal(err)
			}
			asked := onboarding.AskedIn(outcome)
			if test.code == "" {
				if done, ok := outcome.(onboarding.Done); !ok || done.SID != "BU1" || !done.Replan {
					t.Errorf("it comes to %+v, want it to be taken over and the plan to be laid out anew", outcome)
				}
				return
			}
			if len(asked) != 1 || asked[0].Code != test.code || asked[0].Pointer != "/customer_profile_sid" {
				t.Errorf("it comes to %+v, want a person to be asked with %q", outcome, test.code)
			}
		})
	}
}

// TestWhatAProfileHasIsNotMadeAgain: what is on a profile that is taken over is looked for before
// anything is made, and nothing is asked for that can be made.
func TestWhatAProfileHasIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	on := func(sid string) []onboarding.Assignment {
		return []onboarding.Assignment{{Object: onboarding.Object{SID: "BV1"}, ObjectSID: sid}}
	}
	user := onboarding.RemoteEndUser{Object: onboarding.Object{SID: "IT1"}, EndUser: onboarding.EndUser{Type: "customer_profile_business_information"}}
	document := onboarding.SupportingDocument{Object: onboarding.Object{SID: "RD1"}, Type: addressDocumentType, AddressSIDs: []string{"AD1"}}
	for name, test := range map[string]struct {
		key    onboarding.Key
		hub    holding
		status string // the profile's
		sid    string
		code   string
	}{
		"the business is there":           {key: "business_information", hub: holding{assigned: on("IT1"), user: user}, sid: "IT1"},
		"another end user is there":       {key: "representative_1", hub: holding{assigned: on("IT1"), user: user}},
		"the document is there":           {key: "address_document", hub: holding{assigned: on("RD1"), document: document}, sid: "RD1"},
		"and with it the address":         {key: "address", hub: holding{assigned: on("RD1"), document: document}, sid: "AD1"},
		"nothing is there":                {key: "address", hub: holding{}},
		"nothing, and nothing can be":     {key: "address", status: onboarding.BundleApproved, code: "profile_incomplete"},
		"it is there, and nothing can be": {key: "business_information", hub: holding{assigned: on("IT1"), user: user}, status: onboarding.BundleInReview, sid: "IT1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node, o := nodeOf(t, test.key, func(o *onboarding.Onboarding) { o.Request.CustomerProfileSID = "BU1" })
			profile := o.Step(onboarding.CustomerProfileKey)
			profile.SID, profile.State, profile.RemoteStatus = "BU1", onboarding.StepSucceeded, test.status
			effect := node.Effect(o)
			outcome, err := effect.Look(t.Context(), test.hub)
			if err != nil {
				t.Fatal(err)
			}
			_, absent := outcome.(onboarding.Absent)
			asked := onboarding.AskedIn(outcome)
			switch {
			case test.code != "":
				if len(asked) != 1 || asked[0].Code != test.code {
					t.Errorf("it comes to %+v, want a person to be asked with %q", outcome, test.code)
				}
			case test.sid == "" && !absent, test.sid != "" && onboarding.SeenIn(outcome).SID != test.sid:
				t.Errorf("it comes to %+v, want %q", outcome, test.sid)
			}
			if effect.Remove != nil || !effect.Stays {
				t.Error("what is on a profile that was taken over is ours to delete")
			}
		})
	}
}
