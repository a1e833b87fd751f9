package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	contractdoc "github.com/attestd/attestd/api"
	"github.com/attestd/attestd/internal/onboarding"
)

const (
	testSubaccount = "AC0123456789abcdef0123456789abcdef"
	testPrimary    = "BU00000000000000000000000000000001"
	testToken      = "4wLkx2bXc9Qv7hYt1dZr"
	testPublicURL  = "https://attestd.example.com"
	testID         = onboarding.ID("onb_01890a5d-ac96-774b-bcce-b302099a8057")
)

var testNow = time.Date(2026, 1, 5, 9, 0, 0, 123456000, time.UTC)

// testBundle is an API with fakes around it. Every answer that goes through it is checked against the contract.
type testBundle struct {
	t        *testing.T
	handler  http.Handler
	service  *fakeService
	verifier *fakeVerifier
	keys     *fakeKeys
	log      *syncBuffer
	operator string
	viewer   string
}

func setup(t *testing.T, change ...func(*Config)) *testBundle {
	t.Helper()
	b := &testBundle{
		t:        t,
		service:  &fakeService{byID: map[onboarding.ID]*onboarding.Onboarding{}},
		verifier: &fakeVerifier{},
		keys:     &fakeKeys{known: map[[32]byte]Key{}},
		log:      &syncBuffer{},
	}
	b.operator = b.keys.add("backend", RoleOperator)
	b.viewer = b.keys.add("support", RoleViewer)
	config := Config{
		Service:                  b.service,
		Callbacks:                b.service,
		Keys:                     b.keys,
		Verifier:                 b.verifier,
		Reviews:                  fakeReviews{},
		PublicURL:                testPublicURL,
		DefaultPrimaryProfileSID: testPrimary,
		Ready:                    func(context.Context) error { return nil },
		Logger:                   slog.New(slog.NewJSONHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&config)
	}
	handler, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	b.handler = handler
	return b
}

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) decode(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("decode %s: %v", a.body, err)
	}
}

func (a answer) problem(t *testing.T) Problem {
	t.Helper()
	var p Problem
	a.decode(t, &p)
	return p
}

// do serves the request and checks the answer against the contract.
func (b *testBundle) do(r *http.Request) answer {
	b.t.Helper()
	recorder := httptest.NewRecorder()
	b.handler.ServeHTTP(recorder, r)
	response := recorder.Result()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	checkAnswer(b.t, r, response, body)
	return answer{status: response.StatusCode, header: response.Header, body: body}
}

// call makes a request as the operator, with v as its JSON body unless v is nil.
func (b *testBundle) call(method, path string, v any) answer {
	b.t.Helper()
	return b.do(b.request(method, path, v))
}

func (b *testBundle) request(method, path string, v any) *http.Request {
	b.t.Helper()
	var body io.Reader
	if v != nil {
		encoded, err := json.Marshal(v)
		if err != nil {
			b.t.Fatal(err)
		}
		body = bytes.NewReader(encoded)
	}
	r := httptest.NewRequest(method, path, body)
	if v != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+b.operator)
	return r
}

// strictContract is the contract, read once, with all objects closed: a member that an answer has and the document has not is an error.
var strictContract = sync.OnceValues(func() (routers.Router, *openapi3.T) {
	document, err := openapi3.NewLoader().LoadFromData(contractdoc.OpenAPI)
	if err != nil {
		panic(err)
	}
	document.Servers = nil
	closed := false
	for _, schema := range document.Components.Schemas {
		if schema.Value.Type.Is(openapi3.TypeObject) {
			schema.Value.AdditionalProperties = openapi3.BoolSchema{Has: &closed}
		}
	}
	router, err := gorillamux.NewRouter(document)
	if err != nil {
		panic(err)
	}
	return router, document
})

func checkAnswer(t *testing.T, r *http.Request, response *http.Response, body []byte) {
	t.Helper()
	router, document := strictContract()
	route, parameters, err := router.FindRoute(r)
	if err != nil {
		// No operation of the contract, and so a problem.
		var decoded any
		if err := json.Unmarshal(body, &decoded); err != nil {
			t.Fatalf("%s %s: answer outside the contract is no JSON: %v", r.Method, r.URL.Path, err)
		}
		if err := document.Components.Schemas["Problem"].Value.VisitJSON(decoded); err != nil {
			t.Errorf("%s %s: answer outside the contract is no problem: %v", r.Method, r.URL.Path, err)
		}
		return
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: parameters, Route: route},
		Status:                 response.StatusCode,
		Header:                 response.Header,
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	input.SetBodyBytes(body)
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/yaml") {
		input.Options.ExcludeResponseBody = true // The validator would read the document as a value, and it is declared to be text.
	}
	if err := openapi3filter.ValidateResponse(context.Background(), input); err != nil {
		t.Errorf("%s %s: the answer is not as the contract has it: %v", r.Method, r.URL.Path, err)
	}
}

