package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/trusthubsim"
)

func (w *world) cancel(id string, body any) answer {
	w.t.Helper()
	var a answer
	if status, raw := w.call(http.MethodPost, "/onboardings/"+id+"/cancel", body, &a); status != http.StatusAccepted {
		w.t.Fatalf("cancel answered %d: %s", status, raw)
	}
	return a
}

var cleanup = map[string]any{"cleanup": true}

// quiet waits until no step of a canceled onboarding is left to settle.
func (w *world) quiet(id string) answer {
	w.t.Helper()
	return w.awaitThat(id, "every step to be over", func(a answer) bool {
		return a.Status == "canceled" && !slices.ContainsFunc(a.Steps, func(s step) bool { return s.Status != "canceled" && s.Status != "succeeded" })
	})
}

// cleanedUp waits until every step of an onboarding that was canceled with cleanup has been taken back, as far as that can be done.
func (w *world) cleanedUp(id string) answer {
	w.t.Helper()
	return w.awaitThat(id, "every step to be taken back", func(a answer) bool {
		return !slices.ContainsFunc(a.Steps, func(s step) bool { return s.Status != "canceled" })
	})
}

// wantNothing checks that nothing of the onboarding is at Twilio any more.
func (w *world) wantNothing(s subaccount) {
	w.t.Helper()
	held := w.held(s)
	if n := len(held.CustomerProfiles) + len(held.TrustProducts) + len(held.EndUsers) + len(held.SupportingDocuments) + len(held.Addresses); n != 0 {
		w.t.Errorf("%d objects are left: %+v", n, held.Holdings)
	}
}

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
	// The subaccount is free again, and the next onboarding makes its own.
	next := w.post(customer.request(nil)).ID
	w.awaitThat(next, "the conflict over the number", func(a answer) bool { return a.Status == "action_required" })
	for _, r := range w.sim.Requests() {
		if strings.Contains(r.Path, profile) && r.Method != http.MethodGet {
			t.Errorf("%s %s was made", r.Method, r.Path)
		}
	}
}

// Everything goes, in an order that Twilio takes: nothing is refused on the way.
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

// What Twilio does not let go of is told, and goes with the next resume that can.
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

// A cleanup can be asked for after the cancellation, and leaves what was there before.
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

// A call that was under way when the onboarding was canceled is looked up, and what it made is deleted as well.
func TestCleanupFindsWhatWasUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(1)
	w.fault(trusthubsim.Fault{Method: http.MethodPost, Path: "/v1/EndUsers", Effect: trusthubsim.EffectDropAfter})
	id := w.post(customer.request(nil)).ID
	w.eventually("an end user that nobody was told of", func() bool { return len(w.held(customer).EndUsers) > 0 }, func() string { return "" })
	w.cancel(id, cleanup)
	w.cleanedUp(id)
	w.wantNothing(customer)
}
