package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// Numbers come and go after the approval, and nothing else is changed.
func TestNumbersAreAddedAndRemovedAfterTheApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(2)
	id := w.post(customer.request(nil)).ID
	before := w.await(id, "approved")
	bySID, _ := w.buy(customer)
	byNumber, e164 := w.buy(customer)

	w.sim.ResetRequests()
	if status, raw := w.add(id, false, bySID, e164); status != http.StatusAccepted {
		t.Fatalf("adding answered %d: %s", status, raw)
	}
	added := w.awaitThat(id, "four attested numbers", func(a answer) bool { return a.Attestation != nil && len(a.PhoneNumbers) == 4 })
	w.wantNumbers(customer, append(slices.Clone(customer.numbers), bySID, byNumber)...)
	if status, raw := w.remove(id, customer.numbers[0]); status != http.StatusAccepted {
		t.Fatalf("removing answered %d: %s", status, raw)
	}
	if status, raw := w.remove(id, e164); status != http.StatusAccepted {
		t.Fatalf("removing by number answered %d: %s", status, raw)
	}
	after := w.awaitThat(id, "two attested numbers", func(a answer) bool { return a.Attestation != nil && len(a.PhoneNumbers) == 2 })
	w.wantNumbers(customer, customer.numbers[1], bySID)

	if after.CustomerProfile != before.CustomerProfile || after.TrustProduct != before.TrustProduct || after.Version != 4 {
		t.Errorf("bundles %v and %v at version %d, want them as before", after.CustomerProfile, after.TrustProduct, after.Version)
	}
	if n := added.number(byNumber); n.Status != "assigned" || n.Attestation == nil || n.PhoneNumber != e164 {
		t.Errorf("the number that was added in E.164 is shown as %+v", n)
	}
	for _, r := range w.sim.Requests() {
		if r.Method != http.MethodGet && !strings.Contains(r.Path, "/ChannelEndpointAssignments") {
			t.Errorf("%s %s was made", r.Method, r.Path)
		}
	}
	if status, raw := w.remove(id, customer.numbers[0]); status != http.StatusNotFound {
		t.Errorf("removing what is gone answered %d: %s", status, raw)
	}
	if status, _ := w.remove(id, bySID); status != http.StatusAccepted {
		t.Errorf("removing answered %d", status)
	}
	if status, raw := w.remove(id, customer.numbers[1]); status != http.StatusConflict || !strings.Contains(raw, "last_phone_number") {
		t.Errorf("removing the last number answered %d: %s", status, raw)
	}
}

// A number that was removed can come back, and is assigned anew.
func TestANumberComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(2)
	id := w.post(customer.request(nil)).ID
	w.await(id, "approved")
	w.remove(id, customer.numbers[1])
	w.awaitThat(id, "one number", func(a answer) bool { return a.Status == "approved" && len(a.PhoneNumbers) == 1 })
	w.add(id, false, customer.numbers[1])
	w.awaitThat(id, "two attested numbers", func(a answer) bool { return a.Attestation != nil && len(a.PhoneNumbers) == 2 })
	w.wantNumbers(customer, customer.numbers...)
}

// A fault of one number does not affect another.
func TestEachNumberSucceedsOrFailsByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(1)
	id := w.post(customer.request(nil)).ID
	w.await(id, "approved")
	good, _ := w.buy(customer)
	_, foreign := w.buy(w.subaccount(0))

	w.add(id, false, foreign, good)
	a := w.awaitThat(id, "the good number on its bundles", func(a answer) bool { return a.number(good).Attestation != nil && a.Status == "action_required" })
	w.wantNumbers(customer, customer.numbers[0], good)
	if n := a.number(customer.numbers[0]); n.Attestation == nil {
		t.Error("the first number lost its attestation")
	}
	if n := a.PhoneNumbers[2]; n.PhoneNumber != foreign || n.Status != "unresolved" || len(n.Requirements) != 1 || n.Requirements[0].Pointer != "/phone_numbers/1" {
		t.Errorf("the number of another account is shown as %+v", n)
	}
	if status, raw := w.remove(id, foreign); status != http.StatusAccepted {
		t.Fatalf("removing it answered %d: %s", status, raw)
	}
	w.await(id, "approved")
}

