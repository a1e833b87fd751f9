package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/desk"
)

// patchRequest is a correction of testID as the operator, without If-Match if it is "".
func (b *testBundle) patchRequest(ifMatch string, v any) *http.Request {
	b.t.Helper()
	r := b.request(http.MethodPatch, "/onboardings/"+string(testID), v)
	r.Header.Set("Content-Type", "application/merge-patch+json")
	if ifMatch != "" {
		r.Header.Set("If-Match", ifMatch)
	}
	return r
}

func (b *testBundle) patch(ifMatch string, v any) answer {
	b.t.Helper()
	return b.do(b.patchRequest(ifMatch, v))
}

// accepted is an API with one onboarding, of validRequest.
func accepted(t *testing.T) *testBundle {
	t.Helper()
	b := setup(t)
	b.service.byID[testID] = &onboarding.Onboarding{
		ID: testID, Request: validRequest(), Version: 1, CreatedAt: testNow, UpdatedAt: testNow,
		Steps: []onboarding.Step{{Key: "preflight", State: onboarding.StepPending}},
	}
	return b
}

// corrections are what a body says, and how it changes validRequest.
var corrections = map[string]struct {
	patch any
	want  func(r *onboarding.Request)
}{
	"nothing": {map[string]any{}, func(*onboarding.Request) {}},
	"one member": {
		map[string]any{"business": map[string]any{"business_name": "Example Plumbing and Heating LLC"}},
		func(r *onboarding.Request) { r.Business.Name = "Example Plumbing and Heating LLC" },
	},
	"written the way Twilio is sent it": {
		map[string]any{"business": map[string]any{"business_registration_number": " 98-7654321 "}, "address": map[string]any{"region": "wi"}},
		func(r *onboarding.Request) { r.Business.RegistrationNumber, r.Address.Region = "987654321", "WI" },
	},
	"null takes away what is optional": {
		map[string]any{"business": map[string]any{"social_media_profile_urls": nil}, "address": map[string]any{"street_secondary": nil}},
		func(r *onboarding.Request) {
			r.Business.SocialMediaProfileURLs, r.Address.StreetSecondary = "", ""
		},
	},
	"null for a primary profile is the default": {
		map[string]any{"primary_profile_sid": nil},
		func(r *onboarding.Request) { r.PrimaryProfileSID = testPrimary },
	},
	"an array as a whole": {
		map[string]any{"authorized_representatives": []any{representativeBody("Third")}},
		func(r *onboarding.Request) {
			r.AuthorizedRepresentatives = []onboarding.Representative{{
				FirstName: "Third", LastName: "Representative", Email: "third@example.com", PhoneNumber: "+12025550143", BusinessTitle: "Owner", JobPosition: "CEO",
			}}
		},
	},
	"an existing address for a new one": {
		map[string]any{"address": map[string]any{
			"sid": "AD0123456789ABCDEF0123456789abcdef", "customer_name": nil, "street": nil, "street_secondary": nil, "city": nil, "region": nil,
			"postal_code": nil, "iso_country": nil,
		}},
		func(r *onboarding.Request) { r.Address = onboarding.Address{SID: "AD0123456789abcdef0123456789abcdef"} },
	},
}

func TestACorrectionChangesWhatItNamesAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, test := range corrections {
		for _, mediaType := range []string{"application/merge-patch+json", "application/json", "Application/Merge-Patch+JSON; charset=UTF-8"} {
			t.Run(name+" as "+mediaType, func(t *testing.T) {
				t.Parallel()
				b := accepted(t)
				r := b.patchRequest(`"1"`, test.patch)
				r.Header.Set("Content-Type", mediaType)

				a := b.do(r)

				if a.status != http.StatusAccepted {
					t.Fatalf("status %d: %s", a.status, a.body)
				}
				want := validRequest()
				test.want(&want)
				if diff := cmp.Diff([]onboarding.Request{want}, b.service.requests); diff != "" {
					t.Errorf("the service was asked for something else (-want +got):\n%s", diff)
				}
				if got, want := b.service.actors, []string{"key:backend"}; !slices.Equal(got, want) {
					t.Errorf("actors %v, want %v", got, want)
				}
				var shown Onboarding
				a.decode(t, &shown)
				if diff := cmp.Diff(requestJSON(want), shown.Request); diff != "" || shown.Version != 2 {
					t.Errorf("version %d, request (-want +got):\n%s", shown.Version, diff)
				}
				if shown.Warnings == nil || len(*shown.Warnings) != 0 {
					t.Errorf("warnings %v, want an empty list", shown.Warnings)
				}
			})
		}
	}
}

