package trusthub

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestBundleErrorsAreReadInWhateverShapeTheyCome(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][]onboarding.BundleError{
		``:                                    nil,
		`null`:                                nil,
		`[]`:                                  nil,
		`[{"code": 18601}]`:                   {{Code: 18601}},
		`[{"code": "18602", "message": "m"}]`: {{Code: 18602, Message: "m"}},
		`[{"code": 18603, "description": "d", "x": 1}]`:    {{Code: 18603, Message: "d"}},
		`[{"error_code": 18604, "failure_reason": "r"}]`:   {{Code: 18604, Message: "r"}},
		`[{"code": 99999, "field": "vat"}]`:                {{Code: 99999, Message: `{"code":99999,"field":"vat"}`}},
		`[{"field" : "vat"}, "text", 18605, null, [1, 2]]`: {{Message: `{"field":"vat"}`}, {Message: "text"}, {Code: 18605}, {}, {Message: "[1,2]"}},
		`{"code": 18606}`:                        {{Code: 18606}},
		`"all wrong"`:                            {{Message: "all wrong"}},
		`[{"code": null, "message": {"a" : 1}}]`: {{Message: `{"a":1}`}},
	} {
		if got := bundleErrors(json.RawMessage(raw)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", raw, got, want)
		}
	}
}

func TestAFetchedBundleIsWhole(t *testing.T) {
	t.Parallel()
	answers := `{"sid": "` + profileSID + `", "account_sid": "` + subSID + `", "policy_sid": "` + policySID + `", "status": %q,
		"valid_until": %s, "date_created": "2026-02-03T04:05:06Z", "errors": [{"code": 18602}], "links": {}, "surprise": [1]}`
	for _, c := range []struct {
		status, until, want string
		wantUntil           time.Time
	}{
		{"twilio-rejected", "null", onboarding.BundleRejected, time.Time{}},
		{"TWILIO_APPROVED", `"2027-02-03T04:05:06Z"`, onboarding.BundleApproved, time.Date(2027, 2, 3, 4, 5, 6, 0, time.UTC)},
		{"Provisionally-Approved", "null", "provisionally-approved", time.Time{}},
	} {
		client := connect(t, answering(always(200, fmt.Sprintf(answers, c.status, c.until))), "")
		got, err := client.FetchBundle(context.Background(), subSID, onboarding.CustomerProfile, profileSID)
		want := onboarding.Bundle{
			Object:     onboarding.Object{SID: profileSID, CreatedAt: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)},
			AccountSID: subSID, PolicySID: policySID, Status: c.want, ValidUntil: c.wantUntil,
			Errors: []onboarding.BundleError{{Code: 18602}},
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
	}
}

func TestEvaluationResultsAreReadInWhateverShapeTheyCome(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][]onboarding.EvaluationResult{
		`null`: nil,
		`[{"friendly_name": "Business", "object_type": "business", "passed": false, "failure_reason": "missing", "error_code": 22214, "valid": [],
		   "invalid": [{"friendly_name": "Name", "object_field": "business_name", "failure_reason": "no name", "error_code": "22215"}],
		   "requirement_friendly_name": "Business", "requirement_name": "business_info"}]`: {{
			RequirementName: "business_info", ObjectType: "business", Code: 22214, FailureReason: "missing",
			Invalid: []onboarding.EvaluationField{{ObjectField: "business_name", Code: 22215, FailureReason: "no name"}},
		}},
		`[{"passed": true, "object_type": "a", "requirement_name": "r", "invalid": [], "error_code": null, "failure_reason": null}]`: {
			{RequirementName: "r", ObjectType: "a", Passed: true},
		},
		`[{"passed": "True"}, {"passed": "no"}, {"passed": 1}]`:              {{Passed: true}, {}, {}},
		`[{"requirement_name": "r"}, {"error_code": 1}]`:                     {{RequirementName: "r", Passed: true}, {Code: 1}},
		`[{"passed": null, "invalid": {"object_field": "f"}}]`:               {{Invalid: []onboarding.EvaluationField{{ObjectField: "f"}}}},
		`[{"passed": false, "invalid": ["bad"], "object_type": {"odd": 1}}]`: {{Invalid: []onboarding.EvaluationField{{FailureReason: "bad"}}}},
		`["text", 7]`:      {{FailureReason: "text"}, {FailureReason: "7"}},
		`{"passed": true}`: {{Passed: true}},
	} {
		if got := evaluationResults(json.RawMessage(raw)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", raw, got, want)
		}
	}
}
