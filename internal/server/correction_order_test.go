package server_test

import (
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// A bundle is evaluated after its corrections. An evaluation beside a correction would see the old
// data, and after the submission Twilio refuses the correction.
func TestABundleIsEvaluatedOnlyWhenAllItsCorrectionsAreThere(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, path string
		code       int
		change     map[string]any
	}{
		{"business", "/v1/EndUsers/*", 18602, map[string]any{"business": map[string]any{"business_registration_number": "98-7654321"}}},
		{"representative", "/v1/EndUsers/*", 18604, map[string]any{"authorized_representatives": []any{representative("other")}}},
		{"address", "/2010-04-01/Accounts/*/Addresses/*", 18603, map[string]any{"address": map[string]any{"street": "1 N State St"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
			w.serve()
			customer := w.subaccount(1)
			id := w.post(customer.request(nil)).ID
			profile := w.await(id, "in_review").CustomerProfile.SID
			w.reject(profile, tt.code)
			w.await(id, "action_required")
			correction := w.hold(beforeWork, http.MethodPost, tt.path)
			w.sim.ResetRequests()
			w.mustPatch(id, 1, tt.change)
			correction.await()
			// Meanwhile another onboarding goes all the way to its review. That is time enough for
			// an evaluation that comes too soon.
			w.await(w.post(w.subaccount(1).request(nil)).ID, "in_review")
			correction.letGo()
			w.awaitThat(id, "the profile in review again", func(a answer) bool {
				return a.CustomerProfile.Status == "pending-review" && a.Status != "in_progress"
			})
			requests := slices.DeleteFunc(w.sim.Requests(), func(r trusthubsim.Request) bool { return r.AccountSID != customer.sid })
			corrected := slices.IndexFunc(requests, func(r trusthubsim.Request) bool {
				matched, err := path.Match(tt.path, r.Path)
				return r.Method == http.MethodPost && matched && err == nil
			})
			evaluated := slices.IndexFunc(requests, func(r trusthubsim.Request) bool { return strings.HasSuffix(r.Path, profile+"/Evaluations") })
			if corrected < 0 || evaluated < 0 {
				t.Fatalf("corrected at %d, evaluated at %d of %+v", corrected, evaluated, requests)
			}
			if requests[corrected].Status != http.StatusOK || requests[evaluated].StartedAt.Before(requests[corrected].FinishedAt) {
				t.Errorf("the correction was answered %d at %v, the evaluation began at %v",
					requests[corrected].Status, requests[corrected].FinishedAt, requests[evaluated].StartedAt)
			}
		})
	}
}