// A request is stored as Twilio is sent it, and not as it was written. Members that a correction
// leaves alone must pass in this form.
func TestWhatACorrectionLeavesAlonePassesAsItIsStored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := validBody()
	for path, v := range map[string]any{
		"subaccount_sid":                         "AC0123456789ABCDEF0123456789ABCDEF",
		"external_id":                            absent{},
		"primary_profile_sid":                    absent{},
		"business/business_registration_number":  "12-3456789",
		"business/business_regions_of_operation": "ASIA , EUROPE",
		"business/social_media_profile_urls":     "https://a.example.net, https://b.example.net",
		"address/iso_country":                    "us",
		"address/region":                         "il",
		"address/postal_code":                    "62701-1234",
		"phone_numbers/1":                        "PN0123456789ABCDEF0123456789ABCDEF",
	} {
		set(body, path, v)
	}
	if a := b.call(http.MethodPost, "/onboardings", body); a.status != http.StatusAccepted {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	if a := b.patch(`"1"`, map[string]any{}); a.status != http.StatusAccepted {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	if diff := cmp.Diff(b.service.requests[0], b.service.requests[1]); diff != "" {
		t.Errorf("a correction of nothing changes the request (-before +after):\n%s", diff)
	}
}

// At most 500 numbers are added at a time. A request that has grown beyond that is a request like
// any other.
func TestARequestWithManyNumbersIsCorrected(t *testing.T) {
	t.Parallel()
	b := accepted(t)
	var numbers []string
	for i := range onboarding.MostNumbers {
		numbers = append(numbers, fmt.Sprintf("PN%032x", i))
	}
	b.service.byID[testID].Request.PhoneNumbers = numbers
	if a := b.patch(`"1"`, map[string]any{"business": map[string]any{"business_name": "Example Heating LLC"}}); a.status != http.StatusAccepted {
		t.Fatalf("status %d: %.1000s", a.status, a.body)
	}
	if got := b.service.requests[0].PhoneNumbers; !slices.Equal(got, numbers) {
		t.Errorf("%d numbers, want those that there were", len(got))
	}
}

// Whoever added a number has said whether it may be moved. A correction of something else does not
// change that. A number that it removes loses the permission.
func TestACorrectionLeavesAloneWhichNumbersMayBeMoved(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		patch map[string]any
		want  []string
	}{
		"of something else":   {map[string]any{"business": map[string]any{"business_name": "Example Heating LLC"}}, []string{"+12025550100", "+12025550101"}},
		"that takes one away": {map[string]any{"phone_numbers": []string{"+12025550101", "+12025550102"}}, []string{"+12025550101"}},
		"to all":              {map[string]any{"phone_numbers": "all"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := accepted(t)
			r := &b.service.byID[testID].Request
			r.PhoneNumbers, r.MovePhoneNumbers = []string{"+12025550100", "+12025550101"}, []string{"+12025550100", "+12025550101"}
			if a := b.patch(`"1"`, test.patch); a.status != http.StatusAccepted {
				t.Fatalf("status %d: %s", a.status, a.body)
			}
			if got := b.service.requests[0].MovePhoneNumbers; !slices.Equal(got, test.want) {
				t.Errorf("may be moved: %v, want %v", got, test.want)
			}
		})
	}
}

func TestAllFaultsOfTheResultingRequestAreFoundAtOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		patch string
		want  []string
	}{
		"members unknown":                {`{"busines": {}, "business": {"name": "x"}}`, []string{"/busines unknown_member", "/business/name unknown_member"}},
		"what is needed taken away":      {`{"business": {"website_url": null}, "phone_numbers": null}`, []string{"/business/website_url required", "/phone_numbers required"}},
		"wrong types":                    {`{"business": [], "address": {"city": 1e999}}`, []string{"/address/city type", "/business type"}},
		"the contract's and our own":     {`{"business": {"business_type": "LLC", "business_registration_number": "12"}}`, []string{"/business/business_registration_number format", "/business/business_type not_allowed"}},
		"with a member that was there":   {`{"business": {"business_registration_identifier": "DUNS", "business_registration_number": "12-3456789"}}`, []string{"/business/business_registration_number format"}},
		"an address that is there twice": {`{"address": {"sid": "AD0123456789abcdef0123456789abcdef"}}`, []string{"/address exclusive"}},
		"nulls in an array":              {`{"phone_numbers": ["+12025550100", null, "+12025550100"]}`, []string{"/phone_numbers/1 null", "/phone_numbers/2 duplicate"}},
		"control characters":             {`{"business": {"business_name": "Example\tPlumbing"}}`, []string{"/business/business_name control_character"}},
		"no object":                      {`["business"]`, []string{" type"}},
		"null":                           {`null`, []string{" null"}},
		"nothing":                        {``, []string{" required"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := accepted(t)
			r := b.patchRequest(`"1"`, nil)
			r.Body = io.NopCloser(strings.NewReader(test.patch))
			a := b.do(r)
			p := a.problem(t)
			if a.status != http.StatusUnprocessableEntity || p.Errors == nil {
				t.Fatalf("status %d: %s", a.status, a.body)
			}
			var got []string
			for _, f := range *p.Errors {
				got = append(got, f.Pointer+" "+f.Code)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("faults %q, want %q", got, test.want)
			}
			if len(b.service.requests) != 0 {
				t.Error("the service was asked")
			}
		})
	}
}

