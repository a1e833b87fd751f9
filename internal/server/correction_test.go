package server_test

import (
	"fmt"
	"net/http"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// patch amends the onboarding, and returns the status and the answer.
func (w *world) patch(id string, version int, change map[string]any) (status int, raw string) {
	w.t.Helper()
	return w.send(http.DefaultClient, w.url, http.MethodPatch, "/onboardings/"+id, change, http.Header{
		"Content-Type": {"application/merge-patch+json"}, "If-Match": {fmt.Sprintf("%q", fmt.Sprint(version))},
	})
}

// From rejection to approval by PATCH alone, and only the objects behind the reviewer's code are touched.
func TestARejectionIsCorrectedInPlace(t *testing.T) {
	t.Parallel()
	person := func(name string) map[string]any { return representative(name) }
	tests := []struct {
		code    int
		pointer string
		change  map[string]any
		// touched are the steps whose objects are updated.
		touched []string
	}{
		{18601, "/business/website_url", map[string]any{"business": map[string]any{"website_url": "https://www.plumbing.example.com"}}, []string{"business_information"}},
		{18602, "/business/business_registration_number", map[string]any{"business": map[string]any{"business_registration_number": "987654321"}}, []string{"business_information"}},
		{18603, "/address", map[string]any{"address": map[string]any{"street": "1 N State St"}}, []string{"address"}},
		{18604, "/authorized_representatives/0", map[string]any{"authorized_representatives": []any{person("other"), person("second")}}, []string{"representative_1"}},
		{18605, "/authorized_representatives/1", map[string]any{"authorized_representatives": []any{person("first"), person("other")}}, []string{"representative_2"}},
		{18606, "/authorized_representatives/0/email", map[string]any{"business": map[string]any{"website_url": "https://shop.plumbing.example.com"}}, []string{"business_information"}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.code), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
			w.serve()
			customer := w.subaccount(1)
			id := w.post(customer.request(map[string]any{"authorized_representatives": []any{person("first"), person("second")}})).ID
			profile := w.await(id, "in_review").CustomerProfile.SID
			if status, raw := w.patch(id, 1, tt.change); status != http.StatusConflict || !strings.Contains(raw, "in_review") {
				t.Errorf("a correction during the review answered %d: %s", status, raw)
			}
			w.reject(profile, tt.code)
			rejected := w.await(id, "action_required")
			if r := rejected.Requirements; len(r) != 1 || r[0].Pointer != tt.pointer || r[0].Source != "review" {
				t.Errorf("requirements %+v, want one that points at %s", r, tt.pointer)
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

// A correction answers a refused address and a noncompliant evaluation as it answers a rejection.
func TestARefusedAddressIsCorrected(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(1)
	request := customer.request(nil)
	request["address"].(map[string]any)["street"] = "1 Unknown St" // The simulator knows no such street: 21629.
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

func (w *world) reject(bundle string, codes ...int) {
	w.t.Helper()
	if err := w.sim.Review(bundle, trusthubsim.Decision{Status: trusthubsim.StatusRejected, Errors: trusthubsim.Codes(codes...)}); err != nil {
		w.t.Fatal(err)
	}
}

// writtenTo are the SIDs of the objects that the POSTs among the requests were made to, and the paths of what they made, sorted.
func writtenTo(requests []trusthubsim.Request) []string {
	var written []string
	for _, r := range requests {
		if r.Method != http.MethodPost {
			continue
		}
		object := r.Path
		for _, part := range strings.Split(strings.TrimSuffix(r.Path, ".json"), "/") {
			if len(part) == 34 {
				object = part
			}
		}
		written = append(written, object)
	}
	return sorted(written)
}

func sorted(s []string) []string {
	sort.Strings(s)
	return s
}
