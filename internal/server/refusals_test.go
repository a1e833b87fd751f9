package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// refusals each stop an onboarding until a person has done something at Twilio.
var refusals = []struct {
	name string
	// breakIt causes the refusal, and returns changes for the request.
	breakIt func(w *world, s subaccount) map[string]any
	mend    func(w *world, s subaccount)
	pointer string
	code    string
	source  string
}{
	{
		name:    "a suspended subaccount",
		breakIt: func(w *world, s subaccount) map[string]any { setAccountStatus(w, s, "suspended"); return nil },
		mend:    func(w *world, s subaccount) { setAccountStatus(w, s, "active") },
		pointer: "/subaccount_sid", code: "subaccount_not_active", source: "preflight",
	},
	{
		name: "an unapproved primary profile",
		breakIt: func(w *world, _ subaccount) map[string]any {
			reviewed(w, trusthubsim.DefaultPrimaryProfileSID, trusthubsim.StatusRejected)
			return nil
		},
		mend: func(w *world, _ subaccount) {
			reviewed(w, trusthubsim.DefaultPrimaryProfileSID, trusthubsim.StatusApproved)
		},
		pointer: "/primary_profile_sid", code: "primary_profile_not_approved", source: "preflight",
	},
	{
		name: "a number of another account",
		breakIt: func(w *world, s subaccount) map[string]any {
			other := w.subaccount(1)
			w.environ["test.other"], w.environ["test.number"] = other.sid, other.numbers[0]
			return map[string]any{"phone_numbers": []string{s.numbers[0], other.numbers[0]}}
		},
		mend: func(w *world, s subaccount) {
			w.twilioPost("/2010-04-01/Accounts/"+w.environ["test.other"]+"/IncomingPhoneNumbers/"+w.environ["test.number"]+".json", url.Values{"AccountSid": {s.sid}}, nil)
		},
		pointer: "/phone_numbers/1", code: "number_not_in_subaccount", source: "preflight",
	},
	{
		name: "an address that Twilio refuses",
		breakIt: func(w *world, s subaccount) map[string]any {
			w.fault(trusthubsim.Fault{Method: http.MethodPost, Path: "/2010-04-01/Accounts/*/Addresses.json", Effect: trusthubsim.EffectStatus,
				Status: http.StatusBadRequest, Body: `{"code":21628,"message":"Address Validation Error","more_info":"https://www.twilio.com/docs/errors/21628","status":400}`})
			return nil
		},
		mend:    func(w *world, _ subaccount) { w.sim.ClearFaults() },
		pointer: "/address", code: "21628", source: "twilio",
	},
	{
		name: "credentials of the parent that were revoked",
		breakIt: func(w *world, _ subaccount) map[string]any {
			w.fault(trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: http.StatusUnauthorized})
			return nil
		},
		mend:    func(w *world, _ subaccount) { w.sim.ClearFaults() },
		pointer: "", code: "20003", source: "preflight",
	},
}

func setAccountStatus(w *world, s subaccount, status string) {
	w.twilioPost("/2010-04-01/Accounts/"+s.sid+".json", url.Values{"Status": {status}}, nil)
}

// After the cause is gone, resume continues the onboarding.
func TestARefusalNamesTheFieldAndResumeGoesOn(t *testing.T) {
	t.Parallel()
	for _, tt := range refusals {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, trusthubsim.Config{})
			w.serve()
			customer := w.subaccount(1)
			id := w.post(customer.request(tt.breakIt(w, customer))).ID
			stopped := w.await(id, "action_required")
			if len(stopped.Requirements) != 1 {
				t.Fatalf("requirements %+v, want one", stopped.Requirements)
			}
			if r := stopped.Requirements[0]; r.Pointer != tt.pointer || r.Code != tt.code || r.Source != tt.source || r.Message == "" {
				t.Errorf("requirement %+v, want pointer %q, code %q, source %q", r, tt.pointer, tt.code, tt.source)
			}
			for _, b := range append(w.held(customer).CustomerProfiles, w.held(customer).TrustProducts...) {
				if b.Submissions > 0 {
					t.Errorf("%s was submitted", b.SID)
				}
			}
			tt.mend(w, customer)
			w.resume(id)
			w.await(id, "approved")
			numbers := len(w.get(id).PhoneNumbers)
			wantEachOnce(t, w.held(customer), 1, numbers)
		})
	}
}

func TestWrongCredentialsFromTheStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.environ["TWILIO_AUTH_TOKEN"] = strings.Repeat("f", 32)
	w.serve()
	customer := w.subaccount(1)
	stopped := w.await(w.post(customer.request(nil)).ID, "action_required")
	if r := stopped.Requirements[0]; r.Code != "20003" || !strings.Contains(r.Message, "TWILIO_AUTH_TOKEN") {
		t.Errorf("requirement %+v", r)
	}
}

func TestEveryFaultOfThePreflightIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(2)
	reviewed(w, trusthubsim.DefaultPrimaryProfileSID, trusthubsim.StatusRejected)
	stopped := w.await(w.post(customer.request(map[string]any{
		"phone_numbers": []string{"PN" + strings.Repeat("0", 32), customer.numbers[0], "+13125559999"},
	})).ID, "action_required")
	var pointers []string
	for _, r := range stopped.Requirements {
		pointers = append(pointers, r.Pointer)
	}
	if got := strings.Join(pointers, " "); got != "/primary_profile_sid /phone_numbers/0 /phone_numbers/2" {
		t.Errorf("requirements point at %q", got)
	}
}

func TestARejectedProfileShowsTheReviewersReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(1)
	request := customer.request(nil)
	// The simulator's reviewers reject it with 18602.
	request["business"].(map[string]any)["business_registration_number"] = "12-3450000"
	stopped := w.await(w.post(request).ID, "action_required")
	if r := stopped.Requirements[0]; r.Pointer != "/business/business_registration_number" || r.Code != "18602" || r.Source != "review" {
		t.Errorf("requirement %+v", r)
	}
	if stopped.CustomerProfile.Status != "twilio-rejected" || stopped.Attestation != nil {
		t.Errorf("customer profile %+v, attestation %v", stopped.CustomerProfile, stopped.Attestation)
	}
}

func TestTooManyRequestsAreWaitedOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(1)
	w.fault(trusthubsim.Fault{Method: http.MethodPost, Path: "/v1/**", Times: 5, Effect: trusthubsim.EffectStatus, Status: http.StatusTooManyRequests,
		Headers: map[string]string{"Retry-After": "1"}})
	w.await(w.post(customer.request(nil)).ID, "approved")
	wantEachOnce(t, w.held(customer), 1, 1)
}

func TestAReviewIsFoundByPollingWhenNoCallbackComes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	delete(w.environ, "PUBLIC_URL")
	w.environ["REVIEW_POLL_MIN"], w.environ["REVIEW_POLL_MAX"] = "200ms", "1s"
	w.serve()
	customer := w.subaccount(1)
	w.await(w.post(customer.request(nil)).ID, "approved")
}
