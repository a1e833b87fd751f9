package trusthub

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestEvaluationResultsAreReadInAnyForm(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][]onboarding.EvaluationResult{
		`null`: nil,
		`[{"friendly_name": "Business", "object_type": "business", "passed": false,
		   "failure_reason": "missing", "error_code": 22214, "valid": [],
		   "invalid": [{"friendly_name": "Name", "object_field": "business_name",
		                "failure_reason": "no name", "error_code": "22215"}],
		   "requirement_friendly_name": "Business", "requirement_name": "business_info"}]`: {{
			RequirementName: "business_info", ObjectType: "business",
			Code: 22214, FailureReason: "missing",
			Invalid: []onboarding.EvaluationField{
				{ObjectField: "business_name", Code: 22215, FailureReason: "no name"},
			},
		}},
		`[{"passed": true, "object_type": "a", "requirement_name": "r", "invalid": [],
		   "error_code": null, "failure_reason": null}]`: {
			{RequirementName: "r", ObjectType: "a", Passed: true},
		},
		`[{"passed": "True"}, {"passed": "no"}, {"passed": 1}]`: {{Passed: true}, {}, {}},
		`[{"requirement_name": "r"}, {"error_code": 1}, {"failure_reason": "f"}]`: {
			{RequirementName: "r", Passed: true}, {Code: 1}, {FailureReason: "f"},
		},
		`[{"passed": null, "invalid": {"object_field": "f"}}]`: {
			{Invalid: []onboarding.EvaluationField{{ObjectField: "f"}}},
		},
		`[{"passed": false, "invalid": ["bad"], "object_type": {"odd": 1}}]`: {
			{Invalid: []onboarding.EvaluationField{{FailureReason: "bad"}}},
		},
		`["text", 7]`:      {{FailureReason: "text"}, {FailureReason: "7"}},
		`{"passed": true}`: {{Passed: true}},
	} {
		if got := evaluationResults(json.RawMessage(raw)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", raw, got, want)
		}
	}
}
