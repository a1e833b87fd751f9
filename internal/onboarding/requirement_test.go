package onboarding

import (
	"strings"
	"testing"
)

func TestARefusalPointsAtTheFieldBehindItsCode(t *testing.T) {
	tests := []struct {
		name    string
		err     RemoteError
		effect  Effect
		pointer string
		code    string
		source  Source
	}{
		{"a bad address", RemoteError{Code: 21628, HTTPStatus: 400}, Effect{Pointer: "/address"}, "/address", "21628", SourceTwilio},
		{"an unknown code keeps the step's part", RemoteError{Code: 99999, HTTPStatus: 400, Message: "no"}, Effect{Pointer: "/business"}, "/business", "99999", SourceTwilio},
		{"no code at all", RemoteError{HTTPStatus: 403}, Effect{Pointer: "/business"}, "/business", "http_403", SourceTwilio},
		{"no answer worth the name", RemoteError{}, Effect{}, "", "refused", SourceTwilio},
		{"the preflight's own", RemoteError{Code: 20404, HTTPStatus: 404, Message: "gone"}, Effect{Pointer: "/address/sid", Source: SourcePreflight}, "/address/sid", "20404", SourcePreflight},
		{"a more exact pointer wins over the table's", RemoteError{Code: 21628}, Effect{Pointer: "/address/street"}, "/address/street", "21628", SourceTwilio},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := requirementFor(&tt.err, tt.effect)
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
	got := requirementFor(&RemoteError{Code: 20409, HTTPStatus: 409, BundleSID: "BUother"}, Effect{Pointer: "/phone_numbers/3"})
	if got.Pointer != "/phone_numbers/3" || !strings.Contains(got.Message, "BUother") {
		t.Errorf("got %+v", got)
	}
}

func TestANoncompliantEvaluationPointsAtEachField(t *testing.T) {
	result := verdict(Evaluation{Object: Object{SID: "EL1"}, Status: EvaluationNoncompliant, Results: []EvaluationResult{
		{RequirementName: "customer_profile_business_information", Invalid: []EvaluationField{{ObjectField: "business_name", Code: 22215}, {ObjectField: "website_url", Code: 22215}}},
		{RequirementName: "authorized_representative_2", Invalid: []EvaluationField{{ObjectField: "email", Code: 22215}}},
		{RequirementName: "customer_profile_address", Invalid: []EvaluationField{{ObjectField: "address_sids", Code: 22219}}},
		{RequirementName: "primary_customer_profile", Code: 22214, FailureReason: "missing"},
		{RequirementName: "authorized_representative_1", Passed: true, Invalid: []EvaluationField{{ObjectField: "email"}}},
	}})
	var pointers []string
	for _, r := range result.Requirements {
		pointers = append(pointers, r.Pointer)
		if r.Source != SourceEvaluation || r.Message == "" {
			t.Errorf("requirement %+v", r)
		}
	}
	want := "/business/business_name /business/website_url /authorized_representatives/1/email /address /primary_profile_sid"
	if got := strings.Join(pointers, " "); got != want {
		t.Errorf("pointers %q, want %q", got, want)
	}
}

func TestAnEvaluationWaitsOnlyForTheStatusUnderneath(t *testing.T) {
	status := EvaluationResult{RequirementName: "customer_profile", Invalid: []EvaluationField{{ObjectField: "bundle_status", Code: 22218}}}
	other := EvaluationResult{RequirementName: "customer_profile", Invalid: []EvaluationField{{ObjectField: "bundle_sid", Code: 22214}}}
	noncompliant := func(results ...EvaluationResult) Result {
		return verdict(Evaluation{Status: EvaluationNoncompliant, Results: results}).waitForStatus("customer_profile.review")
	}
	if got := noncompliant(status); got.WaitsFor != "customer_profile.review" || len(got.Requirements) != 0 {
		t.Errorf("only the status is amiss: %+v", got)
	}
	if got := noncompliant(status, other); got.WaitsFor != "" || len(got.Requirements) != 2 {
		t.Errorf("more than the status is amiss: %+v", got)
	}
}

func TestErrorsNeverCarryTwiliosText(t *testing.T) {
	e := &RemoteError{Class: ClassPermanent, Code: 21628, HTTPStatus: 400, Message: "1 Secret Street is not valid"}
	if strings.Contains(e.Error(), "Secret") {
		t.Errorf("the error text %q repeats what was sent", e.Error())
	}
	if e.stepError().Message != e.Message {
		t.Error("the ledger must keep Twilio's text")
	}
}
