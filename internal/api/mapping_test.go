package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestAnApprovedOnboardingIsShownWhole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.service.byID[testID] = approvedOnboarding()

	var shown Onboarding
	b.call(http.MethodGet, "/onboardings/"+string(testID), nil).decode(t, &shown)

	if value(shown.Attestation) != "A" || shown.Status != OnboardingStatusApproved {
		t.Errorf("attestation %v, status %s", shown.Attestation, shown.Status)
	}
	want := []PhoneNumber{
		{Status: "assigned", Attestation: ptr("A"), Requirements: []Requirement{}, SID: ptr("PN00000000000000000000000000000001"), PhoneNumber: ptr("+12025550100"), CustomerProfileAssignmentSID: ptr("RA00000000000000000000000000000001"), TrustProductAssignmentSID: ptr("RA00000000000000000000000000000003")},
		{Status: "assigned", Attestation: ptr("A"), Requirements: []Requirement{}, SID: ptr("PN00000000000000000000000000000002"), PhoneNumber: ptr("+12025550101"), CustomerProfileAssignmentSID: ptr("RA00000000000000000000000000000002"), TrustProductAssignmentSID: ptr("RA00000000000000000000000000000004")},
	}
	if diff := cmp.Diff(want, shown.PhoneNumbers); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Bundle{SID: ptr("BU0000000000000000000000000000000a"), Status: ptr("twilio-approved")}, shown.CustomerProfile); diff != "" {
		t.Errorf("customer profile (-want +got):\n%s", diff)
	}
	if shown.Warnings != nil {
		t.Errorf("warnings %v in another answer than those to POST and PATCH", *shown.Warnings)
	}
}

