package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/trusthubsim"
)

func TestACanceledOnboardingMakesNothingMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
	w.serve()
	customer := w.subaccount(1)
	id := w.post(customer.request(nil)).ID
	profile := w.await(id, "in_review").CustomerProfile.SID
	if a := w.cancel(id, nil); a.Status != "canceled" || len(a.Kept) != 0 {
		t.Errorf("cancel answered %+v", a)
	}
	w.quiet(id)
	w.sim.ResetRequests()
	reviewed(w, profile, trusthubsim.StatusApproved)
	w.resume(id)
	if status, raw := w.add(id, false, customer.numbers[0]); status != http.StatusConflict || !strings.Contains(raw, `"canceled"`) {
		t.Errorf("adding a number answered %d: %s", status, raw)
	}
	// The subaccount is free again. The next onboarding makes objects of its own.
	next := w.post(customer.request(nil)).ID
	w.awaitThat(next, "the conflict over the number", func(a answer) bool { return a.Status == "action_required" })
	for _, r := range w.sim.Requests() {
		if strings.Contains(r.Path, profile) && r.Method != http.MethodGet {
			t.Errorf("%s %s was made", r.Method, r.Path)
		}
	}
}

// Everything is deleted, in an order in which Twilio refuses nothing.
func TestCleanupDeletesWhatWasMade(t *testing.T) {
	t.Parallel()
	for name, until := range map[string]struct {
		sim    trusthubsim.Config
		status string
		before func(w *world, a answer)
	}{
		"approved": {status: "approved"},
		"rejected": {trusthubsim.Config{Review: trusthubsim.ReviewManual}, "in_review", func(w *world, a answer) {
			w.reject(a.CustomerProfile.SID, 18602)
			w.await(a.ID, "action_required")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, until.sim)
			w.serve()
			customer := w.subaccount(2)
			id := w.post(customer.request(map[string]any{"authorized_representatives": []any{representative("first"), representative("second")}})).ID
			a := w.await(id, until.status)
			if until.before != nil {
				until.before(w, a)
			}
			w.cancel(id, cleanup)
			a = w.cleanedUp(id)
			w.wantNothing(customer)
			if len(a.Kept) != 0 {
				t.Errorf("kept %+v", a.Kept)
			}
		})
	}
}

// The answer lists what Twilio refuses to delete. The next resume after Twilio allows it deletes
// that.
func TestCleanupTellsWhatTwilioKeeps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
	w.serve()
	customer := w.subaccount(1)
	id := w.post(customer.request(nil)).ID
	profile := w.await(id, "in_review").CustomerProfile.SID
	w.cancel(id, cleanup)
	a := w.cleanedUp(id)
	if !slices.ContainsFunc(a.Kept, func(k struct{ Step, SID, Reason string }) bool { return k.SID == profile && k.Reason != "" }) {
		t.Errorf("kept %+v, want the profile %s in review among it", a.Kept, profile)
	}
	w.reject(profile, 18602)
	w.resume(id)
	if a := w.cleanedUp(id); len(a.Kept) != 0 {
		t.Errorf("kept %+v", a.Kept)
	}
	w.wantNothing(customer)
}

// A cleanup can be asked for after the cancellation. It leaves what was there before the
// onboarding.
func TestCleanupLeavesWhatWasThereBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(1)
	address, err := w.newAddress(customer.sid)
	if err != nil {
		t.Fatal(err)
	}
	id := w.post(customer.request(map[string]any{"address": map[string]any{"sid": address}})).ID
	w.await(id, "approved")
	w.cancel(id, nil)
	w.quiet(id)
	w.cancel(id, cleanup)
	a := w.cleanedUp(id)
	held := w.held(customer)
	if len(held.Addresses) != 1 || len(held.EndUsers)+len(held.SupportingDocuments) != 0 {
		t.Errorf("left are %d addresses, %d end users, %d documents; want the address alone", len(held.Addresses), len(held.EndUsers), len(held.SupportingDocuments))
	}
	if len(a.Kept) != 1 || a.Kept[0].SID != address {
		t.Errorf("kept %+v, want the address", a.Kept)
	}
}

// A call that was under way at the cancellation is looked up, and what it made is deleted.
func TestCleanupFindsWhatWasUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(1)
	w.fault(trusthubsim.Fault{Method: http.MethodPost, Path: "/v1/EndUsers", Effect: trusthubsim.EffectDropAfter})
	w.fault(trusthubsim.Fault{Method: http.MethodGet, Path: "/v1/EndUsers", Effect: trusthubsim.EffectStatus, Status: http.StatusServiceUnavailable})
	id := w.post(customer.request(nil)).ID
	eventually(w.t, "an end user that nobody was told of", func() bool { return len(w.held(customer).EndUsers) > 0 })
	w.cancel(id, cleanup)
	w.sim.ClearFaults() // Only now can it be found.
	w.cleanedUp(id)
	w.wantNothing(customer)
}

