package trusthub

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestBundleErrorsAreReadInAnyForm(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][]onboarding.BundleError{
		``:                                    nil,
		`null`:                                nil,
		`[]`:                                  nil,
		`[{"code": 18601}]`:                   {{Code: 18601}},
		`[{"code": "18602", "message": "m"}]`: {{Code: 18602, Message: "m"}},
		`[{"code": 18603, "description": "d", "x": 1}]`:  {{Code: 18603, Message: "d"}},
		`[{"error_code": 18604, "failure_reason": "r"}]`: {{Code: 18604, Message: "r"}},
		`[{"code": 99999, "field": "vat"}]`: {
			{Code: 99999, Message: `{"code":99999,"field":"vat"}`},
		},
		`[{"field" : "vat"}, "text", 18605, null, [1, 2]]`: {
			{Message: `{"field":"vat"}`}, {Message: "text"}, {Code: 18605}, {}, {Message: "[1,2]"},
		},
		`{"code": 18606}`:                        {{Code: 18606}},
		`"all wrong"`:                            {{Message: "all wrong"}},
		`[{"code": null, "message": {"a" : 1}}]`: {{Message: `{"a":1}`}},
	} {
		if got := bundleErrors(json.RawMessage(raw)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", raw, got, want)
		}
	}
}

func TestAFetchedBundleIsComplete(t *testing.T) {
	t.Parallel()
	const body = `{"sid": "` + profileSID + `", "account_sid": "` + subSID + `",
		"policy_sid": "` + policySID + `", "status": %q, "valid_until": %s,
		"date_created": "2026-02-03T04:05:06Z", "errors": [{"code": 18602}],
		"links": {}, "surprise": [1]}`
	for _, c := range []struct {
		status, until, want string
		wantUntil           time.Time
	}{
		{"twilio-rejected", "null", onboarding.BundleRejected, time.Time{}},
		{"TWILIO_APPROVED", `"2027-02-03T04:05:06Z"`, onboarding.BundleApproved,
			time.Date(2027, 2, 3, 4, 5, 6, 0, time.UTC)},
		{"Provisionally-Approved", "null", "provisionally-approved", time.Time{}},
	} {
		client := connect(t, answering(always(200, fmt.Sprintf(body, c.status, c.until))), "")
		got, err := client.FetchBundle(t.Context(), subSID, onboarding.CustomerProfile, profileSID)
		want := onboarding.Bundle{
			Object: onboarding.Object{
				SID: profileSID, CreatedAt: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC),
			},
			AccountSID: subSID, PolicySID: policySID, Status: c.want, ValidUntil: c.wantUntil,
			Errors: []onboarding.BundleError{{Code: 18602}},
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
	}
}
