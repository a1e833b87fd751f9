package api

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/plan"
)

func TestCreateAcceptsARequestAndShowsTheOnboarding(t *testing.T) {
	t.Parallel()
	b := setup(t)

	a := b.call(http.MethodPost, "/onboardings", validBody())

	if a.status != http.StatusAccepted {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	if got, want := a.header.Get("Location"), "/onboardings/"+string(testID); got != want {
		t.Errorf("Location %q, want %q", got, want)
	}
	var shown Onboarding
	a.decode(t, &shown)
	if shown.Warnings == nil || len(*shown.Warnings) != 0 {
		t.Errorf("warnings %v, want an empty list", shown.Warnings)
	}
	if got, want := b.service.actors, []string{"key:backend"}; !slices.Equal(got, want) {
		t.Errorf("actors %v, want %v", got, want)
	}
	if diff := cmp.Diff([]onboarding.Request{validRequest()}, b.service.requests); diff != "" {
		t.Errorf("the service was asked for something else (-want +got):\n%s", diff)
	}
}

func TestCreateWritesTheRequestTheWayTwilioIsSentIt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		path string
		sent any
		got  func(onboarding.Request) string
		want string
	}{
		"white space is trimmed":        {"business/business_name", " \tExample Plumbing LLC\n ", func(r onboarding.Request) string { return r.Business.Name }, "Example Plumbing LLC"},
		"in lists as well":              {"phone_numbers/0", " +12025550100 ", func(r onboarding.Request) string { return r.PhoneNumbers[0] }, "+12025550100"},
		"and before the contract looks": {"business/business_industry", " CONSUMER ", func(r onboarding.Request) string { return r.Business.Industry }, "CONSUMER"},
		"an EIN without dash stays":     {"business/business_registration_number", "123456789", func(r onboarding.Request) string { return r.Business.RegistrationNumber }, "123456789"},
		"a SID gets lower case":         {"subaccount_sid", "AC0123456789ABCDEF0123456789abcdef", func(r onboarding.Request) string { return r.SubaccountSID }, testSubaccount},
		"a number's SID too":            {"phone_numbers/1", "PNABCDEF89abcdef0123456789ABCDEF01", func(r onboarding.Request) string { return r.PhoneNumbers[1] }, "PNabcdef89abcdef0123456789abcdef01"},
		"a primary profile's SID too":   {"primary_profile_sid", "BUABCDEF89abcdef0123456789ABCDEF01", func(r onboarding.Request) string { return r.PrimaryProfileSID }, "BUabcdef89abcdef0123456789abcdef01"},
		"a missing one is the default":  {"primary_profile_sid", absent{}, func(r onboarding.Request) string { return r.PrimaryProfileSID }, testPrimary},
		"null is the same as missing":   {"primary_profile_sid", nil, func(r onboarding.Request) string { return r.PrimaryProfileSID }, testPrimary},
		"a country in capitals":         {"address/iso_country", "us", func(r onboarding.Request) string { return r.Address.ISOCountry }, "US"},
		"a state in capitals":           {"address/region", "il", func(r onboarding.Request) string { return r.Address.Region }, "IL"},
		"lists without spaces":          {"business/social_media_profile_urls", "https://a.example.net, https://b.example.net", func(r onboarding.Request) string { return r.Business.SocialMediaProfileURLs }, "https://a.example.net,https://b.example.net"},
		"an empty optional is left out": {"business/social_media_profile_urls", "", func(r onboarding.Request) string { return r.Business.SocialMediaProfileURLs }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			body := validBody()
			set(body, test.path, test.sent)

			a := b.call(http.MethodPost, "/onboardings", body)

			if a.status != http.StatusAccepted {
				t.Fatalf("status %d: %s", a.status, a.body)
			}
			if got := test.got(b.service.requests[0]); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAConflictNamesTheOnboardingThatWasFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.service.err = &onboarding.ConflictError{Field: "subaccount_sid", ID: testID}

	a := b.call(http.MethodPost, "/onboardings", validBody())

	p := a.problem(t)
	if a.status != http.StatusConflict || p.Type != "urn:attestd:problem:conflict" {
		t.Fatalf("status %d, type %s", a.status, p.Type)
	}
	if p.ConflictingOnboardingID == nil || *p.ConflictingOnboardingID != string(testID) {
		t.Errorf("conflicting_onboarding_id %v, want %s", p.ConflictingOnboardingID, testID)
	}
	if p.Errors == nil || (*p.Errors)[0].Pointer != "/subaccount_sid" || (*p.Errors)[0].Code != "conflict" {
		t.Errorf("errors %v, want the field that both have", p.Errors)
	}
}

func TestListAsksForWhatTheQuerySays(t *testing.T) {
	t.Parallel()
	cursor := onboarding.Cursor{CreatedAt: testNow, ID: testID}
	for name, test := range map[string]struct {
		query string
		want  onboarding.Filter
	}{
		"nothing": {"", onboarding.Filter{Limit: 20}},
		"everything": {
			"?status=in_review&subaccount_sid=AC0123456789ABCDEF0123456789abcdef&external_id=customer-1042&limit=100&cursor=" + encodeCursor(cursor),
			onboarding.Filter{Status: onboarding.StatusInReview, SubaccountSID: testSubaccount, ExternalID: "customer-1042", Limit: 100, After: &cursor},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			a := b.call(http.MethodGet, "/onboardings"+test.query, nil)
			if a.status != http.StatusOK {
				t.Fatalf("status %d: %s", a.status, a.body)
			}
			if diff := cmp.Diff([]onboarding.Filter{test.want}, b.service.filters); diff != "" {
				t.Errorf("filter (-want +got):\n%s", diff)
			}
		})
	}
}

