package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/trusthubsim"
)

func TestOnePostBecomesAttestationA(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(2)
	posted := w.post(customer.request(map[string]any{
		"authorized_representatives": []any{representative("first"), representative("second")},
		"phone_numbers":              []string{customer.numbers[0], customer.e164[1]},
	}))
	if posted.Attestation != nil || posted.Status != "in_progress" {
		t.Errorf("at first: status %s, attestation %v", posted.Status, posted.Attestation)
	}
	done := w.await(posted.ID, "approved")

	if done.Attestation == nil || *done.Attestation != "A" {
		t.Errorf("attestation %v, want A", done.Attestation)
	}
	held := w.held(customer)
	if done.CustomerProfile != (bundle{held.CustomerProfiles[0].SID, "twilio-approved"}) || done.TrustProduct != (bundle{held.TrustProducts[0].SID, "twilio-approved"}) {
		t.Errorf("bundles %+v, %+v are not those that Twilio approved", done.CustomerProfile, done.TrustProduct)
	}
	for i, n := range done.PhoneNumbers {
		if n.SID != customer.numbers[i] || n.PhoneNumber != customer.e164[i] || n.OnProfile == "" || n.OnProduct == "" {
			t.Errorf("phone number %d: %+v", i, n)
		}
	}
	for _, s := range done.Steps {
		switch {
		case s.Key == "numbers_check":
			if s.Status != "waiting" {
				t.Errorf("the check of the numbers is %s, want it to wait for its day", s.Status)
			}
		case s.Status != "succeeded" || s.SID == "" && !strings.HasSuffix(s.Key, "submission") && !strings.HasSuffix(s.Key, "review"):
			t.Errorf("step %+v", s)
		}
	}
	wantEachOnce(t, held, 2, 2)
}

func TestTheCleanPathMakesNoCallMoreThanThePlanHas(t *testing.T) {
	t.Parallel()
	// As in life, a callback comes after the change that it reports was written down.
	shared := newReviewWorld(t, "1h", "1h")
	r := &review{world: shared.world, post: shared.post, customer: shared.subaccount(2), decision: decisions["approved"]}
	r.sim.ResetRequests()
	r.id = r.world.post(r.customer.request(nil)).ID
	r.bundle = r.await(r.id, "in_review").CustomerProfile.SID
	r.accepted(r.pending())
	r.decide()
	r.accepted(r.letter())
	r.bundle = r.awaitThat(r.id, "the product in review", r.decision.profile).TrustProduct.SID
	r.accepted(r.pending())
	r.decide()
	r.accepted(r.letter())
	r.await(r.id, "approved")

	want := map[string]int{
		// The preflight.
		"GET /2010-04-01/Accounts/{sid}.json":                            1,
		"GET /v1/CustomerProfiles/{sid}":                                 1 + 1, // and the review
		"GET /2010-04-01/Accounts/{sid}/IncomingPhoneNumbers/{sid}.json": 2,
		// What is made.
		"POST /v1/CustomerProfiles":                      1,
		"POST /v1/TrustProducts":                         1,
		"POST /2010-04-01/Accounts/{sid}/Addresses.json": 1,
		"POST /v1/SupportingDocuments":                   1,
		"POST /v1/EndUsers":                              2,
		// What is put together.
		"POST /v1/CustomerProfiles/{sid}/EntityAssignments":          4,
		"POST /v1/CustomerProfiles/{sid}/ChannelEndpointAssignments": 2,
		"POST /v1/TrustProducts/{sid}/EntityAssignments":             1,
		"POST /v1/TrustProducts/{sid}/ChannelEndpointAssignments":    2,
		// What is evaluated and submitted. The product is evaluated again after the approval of its
		// profile.
		"POST /v1/CustomerProfiles/{sid}/Evaluations": 1,
		"POST /v1/TrustProducts/{sid}/Evaluations":    2,
		"POST /v1/CustomerProfiles/{sid}":             1,
		"POST /v1/TrustProducts/{sid}":                1,
		"GET /v1/TrustProducts/{sid}":                 1,
	}
	if diff := cmp.Diff(want, calls(r.sim.Requests())); diff != "" {
		t.Errorf("calls to Twilio (-want +got):\n%s", diff)
	}
}

func TestStepsThatDoNotNeedEachOtherOverlap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	var atOnce []*hold
	for _, step := range []string{"customer_profile", "trust_product", "address", "business_information", "representative_1"} {
		atOnce = append(atOnce, w.holdStep(beforeWork, step))
	}
	id := w.post(w.subaccount(1).request(nil)).ID
	for _, h := range atOnce {
		h.await() // None is let go before all have come.
	}
	for _, h := range atOnce {
		h.letGo()
	}
	w.await(id, "approved")
}

func TestAGivenAddressIsTakenAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(1)
	address, err := w.newAddress(customer.sid)
	if err != nil {
		t.Fatal(err)
	}
	done := w.await(w.post(customer.request(map[string]any{"address": map[string]any{"sid": address}})).ID, "approved")
	if got := done.step("address").SID; got != address {
		t.Errorf("address %s, want the given %s", got, address)
	}
	wantEachOnce(t, w.held(customer), 1, 1)
}

func TestFiveHundredNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{MaxConcurrent: 20})
	w.serve()
	customer := w.subaccount(500)
	done := w.await(w.post(customer.request(nil)).ID, "approved")
	if len(done.PhoneNumbers) != 500 {
		t.Errorf("%d phone numbers, want 500", len(done.PhoneNumbers))
	}
	wantEachOnce(t, w.held(customer), 1, 500)
	for _, r := range w.sim.Requests() {
		if r.Status == http.StatusTooManyRequests {
			t.Fatal("Twilio had to refuse calls because there were too many at once")
		}
	}
}
