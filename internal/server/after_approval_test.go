package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// approvedAndChecked makes an approved onboarding with two numbers that is checked twice a second.
// All callbacks are lost.
func approvedAndChecked(t *testing.T, environ map[string]string) (w *world, customer subaccount, a answer) {
	t.Helper()
	w = newWorld(t, trusthubsim.Config{Callbacks: trusthubsim.Callbacks{Lost: 1}})
	w.environ["CHECK_INTERVAL"], w.environ["REVIEW_POLL_MIN"] = "500ms", "200ms"
	for name, value := range environ {
		w.environ[name] = value
	}
	w.serve()
	customer = w.subaccount(2)
	return w, customer, w.await(w.post(customer.request(nil)).ID, "approved")
}

func TestAnApprovalThatIsTakenBackIsFoundAndCorrected(t *testing.T) {
	t.Parallel()
	w, _, approved := approvedAndChecked(t, nil)
	id := approved.ID
	w.reject(approved.CustomerProfile.SID, 18603)
	a := w.awaitRequirement(id, "18603", "/address")
	if a.Attestation != nil || a.PhoneNumbers[0].Attestation != nil {
		t.Errorf("attestation %v, of the first number %v, want none", a.Attestation, a.PhoneNumbers[0].Attestation)
	}
	w.sim.ResetRequests()
	if status, raw := w.patch(id, 1, map[string]any{"address": map[string]any{"street": "1 N State St"}}); status != http.StatusAccepted {
		t.Fatalf("the correction answered %d: %s", status, raw)
	}
	if a = w.await(id, "approved"); !attested(a) || a.CustomerProfile != approved.CustomerProfile || a.TrustProduct != approved.TrustProduct {
		t.Errorf("%+v, want both bundles as they were approved at first", a)
	}
	for _, r := range w.sim.Requests() {
		if r.Method != http.MethodGet && strings.HasPrefix(r.Path, "/v1/TrustProducts") {
			t.Errorf("%s %s was made: the product was approved all the time", r.Method, r.Path)
		}
	}
}

func TestAnApprovalThatEndsIsToldOfBeforeAndAfter(t *testing.T) {
	t.Parallel()
	w, _, a := approvedAndChecked(t, map[string]string{"APPROVAL_NOTICE": "720h"})
	id, profile := a.ID, a.CustomerProfile.SID
	until := func(d time.Duration) {
		t.Helper()
		end := time.Now().Add(d)
		if err := w.sim.Review(profile, trusthubsim.Decision{Status: trusthubsim.StatusApproved, ValidUntil: &end}); err != nil {
			t.Fatal(err)
		}
	}
	until(10 * 24 * time.Hour)
	if a = w.awaitRequirement(id, "approval_ending", ""); !attested(a) {
		t.Error("the attestation is gone before the approval has ended")
	}
	until(-time.Minute)
	if a = w.awaitRequirement(id, "approval_ended", ""); a.Attestation != nil || attested(a) {
		t.Error("there is an attestation after the approval has ended")
	}
	until(365 * 24 * time.Hour)
	if a = w.await(id, "approved"); !attested(a) {
		t.Error("there is no attestation after the approval was renewed")
	}
}

// An approval that ends before the next check ends the attestation at once.
func TestTheAttestationEndsWithTheApproval(t *testing.T) {
	t.Parallel()
	w, _, a := approvedAndChecked(t, map[string]string{"CHECK_INTERVAL": "1h", "APPROVAL_NOTICE": "0"})
	end := time.Now().Add(3 * time.Second)
	if err := w.sim.Review(a.TrustProduct.SID, trusthubsim.Decision{Status: trusthubsim.StatusApproved, ValidUntil: &end}); err != nil {
		t.Fatal(err)
	}
	w.resume(a.ID) // It reads the new end.
	if a = w.awaitRequirement(a.ID, "approval_ended", ""); a.Attestation != nil || attested(a) {
		t.Error("there is an attestation after the approval has ended")
	}
}