func TestListShowsSummariesAndWhereTheNextPageBegins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := approvedOnboarding()
	b.service.byID[o.ID] = o
	b.service.next = &onboarding.Cursor{CreatedAt: o.CreatedAt, ID: o.ID}

	var page OnboardingPage
	b.call(http.MethodGet, "/onboardings", nil).decode(t, &page)

	if len(page.Onboardings) != 1 || page.NextCursor == nil {
		t.Fatalf("page %+v", page)
	}
	if got := page.Onboardings[0]; got.BusinessName != "Example Plumbing LLC" || value(got.Attestation) != "A" || value(got.TrustProduct.Status) != "twilio-approved" {
		t.Errorf("summary %+v", got)
	}
	b.call(http.MethodGet, "/onboardings?cursor="+*page.NextCursor, nil)
	if after := b.service.filters[1].After; after == nil || *after != *b.service.next {
		t.Errorf("the cursor leads to %v, want %v", after, b.service.next)
	}
}

func TestAnEmptyPageIsAnEmptyList(t *testing.T) {
	t.Parallel()
	a := setup(t).call(http.MethodGet, "/onboardings", nil)
	if got, want := string(a.body), `{"next_cursor":null,"onboardings":[]}`+"\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestQueryFaultsNameTheParameter(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ query, parameter, code string }{
		"limit too small":      {"limit=0", "limit", "out_of_range"},
		"limit too large":      {"limit=101", "limit", "out_of_range"},
		"limit no number":      {"limit=ten", "limit", "type"},
		"status unknown":       {"status=done", "status", "not_allowed"},
		"SID malformed":        {"subaccount_sid=AC12", "subaccount_sid", "format"},
		"cursor not ours":      {"cursor=abc", "cursor", "format"},
		"cursor empty":         {"cursor=", "cursor", "empty"},
		"limit empty":          {"limit=", "limit", "empty"},
		"limit twice":          {"limit=1&limit=2", "limit", "duplicate"},
		"limit with fraction":  {"limit=1.5", "limit", "type"},
		"limit beyond numbers": {"limit=99999999999999999999", "limit", "type"},
		"a NUL":                {"external_id=a%00", "external_id", "control_character"},
		"no UTF-8":             {"external_id=%ff", "external_id", "control_character"},
		"query malformed":      {"limit=%zz", "", "format"},
		"parameter unknown":    {"stauts=approved", "stauts", "unknown_parameter"},
		"external ID too long": {"external_id=" + string(make129('x')), "external_id", "too_long"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := setup(t).call(http.MethodGet, "/onboardings?"+test.query, nil)
			p := a.problem(t)
			if a.status != http.StatusUnprocessableEntity || p.Errors == nil || len(*p.Errors) != 1 {
				t.Fatalf("status %d: %s", a.status, a.body)
			}
			if f := (*p.Errors)[0]; value(f.Parameter) != test.parameter || f.Code != test.code {
				t.Errorf("fault %s %s, want %s %s", value(f.Parameter), f.Code, test.parameter, test.code)
			}
		})
	}
}