func TestACorrectionIsWarnedOfWhatIsLikelyToBeRejected(t *testing.T) {
	t.Parallel()
	a := accepted(t).patch(`"1"`, map[string]any{"business": map[string]any{"website_url": "https://www.example.org"}})
	var shown Onboarding
	a.decode(t, &shown)
	var got []string
	for _, w := range *shown.Warnings {
		got = append(got, w.Pointer+" "+w.Code)
	}
	if want := []string{"/authorized_representatives/0/email email_domain", "/authorized_representatives/1/email email_domain"}; !slices.Equal(got, want) {
		t.Errorf("warnings %q, want %q", got, want)
	}
}

func TestARefusedCorrectionSaysWhy(t *testing.T) {
	t.Parallel()
	for _, code := range []string{
		"busy", "in_review", "approved", "canceled", "subaccount_fixed", "primary_profile_fixed", "external_id_fixed", "notification_email_fixed",
		"taken_over_fixed", "all_phone_numbers", "last_phone_number", "too_many_phone_numbers",
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			b := accepted(t)
			b.service.amendErr = fmt.Errorf("amend onboarding: %w", &desk.RefusedError{Code: code, Reason: "It cannot be."})
			a := b.patch(`"1"`, map[string]any{})
			p := a.problem(t)
			if a.status != http.StatusConflict || p.Type != "urn:attestd:problem:correction-refused" || value(p.Code) != code || p.Detail != "It cannot be." {
				t.Errorf("status %d: %s", a.status, a.body)
			}
			wait := map[string]string{"busy": "2"}[code]
			if got := a.header.Get("Retry-After"); got != wait {
				t.Errorf("Retry-After %q, want %q", got, wait)
			}
			_, document := strictContract()
			if !strings.Contains(document.Info.Description, "| `"+code+"` |") {
				t.Error("the contract does not say what the code means")
			}
		})
	}
}

func TestOfTwoCorrectionsAtOnceOneIsRefused(t *testing.T) {
	t.Parallel()
	b := accepted(t)
	b.service.amendErr = fmt.Errorf("amend onboarding: %w", desk.ErrVersion)
	a := b.patch(`"1"`, map[string]any{})
	if p := a.problem(t); a.status != http.StatusPreconditionFailed || p.Type != "urn:attestd:problem:precondition-failed" {
		t.Errorf("status %d: %s", a.status, a.body)
	}
}

func TestACorrectionThatCannotBeMade(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change  func(b *testBundle, r *http.Request)
		want    int
		problem string
	}{
		"of no onboarding": {func(b *testBundle, _ *http.Request) { clear(b.service.byID) }, 404, "not-found"},
		"as a JSON patch":  {func(_ *testBundle, r *http.Request) { r.Header.Set("Content-Type", "application/json-patch+json") }, 415, "unsupported-media-type"},
		"as a form":        {func(_ *testBundle, r *http.Request) { r.Header.Set("Content-Type", formType) }, 415, "unsupported-media-type"},
		"that is no JSON":  {func(_ *testBundle, r *http.Request) { r.Body = io.NopCloser(strings.NewReader("{")) }, 400, "malformed-body"},
		"that is too large": {func(_ *testBundle, r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Repeat(" ", maxBody+1)))
		}, 413, "body-too-large"},
		"as we are at fault": {func(b *testBundle, _ *http.Request) {
			b.service.amendErr = errors.New("relation onboardings does not exist")
		},
			500, "internal"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := accepted(t)
			r := b.patchRequest(`"1"`, map[string]any{})
			test.change(b, r)
			a := b.do(r)
			if p := a.problem(t); a.status != test.want || p.Type != "urn:attestd:problem:"+test.problem {
				t.Errorf("status %d: %s", a.status, a.body)
			}
		})
	}
}

// Only a correction may be a merge patch. Who sends a new request as one has misunderstood
// something.
func TestANewRequestIsNoMergePatch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.request(http.MethodPost, "/onboardings", validBody())
	r.Header.Set("Content-Type", "application/merge-patch+json")
	if a := b.do(r); a.status != http.StatusUnsupportedMediaType || len(b.service.requests) != 0 {
		t.Errorf("status %d: %s", a.status, a.body)
	}
}
