package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// rejections are the codes of reviewers, with what they ask for and a correction.
var rejections = []struct {
	code int
	// pointers are those of the requirements.
	pointers []string
	change   map[string]any
	// touched are the steps whose objects are updated.
	touched []string
}{
	{18601, []string{"/business/website_url"}, map[string]any{"business": map[string]any{"website_url": "https://www.plumbing.example.com"}}, []string{"business_information"}},
	{18602, []string{"/business/business_registration_number"}, map[string]any{"business": map[string]any{"business_registration_number": "987654321"}}, []string{"business_information"}},
	{18603, []string{"/address"}, map[string]any{"address": map[string]any{"street": "1 N State St"}}, []string{"address"}},
	{18604, []string{"/authorized_representatives/0"}, map[string]any{"authorized_representatives": []any{representative("other"), representative("second")}}, []string{"representative_1"}},
	{18605, []string{"/authorized_representatives/1"}, map[string]any{"authorized_representatives": []any{representative("first"), representative("other")}}, []string{"representative_2"}},
	{18606, []string{"/authorized_representatives/0/email", "/authorized_representatives/1/email"}, map[string]any{"business": map[string]any{"website_url": "https://shop.plumbing.example.com"}}, []string{"business_information"}},
}

// A PATCH leads from the rejection to the approval. It writes only to the objects behind the
// reviewer's code.
func TestARejectionIsCorrectedInPlace(t *testing.T) {
	t.Parallel()
	for _, tt := range rejections {
		t.Run(fmt.Sprint(tt.code), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
			w.serve()
			customer := w.subaccount(1)
			id := w.post(customer.request(map[string]any{"authorized_representatives": []any{representative("first"), representative("second")}})).ID
			profile := w.await(id, "in_review").CustomerProfile.SID
			if status, raw := w.patch(id, 1, tt.change); status != http.StatusConflict || !strings.Contains(raw, "in_review") {
				t.Errorf("a correction during the review answered %d: %s", status, raw)
			}
			w.reject(profile, tt.code)
			rejected := w.await(id, "action_required")
			var pointers []string
			for _, r := range rejected.Requirements {
				pointers = append(pointers, r.Pointer)
			}
			if !slices.Equal(pointers, tt.pointers) || rejected.Requirements[0].Source != "review" {
				t.Errorf("requirements %+v, want them to point at %v", rejected.Requirements, tt.pointers)
			}

			w.sim.ResetRequests()
			if status, raw := w.patch(id, 1, tt.change); status != http.StatusAccepted {
				t.Fatalf("the correction answered %d: %s", status, raw)
			}
			w.awaitThat(id, "the profile in review again", func(a answer) bool { return a.CustomerProfile.Status == "pending-review" && a.Status == "in_review" })
			var want []string
			for _, step := range tt.touched {
				want = append(want, rejected.step(step).SID)
			}
			want = append(want, profile, profile) // evaluated and submitted
			if diff := cmp.Diff(sorted(want), writtenTo(w.sim.Requests())); diff != "" {
				t.Errorf("objects that were written to (-want +got):\n%s", diff)
			}
			reviewed(w, profile, trusthubsim.StatusApproved)
			w.awaitThat(id, "the product in review", func(a answer) bool { return a.TrustProduct.Status == "pending-review" })
			reviewed(w, w.get(id).TrustProduct.SID, trusthubsim.StatusApproved)
			done := w.await(id, "approved")
			if done.CustomerProfile.SID != profile {
				t.Errorf("another profile, %s, took the place of %s", done.CustomerProfile.SID, profile)
			}
			if status, raw := w.patch(id, 2, map[string]any{"business": map[string]any{"website_url": "https://new.example.com"}}); status != http.StatusConflict || !strings.Contains(raw, "approved") {
				t.Errorf("a correction of what is approved answered %d: %s", status, raw)
			}
		})
	}
}

// A correction answers a refused address as it answers a rejection.
func TestARefusedAddressIsCorrected(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(1)
	request := customer.request(nil)
	// The simulator knows no such street: 21629.
	request["address"].(map[string]any)["street"] = "1 Unknown St"
	id := w.post(request).ID
	w.await(id, "action_required")
	if status, raw := w.patch(id, 1, map[string]any{"address": map[string]any{"street": "233 S Wacker Dr"}}); status != http.StatusAccepted {
		t.Fatalf("the correction answered %d: %s", status, raw)
	}
	w.await(id, "approved")
	wantEachOnce(t, w.held(customer), 1, 1)
}