// validBody returns a request without fault or warning, to be changed by a test.
func validBody() map[string]any {
	return map[string]any{
		"subaccount_sid":      testSubaccount,
		"external_id":         "customer-1042",
		"primary_profile_sid": "BU00000000000000000000000000000002",
		"notification_email":  "trust-hub@isv.example",
		"business": map[string]any{
			"business_name":                    "Example Plumbing LLC",
			"business_identity":                "direct_customer",
			"business_type":                    "Limited Liability Corporation",
			"business_industry":                "CONSUMER",
			"business_registration_identifier": "EIN",
			"business_registration_number":     "12-3456789",
			"business_regions_of_operation":    "USA_AND_CANADA",
			"website_url":                      "https://www.example.com",
			"social_media_profile_urls":        "https://social.example.net/plumbing",
		},
		"address": map[string]any{
			"customer_name":    "Example Plumbing LLC",
			"street":           "100 Main Street",
			"street_secondary": "Suite 4",
			"city":             "Springfield",
			"region":           "IL",
			"postal_code":      "62701",
			"iso_country":      "US",
		},
		"authorized_representatives": []any{
			representativeBody("First"),
			representativeBody("Second"),
		},
		"phone_numbers": []any{"+12025550100", "PN0123456789abcdef0123456789abcdef"},
	}
}

// validRequest is the request of validBody as it is stored.
func validRequest() onboarding.Request {
	return onboarding.Request{
		SubaccountSID:     testSubaccount,
		ExternalID:        "customer-1042",
		PrimaryProfileSID: "BU00000000000000000000000000000002",
		NotificationEmail: "trust-hub@isv.example",
		Business: onboarding.Business{
			Name: "Example Plumbing LLC", Identity: "direct_customer", Type: "Limited Liability Corporation", Industry: "CONSUMER",
			RegistrationIdentifier: "EIN", RegistrationNumber: "123456789", RegionsOfOperation: "USA_AND_CANADA",
			WebsiteURL: "https://www.example.com", SocialMediaProfileURLs: "https://social.example.net/plumbing",
		},
		Address: onboarding.Address{
			CustomerName: "Example Plumbing LLC", Street: "100 Main Street", StreetSecondary: "Suite 4", City: "Springfield",
			Region: "IL", PostalCode: "62701", ISOCountry: "US",
		},
		AuthorizedRepresentatives: []onboarding.Representative{
			{FirstName: "First", LastName: "Representative", Email: "first@example.com", PhoneNumber: "+12025550143", BusinessTitle: "Owner", JobPosition: "CEO"},
			{FirstName: "Second", LastName: "Representative", Email: "second@example.com", PhoneNumber: "+12025550143", BusinessTitle: "Owner", JobPosition: "CEO"},
		},
		PhoneNumbers: []string{"+12025550100", "PN0123456789abcdef0123456789abcdef"},
	}
}

func representativeBody(name string) map[string]any {
	return map[string]any{
		"first_name":     name,
		"last_name":      "Representative",
		"email":          strings.ToLower(name) + "@example.com",
		"phone_number":   "+12025550143",
		"business_title": "Owner",
		"job_position":   "CEO",
	}
}

// set changes the member at a path such as "business/website_url", or takes it away if v is absent{}.
func set(body map[string]any, path string, v any) {
	names := strings.Split(path, "/")
	var at any = body
	for _, name := range names[:len(names)-1] {
		switch container := at.(type) {
		case map[string]any:
			at = container[name]
		case []any:
			at = container[name[0]-'0']
		}
	}
	last := names[len(names)-1]
	switch container := at.(type) {
	case map[string]any:
		if _, gone := v.(absent); gone {
			delete(container, last)
			return
		}
		container[last] = v
	case []any:
		container[last[0]-'0'] = v
	}
}

type absent struct{}

// syncBuffer is a log that may be read while it is written.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
