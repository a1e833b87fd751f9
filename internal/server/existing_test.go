package server_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// madeByHand makes an onboarding and cancels it. What it leaves stands for objects that somebody
// has made by hand.
func (w *world) madeByHand(s subaccount, until string) (request map[string]any, left answer) {
	w.t.Helper()
	request = s.request(nil)
	id := w.post(request).ID
	left = w.await(id, until)
	w.cancel(id, nil)
	w.quiet(id)
	return request, left
}

// An approved profile and product are taken over as they are. Nothing is made and nothing is
// reviewed again.
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
	// A cleanup does not delete what was taken over.
	w.cancel(a.ID, cleanup)
	w.quiet(a.ID)
	wantEachOnce(t, w.held(customer), 1, 2)
}

// A profile that was begun by hand is completed: existing objects stay, missing ones are added.
func TestAHalfDoneProfileIsCompleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	// Twilio tells nobody of a bundle that was made without a StatusCallback.
	w.environ["REVIEW_POLL_MIN"] = "200ms"
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

// Unsuitable objects are refused before anything is made, and the request can be corrected.
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

// A subaccount is made once, even if the answer is lost, and gets its name.
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

// Objects that are taken over have the data that somebody gave them. If Twilio refuses the data, a
// correction writes what the request says, even if the request said the same from the first.
func TestWhatWasTakenOverIsCorrected(t *testing.T) {
	t.Parallel()
	t.Run("an end user with too little in it", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, trusthubsim.Config{})
		w.serve()
		customer := w.subaccount(1)
		user := w.as(customer, http.MethodPost, "/v1/EndUsers", url.Values{
			"FriendlyName": {"By hand"}, "Type": {"authorized_representative_1"}, "Attributes": {`{"first_name": "First"}`},
		})
		id := w.post(customer.request(map[string]any{"end_user_sids": map[string]any{"authorized_representative_1": user}})).ID
		if a := w.await(id, "action_required"); a.Requirements[0].Pointer != "/authorized_representatives/0/last_name" {
			t.Errorf("requirements %+v, want the missing members", a.Requirements)
		}
		w.mustPatch(id, 1, map[string]any{"authorized_representatives": []any{representative("first")}})
		if a := w.await(id, "approved"); a.step("representative_1").SID != user || len(w.held(customer).EndUsers) != 2 {
			t.Errorf("the representative is %s, want %s", a.step("representative_1").SID, user)
		}
	})
	t.Run("a profile that was rejected", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, trusthubsim.Config{})
		w.environ["REVIEW_POLL_MIN"] = "200ms"
		w.serve()
		customer := w.subaccount(1)
		request := customer.request(nil)
		request["business"].(map[string]any)["business_registration_number"] = "12-3450000"
		left := w.await(w.post(request).ID, "action_required")
		w.cancel(left.ID, nil)
		w.quiet(left.ID)
		right := customer.request(map[string]any{"customer_profile_sid": left.CustomerProfile.SID, "trust_product_sid": left.TrustProduct.SID})
		id := w.post(right).ID
		w.awaitRequirement(id, "18602", "/business/business_registration_number")
		w.sim.ResetRequests()
		w.mustPatch(id, 1, map[string]any{"business": right["business"]})
		if a := w.await(id, "approved"); !attested(a) || a.CustomerProfile.SID != left.CustomerProfile.SID {
			t.Errorf("attestation %v with the profile %v", a.Attestation, a.CustomerProfile)
		}
		for _, r := range w.sim.Requests() {
			if r.Method != http.MethodGet && strings.HasPrefix(r.Path, "/v1/EndUsers/") && !strings.HasSuffix(r.Path, left.step("business_information").SID) {
				t.Errorf("%s %s was made: nobody has found fault with that", r.Method, r.Path)
			}
		}
	})
}

// An approved product cannot be put on another profile, and is not written to. The fault is that
// the request names it.
func TestAnApprovedProductOfAnotherProfileIsNotTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(1)
	request, left := w.madeByHand(customer, "approved")
	request["trust_product_sid"] = left.TrustProduct.SID
	number, _ := w.buy(customer)
	request["phone_numbers"] = []string{number}
	w.awaitRequirement(w.post(request).ID, "product_incomplete", "/trust_product_sid")
}