// A number on another bundle is reported with that bundle. It is moved only on request.
func TestANumberIsMovedFromAnotherBundleOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(2)
	old := w.post(customer.request(nil)).ID
	before := w.await(old, "approved")
	if status, raw := w.call(http.MethodPost, "/onboardings/"+old+"/cancel", nil, nil); status != http.StatusAccepted {
		t.Fatalf("cancel answered %d: %s", status, raw)
	}
	third, _ := w.buy(customer)

	id := w.post(customer.request(map[string]any{"phone_numbers": []string{third}})).ID
	w.await(id, "approved")
	w.add(id, false, customer.numbers[0])
	a := w.await(id, "action_required")
	if n := a.number(customer.numbers[0]); n.Status != "failed" || len(n.Requirements) != 1 || !strings.Contains(n.Requirements[0].Message, before.CustomerProfile.SID) {
		t.Errorf("the number is shown as %+v, want the bundle %s named", n, before.CustomerProfile.SID)
	}
	w.add(id, true, customer.numbers[0])
	moved := w.awaitThat(id, "the moved number attested", func(a answer) bool { return a.number(customer.numbers[0]).Attestation != nil })
	for _, b := range slices.Concat(w.held(customer).CustomerProfiles, w.held(customer).TrustProducts) {
		want := 1
		if b.SID == moved.CustomerProfile.SID || b.SID == moved.TrustProduct.SID {
			want = 2
		}
		if len(b.ChannelEndpointAssignments) != want {
			t.Errorf("%s has %d numbers, want %d", b.SID, len(b.ChannelEndpointAssignments), want)
		}
	}
}

// If Twilio refuses numbers during the review, they wait. Nothing is lost and nobody is asked.
func TestANumberThatIsRefusedDuringTheReviewWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
	w.serve()
	customer := w.subaccount(2)
	id := w.post(customer.request(nil)).ID
	profile := w.await(id, "in_review").CustomerProfile.SID
	third, _ := w.buy(customer)
	w.add(id, false, third)
	w.remove(id, customer.numbers[0])
	w.awaitThat(id, "the numbers to wait", func(a answer) bool {
		return a.Status == "in_review" && a.number(third).Status == "pending" && a.number(customer.numbers[0]).Status == "removing"
	})
	reviewed(w, profile, trusthubsim.StatusApproved)
	product := w.awaitThat(id, "the product in review", func(a answer) bool { return a.TrustProduct.Status == "pending-review" }).TrustProduct.SID
	reviewed(w, product, trusthubsim.StatusApproved)
	w.awaitThat(id, "two attested numbers", func(a answer) bool { return a.Attestation != nil && len(a.PhoneNumbers) == 2 })
	w.wantNumbers(customer, customer.numbers[1], third)
}

// "all" are all numbers that can make calls, at any time.
func TestAllNumbersStayAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.environ["CHECK_INTERVAL"] = "500ms"
	w.serve()
	customer := w.subaccount(2)
	id := w.post(customer.request(map[string]any{"phone_numbers": "all"})).ID
	w.await(id, "approved")
	w.wantNumbers(customer, customer.numbers...)

	third, _ := w.buy(customer)
	w.awaitThat(id, "the bought number attested", func(a answer) bool { return a.number(third).Attestation != nil })
	w.release(customer, customer.numbers[0])
	w.awaitThat(id, "the released number to leave", func(a answer) bool {
		return a.Attestation != nil && len(a.PhoneNumbers) == 2 && a.number(customer.numbers[0]).SID == ""
	})
	w.wantNumbers(customer, customer.numbers[1], third)

	// An empty list is no reason to take anything away.
	w.fault(trusthubsim.Fault{Method: http.MethodGet, Path: "/2010-04-01/Accounts/" + customer.sid + "/IncomingPhoneNumbers.json", Effect: trusthubsim.EffectStatus,
		Status: http.StatusOK, Body: fmt.Sprintf(`{"incoming_phone_numbers": [], "page": 0, "next_page_uri": null, "uri": "/2010-04-01/Accounts/%s/IncomingPhoneNumbers.json"}`, customer.sid)})
	checks := w.get(id).step("numbers_check").Attempts
	w.awaitThat(id, "three more checks", func(a answer) bool { return a.step("numbers_check").Attempts >= checks+3 })
	w.wantNumbers(customer, customer.numbers[1], third)
	if status, raw := w.add(id, false, third); status != http.StatusConflict || !strings.Contains(raw, "all_phone_numbers") {
		t.Errorf("adding a number to all answered %d: %s", status, raw)
	}
}

func TestFiveHundredNumbersInOneRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{MaxConcurrent: 20})
	w.serve()
	customer := w.subaccount(1)
	id := w.post(customer.request(nil)).ID
	w.await(id, "approved")
	var more []string
	for range 500 {
		sid, _ := w.buy(customer)
		more = append(more, sid)
	}
	w.sim.ResetRequests()
	if status, raw := w.add(id, false, more...); status != http.StatusAccepted {
		t.Fatalf("adding answered %d: %s", status, raw)
	}
	w.awaitThat(id, "all numbers attested", func(a answer) bool { return a.Attestation != nil && len(a.PhoneNumbers) == 501 })
	w.wantNumbers(customer, append(more, customer.numbers[0])...)
	for _, r := range w.sim.Requests() {
		if r.Status == http.StatusTooManyRequests {
			t.Error("Twilio was asked for more at once than it takes")
			break
		}
	}
}

// A correction changes the numbers as adding and removing does: one for another, to all, and back
// to some.
func TestACorrectionChangesTheNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(3)
	id := w.post(customer.request(map[string]any{"phone_numbers": customer.numbers[:1]})).ID
	before := w.await(id, "approved")
	for i, step := range []struct {
		wanted any
		want   []string
	}{
		{[]string{customer.e164[1]}, customer.numbers[1:2]},
		{"all", customer.numbers},
		{[]string{customer.numbers[2], customer.e164[0]}, []string{customer.numbers[2], customer.numbers[0]}},
		{[]string{customer.e164[2], customer.numbers[0]}, []string{customer.numbers[2], customer.numbers[0]}},
	} {
		w.mustPatch(id, i+1, map[string]any{"phone_numbers": step.wanted})
		w.awaitThat(id, fmt.Sprintf("the numbers of %v", step.wanted), func(a answer) bool {
			return a.Status == "approved" && attested(a) && len(a.PhoneNumbers) == len(step.want) && a.number(step.want[0]).Status == "assigned"
		})
		w.wantNumbers(customer, step.want...)
	}
	if after := w.get(id); after.CustomerProfile != before.CustomerProfile || after.TrustProduct != before.TrustProduct {
		t.Errorf("bundles %v and %v, want them as before", after.CustomerProfile, after.TrustProduct)
	}
}

// A number is removed while nobody knows yet whether it is on its bundle.
func TestANumberIsRemovedWhileItIsUnknownWhetherItIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(2)
	id := w.post(customer.request(map[string]any{"phone_numbers": customer.numbers[:1]})).ID
	a := w.await(id, "approved")
	w.fault(trusthubsim.Fault{
		Method: http.MethodPost, Path: "/v1/CustomerProfiles/" + a.CustomerProfile.SID + "/ChannelEndpointAssignments", Effect: trusthubsim.EffectDropAfter, Times: 1,
	})
	w.add(id, false, customer.numbers[1])
	eventually(w.t, "the number on the profile", func() bool { profile, _ := onBundles(w.held(customer)); return len(profile) == 2 })
	accepted := func(change func() (status int, raw string)) {
		t.Helper()
		eventually(w.t, "a change to be accepted", func() bool {
			status, raw := change()
			if status != http.StatusAccepted && !strings.Contains(raw, `"busy"`) {
				t.Fatalf("answered %d: %s", status, raw)
			}
			return status == http.StatusAccepted
		})
	}
	accepted(func() (int, string) { return w.remove(id, customer.numbers[1]) })
	one := func(a answer) bool { return a.Status == "approved" && attested(a) && len(a.PhoneNumbers) == 1 }
	w.awaitThat(id, "one number", one)
	w.wantNumbers(customer, customer.numbers[0])

	// A number that is being taken off cannot come back before it is off. Otherwise the service
	// accepts changes as fast as they come.
	for range 3 {
		accepted(func() (int, string) { return w.add(id, false, customer.numbers[1]) })
		accepted(func() (int, string) { return w.remove(id, customer.numbers[0]) })
		accepted(func() (int, string) { return w.add(id, false, customer.numbers[0]) })
		accepted(func() (int, string) { return w.remove(id, customer.numbers[1]) })
	}
	w.awaitThat(id, "one number", one)
	w.wantNumbers(customer, customer.numbers[0])
}