// A number that vanished from a bundle is put there again.
func TestANumberThatIsLostIsPutBack(t *testing.T) {
	t.Parallel()
	w, customer, a := approvedAndChecked(t, nil)
	lost := []string{a.PhoneNumbers[0].OnProfile, a.PhoneNumbers[1].OnProduct}
	for _, sid := range lost {
		w.deleteInConsole(sid)
	}
	w.awaitThat(a.ID, "other assignments in their place", func(a answer) bool {
		return attested(a) && a.PhoneNumbers[0].OnProfile != lost[0] && a.PhoneNumbers[1].OnProduct != lost[1]
	})
	w.wantNumbers(customer, customer.numbers...)
}

// The configuration can leave that to a person.
func TestANumberThatIsLostIsLeftToAPerson(t *testing.T) {
	t.Parallel()
	w, customer, a := approvedAndChecked(t, map[string]string{"REPAIR_NUMBERS": "false"})
	w.deleteInConsole(a.PhoneNumbers[1].OnProduct)
	a = w.awaitRequirement(a.ID, "number_lost", "/phone_numbers/1")
	if a.Attestation != nil || a.PhoneNumbers[0].Attestation == nil || a.PhoneNumbers[1].Attestation != nil || len(a.PhoneNumbers[1].Requirements) != 1 {
		t.Errorf("attestation %v, numbers %+v; want only the second number without, and with the requirement", a.Attestation, a.PhoneNumbers)
	}
	w.resume(a.ID)
	w.await(a.ID, "approved")
	w.wantNumbers(customer, customer.numbers...)
}

// A number that was released is reported. The others keep their attestation.
func TestANumberThatIsReleasedIsToldOf(t *testing.T) {
	t.Parallel()
	w, customer, a := approvedAndChecked(t, nil)
	w.deleteInConsole(customer.numbers[0])
	a = w.awaitThat(a.ID, "the number to be missed", func(a answer) bool {
		return a.Status == "action_required" && a.Attestation == nil && a.PhoneNumbers[0].Attestation == nil && a.PhoneNumbers[1].Attestation != nil
	})
	for _, r := range a.Requirements {
		if r.Pointer != "/phone_numbers/0" {
			t.Errorf("requirement %+v, want it to point at the first number", r)
		}
	}
	if status, raw := w.remove(a.ID, customer.numbers[0]); status != http.StatusAccepted {
		t.Fatalf("removing the number answered %d: %s", status, raw)
	}
	if a = w.await(a.ID, "approved"); !attested(a) || len(a.PhoneNumbers) != 1 {
		t.Errorf("%+v, want one attested number", a)
	}
}

// A deleted bundle is made anew when a person asks for it. Without the profile its products are
// made anew too.
func TestABundleThatIsDeletedIsReplacedWhenAPersonSaysSo(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(a answer) string{
		"profile": func(a answer) string { return a.CustomerProfile.SID },
		"product": func(a answer) string { return a.TrustProduct.SID },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, customer, before := approvedAndChecked(t, nil)
			id := before.ID
			w.deleteInConsole(of(before))
			if a := w.awaitRequirement(id, "bundle_deleted", ""); a.Attestation != nil {
				t.Error("there is an attestation without the bundle")
			}
			w.resume(id)
			a := w.await(id, "approved")
			if !attested(a) || of(a) == of(before) || a.TrustProduct.SID == before.TrustProduct.SID {
				t.Errorf("profile %v and product %v, were %v and %v", a.CustomerProfile, a.TrustProduct, before.CustomerProfile, before.TrustProduct)
			}
			held := w.held(customer)
			if len(held.CustomerProfiles) != 1 || len(held.EndUsers) != 2 || len(held.SupportingDocuments) != 1 || len(held.Addresses) != 1 {
				t.Errorf("%d profiles, %d end users, %d documents, %d addresses: want no second of anything",
					len(held.CustomerProfiles), len(held.EndUsers), len(held.SupportingDocuments), len(held.Addresses))
			}
			if s := a.step("trust_product.replaced." + before.TrustProduct.SID); s.SID == "" {
				t.Error("the product of before is not recorded")
			}
		})
	}
}

// Without checks Twilio is not asked again.
func TestChecksCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	_, _, a := approvedAndChecked(t, map[string]string{"CHECK_INTERVAL": "0"})
	for _, s := range a.Steps {
		if s.NextAttemptAt != nil {
			t.Errorf("%s is read again at %v", s.Key, s.NextAttemptAt)
		}
	}
}
