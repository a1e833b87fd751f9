package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/trusthubsim"
)

var voiceIntegrity = map[string]any{"use_case": "Identify & Verification", "business_employee_count": "25", "average_business_day_call_volume": "100"}

// Each product has a bundle and a review of its own, on one profile.
func TestEveryProductIsPutOnTheOneProfile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(2)
	id := w.post(customer.request(map[string]any{
		"products": []string{"shaken_stir", "voice_integrity", "cnam"}, "voice_integrity": voiceIntegrity,
		"cnam": map[string]any{"cnam_display_name": "Example LLC"},
	})).ID
	a := w.await(id, "approved")
	held := w.held(customer)
	if len(held.CustomerProfiles) != 1 || len(held.TrustProducts) != 3 || len(a.Products) != 3 || a.Attestation == nil {
		t.Fatalf("%d profiles, %d products at Twilio, %d shown, attestation %v", len(held.CustomerProfiles), len(held.TrustProducts), len(a.Products), a.Attestation)
	}
	policies := map[string]string{
		"shaken_stir": trusthubsim.PolicyShakenStir, "voice_integrity": trusthubsim.PolicyVoiceIntegrity, "cnam": trusthubsim.PolicyCNAM,
	}
	for _, p := range a.Products {
		for _, b := range held.TrustProducts {
			if b.SID == p.Bundle.SID && (b.PolicySID != policies[p.Product] || len(b.ChannelEndpointAssignments) != 2 || p.Bundle.Status != "twilio-approved") {
				t.Errorf("%s is %+v, at Twilio %+v", p.Product, p, b)
			}
		}
	}
}

// The rejection of one product takes nothing from another, and its correction writes to nothing
// else.
func TestAProductIsRejectedAndCorrectedByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(1)
	id := w.post(customer.request(nil)).ID
	before := w.await(id, "approved")

	// The product is added after the approval.
	w.reviewByHand()
	status, raw := w.patch(id, 1, map[string]any{"products": []string{"shaken_stir", "cnam"}, "cnam": map[string]any{"cnam_display_name": "Example"}})
	if status != http.StatusAccepted {
		t.Fatalf("adding a product answered %d: %s", status, raw)
	}
	cnam := func(a answer) bundle { return a.Products[1].Bundle }
	a := w.awaitThat(id, "the product in review", func(a answer) bool { return a.Status == "in_review" && cnam(a).Status == "pending-review" })
	w.reject(cnam(a).SID, 18602)
	a = w.await(id, "action_required")
	if a.Attestation == nil {
		t.Error("the attestation is gone with the rejection of another product")
	}
	w.sim.ResetRequests()
	if status, raw := w.patch(id, 2, map[string]any{"cnam": map[string]any{"cnam_display_name": "Example LLC"}}); status != http.StatusAccepted {
		t.Fatalf("the correction answered %d: %s", status, raw)
	}
	w.awaitThat(id, "the product in review again", func(a answer) bool { return a.Status == "in_review" })
	for _, r := range w.sim.Requests() {
		if r.Method != http.MethodGet && !strings.Contains(r.Path, cnam(a).SID) && !strings.Contains(r.Path, a.step("cnam_user").SID) {
			t.Errorf("%s %s was made", r.Method, r.Path)
		}
	}
	reviewed(w, cnam(a).SID, trusthubsim.StatusApproved)
	after := w.await(id, "approved")
	if after.CustomerProfile != before.CustomerProfile || after.TrustProduct != before.TrustProduct {
		t.Errorf("profile and trust product are %v and %v, were %v and %v", after.CustomerProfile, after.TrustProduct, before.CustomerProfile, before.TrustProduct)
	}
	if status, raw := w.patch(id, 3, map[string]any{"products": []string{"shaken_stir"}, "cnam": nil}); status != http.StatusConflict || !strings.Contains(raw, `"approved"`) {
		t.Errorf("dropping an approved product answered %d: %s", status, raw)
	}
}

// A product that is not approved can be dropped: what was made for it goes, and nothing else is
// touched.
func TestARejectedProductIsDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(1)
	id := w.post(customer.request(nil)).ID
	before := w.await(id, "approved")
	w.reviewByHand()
	w.mustPatch(id, 1, map[string]any{"products": []string{"shaken_stir", "cnam"}, "cnam": map[string]any{"cnam_display_name": "Example"}})
	a := w.awaitThat(id, "the product in review", func(a answer) bool { return a.Products[1].Bundle.Status == "pending-review" })
	dropped := a.Products[1].Bundle.SID
	w.reject(dropped, 18602)
	w.await(id, "action_required")
	w.mustPatch(id, 2, map[string]any{"products": []string{"shaken_stir"}, "cnam": nil})
	a = w.awaitThat(id, "the product to be gone", func(a answer) bool {
		return a.Status == "approved" && len(w.held(customer).TrustProducts) == 1
	})
	if a.TrustProduct != before.TrustProduct || a.CustomerProfile != before.CustomerProfile || !attested(a) {
		t.Errorf("it has %v and %v, attested %v; want what was approved", a.CustomerProfile, a.TrustProduct, attested(a))
	}
	if users := w.held(customer).EndUsers; len(users) != 2 {
		t.Errorf("%d end users are left, want the business and its representative", len(users))
	}

	// It is wanted again: another is made.
	w.mustPatch(id, 3, map[string]any{"products": []string{"shaken_stir", "cnam"}, "cnam": map[string]any{"cnam_display_name": "Example"}})
	again := w.awaitThat(id, "the product in review again", func(a answer) bool {
		return len(a.Products) == 2 && a.Products[1].Bundle.Status == "pending-review"
	})
	if again.Products[1].Bundle.SID == dropped {
		t.Errorf("the product that was dropped, %s, is taken for the new one", dropped)
	}
}