// If a product that was taken over is replaced, a cleanup deletes only the replacement.
func TestCleanupLeavesAProductThatWasTakenOverAndReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual, RejectedProductsFinal: true})
	w.environ["REVIEW_POLL_MIN"] = "200ms"
	w.serve()
	customer := w.subaccount(1)
	product := w.bundleByHand(customer, "/v1/TrustProducts", trusthubsim.PolicyShakenStir)
	id := w.post(customer.request(map[string]any{"trust_product_sid": product})).ID
	reviewed(w, w.await(id, "in_review").CustomerProfile.SID, trusthubsim.StatusApproved)
	w.awaitThat(id, "the product in review", func(a answer) bool { return a.TrustProduct.Status == "pending-review" })
	w.reject(product, 18602)
	w.await(id, "action_required")
	w.mustPatch(id, 1, map[string]any{})
	a := w.awaitThat(id, "another product in review", func(a answer) bool { return a.TrustProduct.SID != product && a.TrustProduct.Status == "pending-review" })
	reviewed(w, a.TrustProduct.SID, trusthubsim.StatusApproved)
	w.await(id, "approved")
	w.cancel(id, cleanup)
	a = w.cleanedUp(id)
	if held := w.held(customer); len(held.TrustProducts) != 1 || held.TrustProducts[0].SID != product {
		t.Errorf("%d products are left, want the one that was there", len(held.TrustProducts))
	}
	if !slices.ContainsFunc(a.Kept, func(k struct{ Step, SID, Reason string }) bool { return k.SID == product }) {
		t.Errorf("kept %+v, want the product %s among it", a.Kept, product)
	}
}

// An approved profile accepts no second representative. Removing him from the request is a
// correction, and changes nothing that was approved.
func TestWhatAnApprovedProfileDoesNotTakeIsTakenOutOfTheRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(1)
	request, left := w.madeByHand(customer, "approved")
	request["customer_profile_sid"], request["trust_product_sid"] = left.CustomerProfile.SID, left.TrustProduct.SID
	request["authorized_representatives"] = []any{representative("first"), representative("second")}
	id := w.post(request).ID
	w.awaitRequirement(id, "profile_incomplete", "/authorized_representatives/1")
	w.mustPatch(id, 1, map[string]any{"authorized_representatives": []any{representative("first")}})
	if a := w.await(id, "approved"); !attested(a) || a.CustomerProfile != left.CustomerProfile {
		t.Errorf("attestation %v with the profile %v, want it with %v", a.Attestation, a.CustomerProfile, left.CustomerProfile)
	}
}

// A profile in review is taken over with its review. Nothing is submitted again. A new number
// waits, if Twilio wants it to.
func TestAProfileInReviewIsTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
	w.environ["REVIEW_POLL_MIN"] = "200ms"
	w.serve()
	customer := w.subaccount(1)
	request, left := w.madeByHand(customer, "in_review")
	more, _ := w.buy(customer)
	request["customer_profile_sid"], request["trust_product_sid"] = left.CustomerProfile.SID, left.TrustProduct.SID
	request["phone_numbers"] = []string{customer.numbers[0], more}
	id := w.post(request).ID
	w.awaitThat(id, "the review to be waited for", func(a answer) bool { return a.Status == "in_review" && a.CustomerProfile == left.CustomerProfile })
	reviewed(w, left.CustomerProfile.SID, trusthubsim.StatusApproved)
	w.awaitThat(id, "the product in review", func(a answer) bool { return a.TrustProduct.Status == "pending-review" })
	reviewed(w, left.TrustProduct.SID, trusthubsim.StatusApproved)
	if a := w.await(id, "approved"); !attested(a) || len(a.PhoneNumbers) != 2 {
		t.Errorf("attestation %v of %+v", a.Attestation, a.PhoneNumbers)
	}
	if held := w.held(customer); held.CustomerProfiles[0].Submissions != 1 || len(held.CustomerProfiles) != 1 || len(held.TrustProducts) != 1 {
		t.Errorf("%d submissions of the profile, %d profiles, %d products; want one of each",
			held.CustomerProfiles[0].Submissions, len(held.CustomerProfiles), len(held.TrustProducts))
	}
}
