package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// What another onboarding left behind stands for what somebody made by hand.
func (w *world) madeByHand(s subaccount, until string) (request map[string]any, left answer) {
	w.t.Helper()
	request = s.request(nil)
	id := w.post(request).ID
	left = w.await(id, until)
	w.cancel(id, nil)
	w.quiet(id)
	return request, left
}

// bundleByHand makes a bundle in draft in the subaccount, with nothing on it.
func (w *world) bundleByHand(s subaccount, collection, policy string) (sid string) {
	w.t.Helper()
	return w.as(s, http.MethodPost, collection, url.Values{"FriendlyName": {"By hand"}, "Email": {"trust@isv.example"}, "PolicySid": {policy}})
}

// An approved profile and product are taken over as they are: nothing is made, and nothing is reviewed again.
func TestApprovedBundlesAreTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(2)
	request, left := w.madeByHand(customer, "approved")
	request["customer_profile_sid"], request["trust_product_sid"] = left.CustomerProfile.SID, left.TrustProduct.SID
	w.sim.ResetRequests()
	a := w.await(w.post(request).ID, "approved")
	if a.CustomerProfile != left.CustomerProfile || a.TrustProduct != left.TrustProduct || a.Attestation == nil {
		t.Errorf("profile %v, product %v, attestation %v", a.CustomerProfile, a.TrustProduct, a.Attestation)
	}
	for _, r := range w.sim.Requests() {
		if r.Method != http.MethodGet {
			t.Errorf("%s %s was made", r.Method, r.Path)
		}
	}
	type version struct{ Submissions []any }
	if v := list[version](w, "/onboardings/"+a.ID+"/versions", "versions", 10); len(v) != 1 || len(v[0].Submissions) != 0 {
		t.Errorf("versions %+v, want one under which nothing was submitted", v)
	}
	// It is not attestd's to delete.
	w.cancel(a.ID, cleanup)
	w.quiet(a.ID)
	wantEachOnce(t, w.held(customer), 1, 2)
}

// Of a profile that was half done by hand, what is there is kept and what is missing is added.
func TestAHalfDoneProfileIsCompleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.environ["REVIEW_POLL_MIN"] = "200ms" // Twilio tells nobody of a bundle that was made without a StatusCallback.
	w.serve()
	customer := w.subaccount(1)
	profile := w.bundleByHand(customer, "/v1/CustomerProfiles", trusthubsim.PolicySecondaryProfile)
	user := w.as(customer, http.MethodPost, "/v1/EndUsers", url.Values{"FriendlyName": {"By hand"}, "Type": {"authorized_representative_1"}, "Attributes": {
		`{"first_name": "First", "last_name": "Owner", "email": "first@plumbing.example.com", "phone_number": "+13125550123", "business_title": "Owner", "job_position": "CEO"}`}})
	w.as(customer, http.MethodPost, "/v1/CustomerProfiles/"+profile+"/EntityAssignments", url.Values{"ObjectSid": {user}})

	a := w.await(w.post(customer.request(map[string]any{"customer_profile_sid": profile})).ID, "approved")
	if a.CustomerProfile.SID != profile || a.step("representative_1").SID != user {
		t.Errorf("profile %s and representative %s, want %s and %s", a.CustomerProfile.SID, a.step("representative_1").SID, profile, user)
	}
	held := w.held(customer)
	if len(held.CustomerProfiles) != 1 || len(held.EndUsers) != 2 || len(held.CustomerProfiles[0].EntityAssignments) != 4 {
		t.Errorf("%d profiles, %d end users, %d assignments; want 1, 2, 4", len(held.CustomerProfiles), len(held.EndUsers), len(held.CustomerProfiles[0].EntityAssignments))
	}
}

// What cannot serve is refused before anything is made, and the request can be corrected.
func TestWhatCannotServeIsNotTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer, other := w.subaccount(1), w.subaccount(1)
	product := w.bundleByHand(customer, "/v1/TrustProducts", trusthubsim.PolicyCNAM)
	foreign := w.bundleByHand(other, "/v1/CustomerProfiles", trusthubsim.PolicySecondaryProfile)
	id := w.post(customer.request(map[string]any{"customer_profile_sid": foreign, "trust_product_sid": product})).ID
	a := w.awaitThat(id, "both to be refused", func(a answer) bool { return len(a.Requirements) == 2 })
	for i, pointer := range []string{"/customer_profile_sid", "/trust_product_sid"} {
		if a.Requirements[i].Pointer != pointer {
			t.Errorf("requirement %d is %+v, want one that points at %s", i, a.Requirements[i], pointer)
		}
	}
	if status, raw := w.patch(id, 1, map[string]any{"customer_profile_sid": nil, "trust_product_sid": nil}); status != http.StatusAccepted {
		t.Fatalf("the correction answered %d: %s", status, raw)
	}
	w.await(id, "approved")
}

// A subaccount is made once, whatever becomes of the answer, and gets its name.
func TestASubaccountIsMadeOnce(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]trusthubsim.Effect{
		"straight on": "", "answer lost": trusthubsim.EffectDropAfter, "nothing done": trusthubsim.EffectDropBefore, "garbled": trusthubsim.EffectHTMLAfter,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, trusthubsim.Config{})
			w.environ["CHECK_INTERVAL"] = "500ms"
			w.serve()
			if fault != "" {
				w.fault(trusthubsim.Fault{Method: http.MethodPost, Path: "/2010-04-01/Accounts.json", Effect: fault, Times: 1})
			}
			request := subaccount{}.request(map[string]any{"subaccount": map[string]any{"friendly_name": "Example Plumbing"}, "phone_numbers": "all"})
			delete(request, "subaccount_sid")
			id := w.post(request).ID
			a := w.awaitThat(id, "the bundles approved", func(a answer) bool { return a.TrustProduct.Status == "twilio-approved" })
			if a.Attestation != nil {
				t.Error("there is an attestation without a number")
			}
			made := 0
			for sid, account := range w.sim.State().Accounts {
				if sid == a.SubaccountSID && account.FriendlyName != "Example Plumbing" {
					t.Errorf("the subaccount is called %s", account.FriendlyName)
				}
				if sid != trusthubsim.DefaultAccountSID {
					made++
				}
			}
			if made != 1 {
				t.Errorf("%d subaccounts were made", made)
			}
			number, _ := w.buy(subaccount{sid: a.SubaccountSID})
			w.awaitThat(id, "the bought number attested", func(a answer) bool { return a.Attestation != nil && a.number(number).Attestation != nil })
			if !strings.HasPrefix(a.SubaccountSID, "AC") {
				t.Errorf("the subaccount is %q", a.SubaccountSID)
			}
		})
	}
}