// What the reviewer could not verify yet can be handed in again as it is: no version is made for
// that.
func TestTheSameDataIsHandedInAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
	w.serve()
	customer := w.subaccount(1)
	id := w.post(customer.request(nil)).ID
	a := w.awaitThat(id, "the profile in review", func(a answer) bool { return a.CustomerProfile.Status == "pending-review" })
	w.reject(a.CustomerProfile.SID, 18602)
	w.await(id, "action_required")
	w.mustPatch(id, 1, map[string]any{})
	w.awaitThat(id, "the profile in review again", func(a answer) bool { return a.CustomerProfile.Status == "pending-review" })
	if held := w.held(customer).CustomerProfiles; len(held) != 1 || held[0].Submissions != 2 {
		t.Errorf("%d profiles, the first submitted %d times; want one, twice", len(held), held[0].Submissions)
	}
	// Nothing is rejected now, and the version is still the first.
	w.mustPatch(id, 1, map[string]any{})
}

// If Twilio accepts no rejected product again, another product takes its place, with its numbers.
// The old one is recorded.
func TestARejectedProductThatIsFinalIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual, RejectedProductsFinal: true})
	w.serve()
	customer := w.subaccount(2)
	id := w.post(customer.request(nil)).ID
	reviewed(w, w.await(id, "in_review").CustomerProfile.SID, trusthubsim.StatusApproved)
	old := w.awaitThat(id, "the product in review", func(a answer) bool { return a.TrustProduct.Status == "pending-review" }).TrustProduct.SID
	w.reject(old, 18602)
	w.await(id, "action_required")
	if status, raw := w.patch(id, 1, map[string]any{}); status != http.StatusAccepted {
		t.Fatalf("the correction answered %d: %s", status, raw)
	}
	a := w.awaitThat(id, "another product in review", func(a answer) bool { return a.TrustProduct.SID != old && a.TrustProduct.Status == "pending-review" })
	reviewed(w, a.TrustProduct.SID, trusthubsim.StatusApproved)
	a = w.await(id, "approved")
	if a.Attestation == nil || len(w.held(customer).TrustProducts) != 2 || len(w.held(customer).CustomerProfiles) != 1 {
		t.Errorf("attestation %v with %d products", a.Attestation, len(w.held(customer).TrustProducts))
	}
	if s := a.step("trust_product.replaced." + old); s.SID != old {
		t.Errorf("the old product %s is not recorded", old)
	}
}

// A correction of its end user also leads to another product, because the old one does not let go
// of the end user.
func TestARejectedProductThatIsFinalIsReplacedWithItsEndUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{RejectedProductsFinal: true})
	w.serve()
	customer := w.subaccount(1)
	id := w.post(customer.request(nil)).ID
	w.await(id, "approved")
	w.reviewByHand()
	w.mustPatch(id, 1, map[string]any{"products": []string{"shaken_stir", "cnam"}, "cnam": map[string]any{"cnam_display_name": "Example"}})
	cnam := func(a answer) bundle { return a.Products[1].Bundle }
	a := w.awaitThat(id, "the product in review", func(a answer) bool { return a.Status == "in_review" && cnam(a).Status == "pending-review" })
	old := cnam(a).SID
	w.reject(old, 18602)
	w.await(id, "action_required")
	w.mustPatch(id, 2, map[string]any{"cnam": map[string]any{"cnam_display_name": "Example LLC"}})
	a = w.awaitThat(id, "another product in review", func(a answer) bool {
		return a.Status == "in_review" && cnam(a).SID != old && cnam(a).Status == "pending-review"
	})
	reviewed(w, cnam(a).SID, trusthubsim.StatusApproved)
	if a = w.await(id, "approved"); a.Attestation == nil {
		t.Error("the attestation is gone with the rejection of another product")
	}
	w.cancel(id, cleanup)
	if a = w.cleanedUp(id); len(a.Kept) != 0 {
		t.Errorf("kept %+v", a.Kept)
	}
	w.wantNothing(customer)
}

func TestASecondRepresentativeIsTakenAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
	w.serve()
	customer := w.subaccount(1)
	id := w.post(customer.request(map[string]any{"authorized_representatives": []any{representative("first"), representative("second")}})).ID
	profile := w.await(id, "in_review").CustomerProfile.SID
	w.reject(profile, 18605)
	w.await(id, "action_required")
	if status, raw := w.patch(id, 1, map[string]any{"authorized_representatives": []any{representative("first")}}); status != http.StatusAccepted {
		t.Fatalf("the correction answered %d: %s", status, raw)
	}
	w.awaitThat(id, "the profile in review again", func(a answer) bool { return a.Status == "in_review" && a.CustomerProfile.Status == "pending-review" })
	held := w.held(customer)
	if len(held.EndUsers) != 2 || len(held.CustomerProfiles[0].EntityAssignments) != 4 {
		t.Errorf("%d end users and %d assignments are left, want 2 and 4", len(held.EndUsers), len(held.CustomerProfiles[0].EntityAssignments))
	}
	// The number stayed, and the evaluation came after the representative was removed.
	reviewed(w, profile, trusthubsim.StatusApproved)
	w.awaitThat(id, "the product in review", func(a answer) bool { return a.TrustProduct.Status == "pending-review" })
}