func TestASecondRepresentativeIsAddedAfterARejection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
	w.serve()
	customer := w.subaccount(1)
	id := w.post(customer.request(nil)).ID
	profile := w.await(id, "in_review").CustomerProfile.SID
	w.reject(profile, 18604)
	w.await(id, "action_required")
	if status, raw := w.patch(id, 1, map[string]any{"authorized_representatives": []any{representative("first"), representative("second")}}); status != http.StatusAccepted {
		t.Fatalf("the correction answered %d: %s", status, raw)
	}
	w.awaitThat(id, "the profile in review again", func(a answer) bool { return a.CustomerProfile.Status == "pending-review" && a.Status == "in_review" })
	if got := len(w.held(customer).EndUsers); got != 3 {
		t.Errorf("%d end users, want the business and two representatives", got)
	}
}

func TestAnAmendmentOfAnOlderVersionIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
	w.serve()
	customer := w.subaccount(1)
	id := w.post(customer.request(nil)).ID
	profile := w.await(id, "in_review").CustomerProfile.SID
	w.reject(profile, 18602)
	w.await(id, "action_required")
	correction := map[string]any{"business": map[string]any{"business_registration_number": "987654321"}}
	if status, raw := w.patch(id, 1, correction); status != http.StatusAccepted {
		t.Fatalf("the correction answered %d: %s", status, raw)
	}
	if status, _ := w.patch(id, 1, correction); status != http.StatusPreconditionFailed {
		t.Errorf("a second correction of the same version answered %d, want 412", status)
	}
}

// Profile and product are rejected at once, for several reasons and for unknown ones. One
// correction answers them all.
func TestSeveralRejectionsAreCorrectedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual, ProductGate: trusthubsim.GateSubmitted})
	w.serve()
	customer := w.subaccount(1)
	id := w.post(customer.request(map[string]any{"authorized_representatives": []any{representative("first"), representative("second")}})).ID
	bothInReview := func(a answer) bool {
		return a.Status == "in_review" && a.CustomerProfile.Status == "pending-review" && a.TrustProduct.Status == "pending-review"
	}
	before := w.awaitThat(id, "both in review", bothInReview)
	w.reject(before.CustomerProfile.SID, 18602, 18605, 18699)
	w.reject(before.TrustProduct.SID, 18603, 99999)
	a := w.awaitThat(id, "five requirements", func(a answer) bool { return len(a.Requirements) == 5 })
	for i, want := range []requirement{
		{Pointer: "/business/business_registration_number", Code: "18602"}, {Pointer: "/authorized_representatives/1", Code: "18605"}, {Code: "18699"},
		{Pointer: "/address", Code: "18603"}, {Code: "99999"},
	} {
		if got := a.Requirements[i]; got.Pointer != want.Pointer || got.Code != want.Code || got.Source != "review" || got.Message == "" {
			t.Errorf("requirement %d is %+v, want %+v", i, got, want)
		}
	}
	w.mustPatch(id, 1, map[string]any{
		"business": map[string]any{"business_registration_number": "987654321"}, "authorized_representatives": []any{representative("first"), representative("third")},
	})
	w.awaitThat(id, "both in review again", bothInReview)
	reviewed(w, before.TrustProduct.SID, trusthubsim.StatusApproved)
	reviewed(w, before.CustomerProfile.SID, trusthubsim.StatusApproved)
	if a := w.await(id, "approved"); !attested(a) || a.CustomerProfile.SID != before.CustomerProfile.SID || a.TrustProduct.SID != before.TrustProduct.SID {
		t.Errorf("attestation %v, bundles %v and %v, were %v and %v", a.Attestation, a.CustomerProfile, a.TrustProduct, before.CustomerProfile, before.TrustProduct)
	}
}