// The request is the exception: it is shown in the form in which it can be sent.
func TestWhatIsNotKnownYetIsNullAndNeverLeftOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	request := validRequest()
	request.ExternalID, request.Business.SocialMediaProfileURLs = "", ""
	request.Address = onboarding.Address{SID: "AD00000000000000000000000000000001"}
	request.AuthorizedRepresentatives = request.AuthorizedRepresentatives[:1]
	request.PhoneNumbers = []string{"+12025550100", "PN00000000000000000000000000000002"}
	b.service.byID[testID] = inTheirRoles(&onboarding.Onboarding{
		SubaccountSID: request.SubaccountSID,
		ID:            testID,
		Request:       request,
		Version:       1, CreatedAt: testNow, UpdatedAt: testNow,
		Steps: []onboarding.Step{{Key: "preflight", State: onboarding.StepPending}},
	})
	a := b.call(http.MethodGet, "/onboardings/"+string(testID), nil)

	var got, want any
	a.decode(t, &got)
	err := json.Unmarshal([]byte(`{
		"id": "onb_01890a5d-ac96-774b-bcce-b302099a8057", "external_id": null, "status": "in_progress",
		"subaccount_sid": "AC0123456789abcdef0123456789abcdef", "primary_profile_sid": "BU00000000000000000000000000000002",
		"customer_profile": {"sid": null, "status": null}, "trust_product": {"sid": null, "status": null}, "attestation": null,
		"products": [{"product": "shaken_stir", "bundle": {"sid": null, "status": null}, "requirements": []}], "kept": [],
		"phone_numbers": [
			{"sid": null, "phone_number": "+12025550100", "status": "unresolved", "attestation": null, "requirements": [], "customer_profile_assignment_sid": null, "trust_product_assignment_sid": null},
			{"sid": "PN00000000000000000000000000000002", "phone_number": null, "status": "unresolved", "attestation": null, "requirements": [], "customer_profile_assignment_sid": null, "trust_product_assignment_sid": null}
		],
		"requirements": [], "reviews": [],
		"steps": [{"key": "preflight", "kind": "read", "bundle": null, "pointer": null, "status": "pending", "sid": null, "attempts": 0, "error": null, "started_at": null, "finished_at": null, "next_attempt_at": null}],
		"request": {
			"subaccount_sid": "AC0123456789abcdef0123456789abcdef", "primary_profile_sid": "BU00000000000000000000000000000002",
			"notification_email": "trust-hub@isv.example",
			"business": {
				"business_name": "Example Plumbing LLC", "business_identity": "direct_customer", "business_type": "Limited Liability Corporation",
				"business_industry": "CONSUMER", "business_registration_identifier": "EIN", "business_registration_number": "123456789",
				"business_regions_of_operation": "USA_AND_CANADA", "website_url": "https://www.example.com"
			},
			"address": {"sid": "AD00000000000000000000000000000001"},
			"authorized_representatives": [
				{"first_name": "First", "last_name": "Representative", "email": "first@example.com", "phone_number": "+12025550143", "business_title": "Owner", "job_position": "CEO"}
			],
			"phone_numbers": ["+12025550100", "PN00000000000000000000000000000002"]
		},
		"version": 1, "created_at": "2026-01-05T09:00:00.123456Z", "updated_at": "2026-01-05T09:00:00.123456Z"
	}`), &want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAFailedStepShowsItsErrorAndWhatToDo(t *testing.T) {
	t.Parallel()
	o := approvedOnboarding()
	o.Steps[5].State = onboarding.StepFailed
	o.Steps[5].Error = &onboarding.StepError{Code: 18602, Message: "Registration number not verified", MoreInfo: "https://www.twilio.com/docs/errors/18602"}
	o.Steps[5].Requirements = []onboarding.Requirement{{Pointer: "/business/business_registration_number", Code: "18602", Message: "Correct it.", TwilioMessage: "Registration Number",
		Source: onboarding.SourceReview, Responsible: onboarding.ResponsibleCustomer, Action: onboarding.ActionCorrect, At: testNow}}
	o.Steps[8].State = onboarding.StepWaiting
	o.Steps[8].Error = &onboarding.StepError{Message: "timeout", HTTPStatus: 503}
	o.Steps[8].NextAttemptAt = testNow.In(time.FixedZone("elsewhere", 3600))
	b := setup(t)
	b.service.byID[testID] = o

	var shown Onboarding
	b.call(http.MethodGet, "/onboardings/"+string(testID), nil).decode(t, &shown)

	if shown.Status != OnboardingStatusActionRequired || shown.Attestation != nil {
		t.Errorf("status %s, attestation %v", shown.Status, shown.Attestation)
	}
	if diff := cmp.Diff([]Requirement{{Pointer: "/business/business_registration_number", Code: "18602", Message: "Correct it.", TwilioMessage: ptr("Registration Number"),
		Source: RequirementSourceReview, Responsible: RequirementResponsibleCustomer, Action: RequirementActionCorrect, At: ptr(testNow)}}, shown.Requirements); diff != "" {
		t.Errorf("requirements (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&StepError{Code: ptr(18602), Message: "Registration number not verified", MoreInfo: ptr("https://www.twilio.com/docs/errors/18602")}, shown.Steps[5].Error); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&StepError{Message: "timeout", HTTPStatus: ptr(503)}, shown.Steps[8].Error); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	if at := shown.Steps[8].NextAttemptAt; at == nil || !at.Equal(testNow) || at.Location() != time.UTC {
		t.Errorf("next_attempt_at %v, want %v", at, testNow)
	}
}

// The largest onboarding has 500 numbers and more than a thousand steps, and is polled.
func BenchmarkTheLargestOnboardingAsJSON(b *testing.B) {
	o := approvedOnboarding()
	o.Numbers, o.Steps = nil, nil
	for i := range 500 {
		sid := fmt.Sprintf("PN%032x", i)
		o.Numbers = append(o.Numbers, onboarding.PhoneNumber{SID: sid, Number: "+12025550100"})
		o.Steps = append(o.Steps, onboarding.Step{Key: onboarding.CustomerProfileKey.Number(sid), State: onboarding.StepSucceeded, SID: "RA1"}, onboarding.Step{Key: onboarding.ShakenStirKey.Number(sid), State: onboarding.StepSucceeded, SID: "RA2"})
	}
	inTheirRoles(o)
	for b.Loop() {
		if _, err := json.Marshal(onboardingJSON(o)); err != nil {
			b.Fatal(err)
		}
	}
}

func ptr[T any](v T) *T { return &v }