// Objects that were replaced are deleted as well, with what is assigned to them. Nothing is left
// that only a person could find.
func TestCleanupDeletesWhatWasReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual, RejectedProductsFinal: true})
	w.serve()
	customer := w.subaccount(2)
	id := w.post(customer.request(map[string]any{"products": []string{"shaken_stir", "cnam"}, "cnam": map[string]any{"cnam_display_name": "Example"}})).ID
	profile := w.await(id, "in_review").CustomerProfile.SID

	// An address in another country is another address.
	w.reject(profile, 18603)
	w.await(id, "action_required")
	w.mustPatch(id, 1, map[string]any{"address": map[string]any{"city": "Toronto", "region": "ON", "postal_code": "M5V 2T6", "iso_country": "CA"}})
	w.awaitThat(id, "the profile in review again", func(a answer) bool { return a.Status == "in_review" && a.CustomerProfile.Status == "pending-review" })
	reviewed(w, profile, trusthubsim.StatusApproved)

	// A product that was rejected for good is replaced by another product.
	cnam := func(a answer) bundle { return a.Products[1].Bundle }
	a := w.awaitThat(id, "the products in review", func(a answer) bool {
		return a.TrustProduct.Status == "pending-review" && cnam(a).Status == "pending-review"
	})
	old := cnam(a).SID
	w.reject(old, 18602)
	w.await(id, "action_required")
	w.mustPatch(id, 2, map[string]any{})
	a = w.awaitThat(id, "another product in review", func(a answer) bool { return cnam(a).SID != old && cnam(a).Status == "pending-review" })
	reviewed(w, a.TrustProduct.SID, trusthubsim.StatusApproved)
	reviewed(w, cnam(a).SID, trusthubsim.StatusApproved)
	w.await(id, "approved")
	if held := w.held(customer); len(held.TrustProducts) != 3 || len(held.Addresses) != 2 {
		t.Fatalf("%d products, %d addresses: nothing was replaced", len(held.TrustProducts), len(held.Addresses))
	}

	w.cancel(id, cleanup)
	if a := w.cleanedUp(id); len(a.Kept) != 0 {
		t.Errorf("kept %+v", a.Kept)
	}
	w.wantNothing(customer)
}

// An object that was deleted in the Console is not listed as kept. The products of a deleted
// profile are gone with it.
func TestCleanupTellsNothingOfWhatIsGone(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(a answer) string{
		"profile": func(a answer) string { return a.CustomerProfile.SID },
		"product": func(a answer) string { return a.TrustProduct.SID },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, customer, before := approvedAndChecked(t, nil)
			w.deleteInConsole(of(before))
			w.awaitRequirement(before.ID, "bundle_deleted", "")
			w.resume(before.ID)
			w.await(before.ID, "approved")
			w.cancel(before.ID, cleanup)
			if a := w.cleanedUp(before.ID); len(a.Kept) != 0 {
				t.Errorf("kept %+v", a.Kept)
			}
			w.wantNothing(customer)
		})
	}
}

// An onboarding can be canceled at any moment. Nothing of it is left, and the subaccount is free
// again.
func TestAnOnboardingIsCanceledAtAnyMoment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Latency: 20 * time.Millisecond})
	w.serve()
	for after := 1; after <= 16; after += 3 {
		t.Run(fmt.Sprintf("after %d objects", after), func(t *testing.T) {
			customer := w.subaccount(2)
			id := w.post(customer.request(nil)).ID
			w.awaitThat(id, "the objects", func(a answer) bool { return len(a.sids()) >= after })
			w.cancel(id, cleanup)
			eventually(w.t, "a cleanup with nothing kept", func() bool {
				w.resume(id) // Twilio deletes a bundle only after its review.
				return len(w.cleanedUp(id).Kept) == 0
			}, func() string { return fmt.Sprint(w.get(id).Kept) })
			w.wantNothing(customer)
			w.cancel(w.post(customer.request(nil)).ID, cleanup)
		})
	}
}

// A cleanup may come while numbers move from a product to its replacement. It finds them on either.
func TestCleanupComesWhileAProductIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual, RejectedProductsFinal: true})
	w.serve()
	customer := w.subaccount(3)
	id := w.post(customer.request(nil)).ID
	reviewed(w, w.await(id, "in_review").CustomerProfile.SID, trusthubsim.StatusApproved)
	old := w.awaitThat(id, "the product in review", func(a answer) bool { return a.TrustProduct.Status == "pending-review" }).TrustProduct.SID
	w.reject(old, 18602)
	w.await(id, "action_required")
	// One number stays on the old product.
	w.fault(trusthubsim.Fault{Method: http.MethodDelete, Path: "/v1/TrustProducts/" + old + "/ChannelEndpointAssignments/*", Effect: trusthubsim.EffectStatus, Skip: 2, Times: 6})
	w.mustPatch(id, 1, map[string]any{})
	w.awaitThat(id, "a number on the new product", func(a answer) bool {
		return a.step("trust_product.replaced."+old).SID == old && slices.ContainsFunc(a.PhoneNumbers, func(n phoneNumber) bool { return n.OnProduct != "" })
	})
	w.cancel(id, cleanup)
	if a := w.cleanedUp(id); len(a.Kept) != 0 {
		t.Errorf("kept %+v", a.Kept)
	}
	w.wantNothing(customer)
}