func make129(c byte) []byte { return slices.Repeat([]byte{c}, 129) }

func TestSeveralQueryFaultsAreAnsweredTogether(t *testing.T) {
	t.Parallel()
	a := setup(t).call(http.MethodGet, "/onboardings?limit=0&status=done&stauts=x", nil)
	p := a.problem(t)
	var names []string
	for _, f := range *p.Errors {
		names = append(names, value(f.Parameter))
	}
	if want := []string{"limit", "status", "stauts"}; !slices.Equal(names, want) {
		t.Errorf("faults in %v, want %v", names, want)
	}
}

func TestResumeIsDoneInTheCallersName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.service.byID[testID] = approvedOnboarding()
	a := b.call(http.MethodPost, "/onboardings/"+string(testID)+"/resume", nil)
	if a.status != http.StatusAccepted {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	if got, want := b.service.actors, []string{"key:backend"}; !slices.Equal(got, want) {
		t.Errorf("actors %v, want %v", got, want)
	}
}

func TestThereIsNoSuchOnboarding(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ method, path string }{
		"get":             {http.MethodGet, "/onboardings/" + string(testID)},
		"amend no ID":     {http.MethodPatch, "/onboardings/42"},
		"resume":          {http.MethodPost, "/onboardings/" + string(testID) + "/resume"},
		"no ID":           {http.MethodPost, "/onboardings//resume"},
		"encoded slash":   {http.MethodGet, "/onboardings/a%2Fb"},
		"a NUL":           {http.MethodGet, "/onboardings/%00"},
		"ID without form": {http.MethodGet, "/onboardings/42"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := setup(t).call(test.method, test.path, nil)
			if p := a.problem(t); a.status != http.StatusNotFound || p.Type != "urn:attestd:problem:not-found" {
				t.Errorf("status %d, type %s", a.status, p.Type)
			}
		})
	}
}

// approvedOnboarding is an approved onboarding with two numbers.
func approvedOnboarding() *onboarding.Onboarding {
	done := func(key onboarding.Key, sid, status string) onboarding.Step {
		return onboarding.Step{
			Key: key, State: onboarding.StepSucceeded, SID: sid, RemoteStatus: status, Attempts: 1,
			StartedAt: testNow, FinishedAt: testNow.Add(time.Second),
		}
	}
	request := validRequest()
	request.PhoneNumbers = []string{"+12025550100", "PN00000000000000000000000000000002"}
	return inTheirRoles(&onboarding.Onboarding{
		ID:      testID,
		Request: request,
		Version: 1,
		Numbers: []onboarding.PhoneNumber{
			{SID: "PN00000000000000000000000000000001", Number: "+12025550100"},
			{SID: "PN00000000000000000000000000000002", Number: "+12025550101"},
		},
		Steps: []onboarding.Step{
			done("preflight", "", ""),
			done("customer_profile", "BU0000000000000000000000000000000a", "draft"),
			done("customer_profile.number.PN00000000000000000000000000000001", "RA00000000000000000000000000000001", ""),
			done("customer_profile.number.PN00000000000000000000000000000002", "RA00000000000000000000000000000002", ""),
			done("customer_profile.submission", "", "pending-review"),
			done("customer_profile.review", "", "twilio-approved"),
			done("trust_product", "BU0000000000000000000000000000000b", "draft"),
			done("trust_product.number.PN00000000000000000000000000000001", "RA00000000000000000000000000000003", ""),
			done("trust_product.number.PN00000000000000000000000000000002", "RA00000000000000000000000000000004", ""),
			done("trust_product.review", "", "twilio-approved"),
		},
		CreatedAt: testNow, UpdatedAt: testNow.Add(time.Hour),
	})
}

// inTheirRoles fills in the roles that the steps have in the plan.
func inTheirRoles(o *onboarding.Onboarding) *onboarding.Onboarding {
	roles := make(map[onboarding.Key]onboarding.Role)
	for _, n := range plan.TrustHub(plan.Config{}).Nodes(o) {
		roles[n.Key] = n.Role
	}
	for i := range o.Steps {
		o.Steps[i].Role = roles[o.Steps[i].Key]
	}
	return o
}
