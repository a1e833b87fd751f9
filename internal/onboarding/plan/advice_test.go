package plan

import (
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestARefusalPointsAtTheFieldBehindItsCode(t *testing.T) {
	tests := []struct {
		name    string
		err     onboarding.RemoteError
		role    onboarding.Role
		pointer string
		code    string
		source  onboarding.Source
	}{
		{"a bad address", onboarding.RemoteError{Code: 21628, HTTPStatus: 400}, onboarding.Role{Pointer: "/address"}, "/address", "21628", onboarding.SourceTwilio},
		{"an unknown code keeps the step's part", onboarding.RemoteError{Code: 99999, HTTPStatus: 400, Message: "no"}, onboarding.Role{Pointer: "/business"}, "/business", "99999", onboarding.SourceTwilio},
		{"no code at all", onboarding.RemoteError{HTTPStatus: 403}, onboarding.Role{Pointer: "/business"}, "/business", "http_403", onboarding.SourceTwilio},
		{"no answer worth the name", onboarding.RemoteError{}, onboarding.Role{}, "", "refused", onboarding.SourceTwilio},
		{"the preflight's own", onboarding.RemoteError{Code: 20404, HTTPStatus: 404, Message: "gone"}, onboarding.Role{Pointer: "/address/sid", Source: onboarding.SourcePreflight}, "/address/sid", "20404", onboarding.SourcePreflight},
		{"a more exact pointer wins over the table's", onboarding.RemoteError{Code: 21628}, onboarding.Role{Pointer: "/address/street"}, "/address/street", "21628", onboarding.SourceTwilio},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := explain(onboarding.Refusal{Error: &tt.err, Role: tt.role})
			if got.Pointer != tt.pointer || got.Code != tt.code || got.Source != tt.source {
				t.Errorf("got %+v, want pointer %q, code %q, source %q", got, tt.pointer, tt.code, tt.source)
			}
			if got.Message == "" {
				t.Error("a requirement without a word on what to do")
			}
		})
	}
}

func TestANumberOnAnotherBundleNamesThatBundle(t *testing.T) {
	got := explain(onboarding.Refusal{
		Error: &onboarding.RemoteError{Code: 20409, HTTPStatus: 409, BundleSID: "BUother"}, Role: onboarding.Role{Pointer: "/phone_numbers/3"},
	})
	if got.Pointer != "/phone_numbers/3" || !strings.Contains(got.Message, "BUother") {
		t.Errorf("got %+v", got)
	}
}

func TestANoncompliantEvaluationPointsAtEachField(t *testing.T) {
	outcome := evaluated(onboarding.Evaluation{Object: onboarding.Object{SID: "EL1"}, Status: onboarding.EvaluationNoncompliant, Results: []onboarding.EvaluationResult{
		{RequirementName: "customer_profile_business_information", Invalid: []onboarding.EvaluationField{{ObjectField: "business_name", Code: 22215}, {ObjectField: "website_url", Code: 22215}}},
		{RequirementName: "authorized_representative_2", Invalid: []onboarding.EvaluationField{{ObjectField: "email", Code: 22215}}},
		{RequirementName: "customer_profile_address", Invalid: []onboarding.EvaluationField{{ObjectField: "address_sids", Code: 22219}}},
		{RequirementName: "primary_customer_profile", Code: 22214, FailureReason: "missing"},
		{RequirementName: "authorized_representative_1", Passed: true, Invalid: []onboarding.EvaluationField{{ObjectField: "email"}}},
	}}, "")
	var pointers []string
	for _, r := range onboarding.AskedIn(outcome) {
		pointers = append(pointers, r.Pointer)
		if r.Source != onboarding.SourceEvaluation || r.Message == "" {
			t.Errorf("requirement %+v", r)
		}
	}
	want := "/business/business_name /business/website_url /authorized_representatives/1/email /address /primary_profile_sid"
	if got := strings.Join(pointers, " "); got != want {
		t.Errorf("pointers %q, want %q", got, want)
	}
}

func TestAnEvaluationWaitsOnlyForTheStatusUnderneath(t *testing.T) {
	status := onboarding.EvaluationResult{RequirementName: "customer_profile", Invalid: []onboarding.EvaluationField{{ObjectField: "bundle_status", Code: 22218}}}
	other := onboarding.EvaluationResult{RequirementName: "customer_profile", Invalid: []onboarding.EvaluationField{{ObjectField: "bundle_sid", Code: 22214}}}
	noncompliant := func(results ...onboarding.EvaluationResult) onboarding.Outcome {
		return evaluated(onboarding.Evaluation{Status: onboarding.EvaluationNoncompliant, Results: results}, "customer_profile.review")
	}
	if got := noncompliant(status); waitsFor(got) != "customer_profile.review" {
		t.Errorf("only the status is amiss: %+v", got)
	}
	if got := noncompliant(status, other); len(onboarding.AskedIn(got)) != 2 {
		t.Errorf("more than the status is amiss: %+v", got)
	}
}