// The profile is rejected while the product is in review. Its correction, with a number, writes
// nothing to the product but its numbers.
func TestAProfileIsCorrectedWhileTheProductIsInReview(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual, ProductGate: trusthubsim.GateSubmitted})
	w.serve()
	customer := w.subaccount(2)
	id := w.post(customer.request(map[string]any{"phone_numbers": customer.numbers[:1]})).ID
	a := w.awaitThat(id, "both in review", func(a answer) bool { return a.Status == "in_review" && a.TrustProduct.Status == "pending-review" })
	w.reject(a.CustomerProfile.SID, 18602)
	w.await(id, "action_required")
	w.sim.ResetRequests()
	w.mustPatch(id, 1, map[string]any{"business": map[string]any{"business_registration_number": "987654321"}, "phone_numbers": customer.numbers})
	w.awaitThat(id, "the profile in review again", func(a answer) bool { return a.Status == "in_review" && a.CustomerProfile.Status == "pending-review" })
	for _, r := range w.sim.Requests() {
		if r.Method != http.MethodGet && strings.Contains(r.Path, a.TrustProduct.SID) && !strings.Contains(r.Path, "/ChannelEndpointAssignments") {
			t.Errorf("%s %s was made", r.Method, r.Path)
		}
	}
	reviewed(w, a.CustomerProfile.SID, trusthubsim.StatusApproved)
	reviewed(w, a.TrustProduct.SID, trusthubsim.StatusApproved)
	w.awaitThat(id, "two attested numbers", func(a answer) bool { return a.Status == "approved" && attested(a) && len(a.PhoneNumbers) == 2 })
}

// A correction of an object is refused while a call about the object is under way, and accepted
// after it.
func TestACorrectionWaitsForTheCallThatItIsAbout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(1)
	business := w.holdCall(beforeAnswer, func(c twilioCall) bool {
		return c.method == http.MethodPost && c.path == "/v1/EndUsers" && c.form.Get("Type") == "customer_profile_business_information"
	})
	// Without its document the profile cannot be submitted. In review it could not be corrected.
	document := w.hold(beforeAnswer, http.MethodPost, "/v1/SupportingDocuments")
	id := w.post(customer.request(nil)).ID
	business.await()
	change := map[string]any{"business": map[string]any{"website_url": "https://www.plumbing.example.com"}}
	if status, raw := w.patch(id, 1, change); status != http.StatusConflict || !strings.Contains(raw, `"busy"`) {
		t.Errorf("the correction answered %d: %s", status, raw)
	}
	business.letGo()
	eventually(w.t, "the correction to be accepted", func() bool { status, _ := w.patch(id, 1, change); return status == http.StatusAccepted })
	document.letGo()
	w.await(id, "approved")
	wantEachOnce(t, w.held(customer), 1, 1)
}

// A correction before the first object is made leads to objects with the corrected data.
func TestACorrectionDuringThePreflight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(2)
	preflight := w.hold(beforeWork, http.MethodGet, "/2010-04-01/Accounts/"+customer.sid+".json")
	id := w.post(customer.request(map[string]any{"phone_numbers": customer.numbers[:1]})).ID
	preflight.await()
	w.mustPatch(id, 1, map[string]any{"business": map[string]any{"business_registration_number": "987654321"}, "phone_numbers": customer.numbers[1:]})
	preflight.letGo()
	w.await(id, "approved")
	wantEachOnce(t, w.held(customer), 1, 1)
	w.wantNumbers(customer, customer.numbers[1])
	for _, r := range w.sim.Requests() {
		if r.Method == http.MethodPost && strings.HasPrefix(r.Path, "/v1/EndUsers/") {
			t.Errorf("%s %s was made: an end user was made of the data of before", r.Method, r.Path)
		}
	}
}

// An existing address can take the place of one that was made, and the other way round.
func TestAnAddressIsReplacedByAnotherThatIsThereAndBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
	w.serve()
	customer := w.subaccount(1)
	id := w.post(customer.request(nil)).ID
	profile := w.await(id, "in_review").CustomerProfile.SID
	again := func(change map[string]any) answer {
		t.Helper()
		w.reject(profile, 18603)
		a := w.await(id, "action_required")
		w.mustPatch(id, a.Version, map[string]any{"address": change})
		return w.awaitThat(id, "the profile in review again", func(a answer) bool { return a.Status == "in_review" && a.CustomerProfile.Status == "pending-review" })
	}
	theirs, err := w.newAddress(customer.sid)
	if err != nil {
		t.Fatal(err)
	}
	a := again(map[string]any{"sid": theirs, "customer_name": nil, "street": nil, "city": nil, "region": nil, "postal_code": nil, "iso_country": nil})
	if got := a.step("address").SID; got != theirs {
		t.Errorf("the address is %s, want %s", got, theirs)
	}
	ours := map[string]any{"sid": nil, "customer_name": "Example Plumbing LLC", "street": "2 N State St", "city": "Chicago", "region": "IL", "postal_code": "60606", "iso_country": "US"}
	a = again(ours)
	if got := a.step("address").SID; got == theirs || got == "" {
		t.Errorf("the address is %s, want one that was made", got)
	}
	w.reject(profile, 18603)
	w.await(id, "action_required")
	w.cancel(id, cleanup)
	if a = w.cleanedUp(id); len(a.Kept) != 0 {
		t.Errorf("kept %+v", a.Kept)
	}
	if held := w.held(customer); len(held.Addresses) != 1 || held.Addresses[0].SID != theirs {
		t.Errorf("left are %+v, want what was there before", held.Addresses)
	}
}

// The old address has the same name. When the answer about the new one is lost, the old one is not
// taken for it.
func TestAnAddressInAnotherCountryIsMadeAnewThoughTheAnswerIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
	w.serve()
	customer := w.subaccount(1)
	id := w.post(customer.request(nil)).ID
	w.reject(w.await(id, "in_review").CustomerProfile.SID, 18603)
	w.await(id, "action_required")
	w.fault(trusthubsim.Fault{Method: http.MethodPost, Path: "/2010-04-01/Accounts/*/Addresses.json", Effect: trusthubsim.EffectDropAfter, Times: 1})
	w.mustPatch(id, 1, map[string]any{"address": map[string]any{"city": "Toronto", "region": "ON", "postal_code": "M5V 2T6", "iso_country": "CA"}})
	a := w.awaitThat(id, "the profile in review again", func(a answer) bool { return a.Status == "in_review" && a.CustomerProfile.Status == "pending-review" })
	held := w.held(customer).Addresses
	if len(held) != 2 || held[1].SID != a.step("address").SID || held[1].IsoCountry != "CA" {
		t.Errorf("the address is %s of %+v, want the newer of two", a.step("address").SID, held)
	}
}

// An object that was deleted in the Console is made anew by its correction, and assigned anew.
func TestWhatSomebodyHasDeletedIsMadeAnewByItsCorrection(t *testing.T) {
	t.Parallel()
	for step, change := range map[string]map[string]any{
		"business_information": {"business": map[string]any{"business_registration_number": "987654321"}},
		"representative_1":     {"authorized_representatives": []any{representative("other")}},
		"address":              {"address": map[string]any{"street": "1 N State St"}},
		// The correction is none, and the evaluation finds it missing first.
		"address_document": {},
	} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
			w.serve()
			customer := w.subaccount(1)
			before := w.await(w.post(customer.request(nil)).ID, "in_review")
			id, profile := before.ID, before.CustomerProfile.SID
			w.reject(profile, 18609)
			w.await(id, "action_required")
			w.deleteInConsole(before.step(step).SID)
			version := 1
			if len(change) == 0 {
				w.mustPatch(id, version, map[string]any{})
				w.awaitThat(id, "the evaluation to miss it", func(a answer) bool { return len(a.Requirements) > 0 && a.Requirements[0].Source == "evaluation" })
			}
			w.mustPatch(id, version, change)
			a := w.awaitThat(id, "the profile in review again", func(a answer) bool { return a.Status == "in_review" && a.CustomerProfile.Status == "pending-review" })
			if a.step(step).SID == before.step(step).SID {
				t.Errorf("%s is %s still", step, a.step(step).SID)
			}
			reviewed(w, profile, trusthubsim.StatusApproved)
			w.awaitThat(id, "the product in review", func(a answer) bool { return a.TrustProduct.Status == "pending-review" })
			held := w.held(customer)
			if len(held.EndUsers) != 2 || len(held.SupportingDocuments) != 1 || len(held.Addresses) != 1 || len(held.CustomerProfiles[0].EntityAssignments) != 4 {
				t.Errorf("%d end users, %d documents, %d addresses, %d assignments; want 2, 1, 1 and 4",
					len(held.EndUsers), len(held.SupportingDocuments), len(held.Addresses), len(held.CustomerProfiles[0].EntityAssignments))
			}
		})
	}
}
