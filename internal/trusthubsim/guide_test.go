package trusthubsim_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/twilio/twilio-go/client"
	v2010 "github.com/twilio/twilio-go/rest/api/v2010"
	trusthub "github.com/twilio/twilio-go/rest/trusthub/v1"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// redirect sends what is meant for Twilio's hosts to the simulator.
type redirect struct{ to *url.URL }

func (r redirect) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Host = request.URL.Host
	request.URL.Scheme, request.URL.Host = r.to.Scheme, r.to.Host
	return http.DefaultTransport.RoundTrip(request)
}

// services are those of Twilio's own library that are needed here. Its RestClient has them all, and
// compiling what nobody calls takes longer than most of the tests.
type services struct {
	api *v2010.ApiService
	hub *trusthub.ApiService
}

// library is Twilio's own library with an account's credentials, over real HTTP.
func library(t *testing.T, server *httptest.Server, sid, token string) services {
	t.Helper()
	to, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := &client.Client{
		Credentials: client.NewCredentials(sid, token),
		HTTPClient:  &http.Client{Transport: redirect{to}, Timeout: 10 * time.Second},
	}
	c.SetAccountSid(sid)
	handler := client.NewRequestHandler(c)
	return services{v2010.NewApiService(handler), trusthub.NewApiService(handler)}
}

// must is a call that has to succeed.
func must[T any](t *testing.T) func(value T, err error) T {
	t.Helper()
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func ptr[T any](value T) *T { return &value }

// TestTheGuideThroughTwiliosLibrary makes every call of Twilio's onboarding guide for ISVs with
// subaccounts, in its order, and then its additional calls.
func TestTheGuideThroughTwiliosLibrary(t *testing.T) {
	t.Parallel()
	sim := trusthubsim.New(trusthubsim.Config{Review: trusthubsim.ReviewManual})
	t.Cleanup(sim.Close)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)

	parent := library(t, server, trusthubsim.DefaultAccountSID, trusthubsim.DefaultAuthToken)
	subaccount := must[*v2010.ApiV2010Account](t)(parent.api.CreateAccount(&v2010.CreateAccountParams{FriendlyName: ptr("Example Plumbing LLC")}))
	fetched := must[*v2010.ApiV2010Account](t)(parent.api.FetchAccount(*subaccount.Sid))
	sub := library(t, server, *fetched.Sid, *fetched.AuthToken)
	hub := sub.hub
	var numbers []string
	for range 2 {
		number := must[*v2010.ApiV2010IncomingPhoneNumber](t)(sub.api.CreateIncomingPhoneNumber(&v2010.CreateIncomingPhoneNumberParams{AreaCode: ptr("415")}))
		numbers = append(numbers, *number.Sid)
	}

	// The secondary business profile and what belongs to it.
	profile := must[*trusthub.TrusthubV1CustomerProfile](t)(hub.CreateCustomerProfile(&trusthub.CreateCustomerProfileParams{
		Email: ptr("notify@example.com"), FriendlyName: ptr("Example Plumbing LLC"), PolicySid: ptr(trusthubsim.PolicySecondaryProfile),
	}))
	assign := func(object string) {
		t.Helper()
		assigned := must[*trusthub.TrusthubV1CustomerProfileEntityAssignment](t)(hub.CreateCustomerProfileEntityAssignment(
			*profile.Sid, &trusthub.CreateCustomerProfileEntityAssignmentParams{ObjectSid: &object}))
		if *assigned.ObjectSid != object || *assigned.CustomerProfileSid != *profile.Sid {
			t.Errorf("assigned %s to %s, want %s to %s", *assigned.ObjectSid, *assigned.CustomerProfileSid, object, *profile.Sid)
		}
	}
	assign(trusthubsim.DefaultPrimaryProfileSID)
	address := must[*v2010.ApiV2010Address](t)(sub.api.CreateAddress(&v2010.CreateAddressParams{
		CustomerName: ptr("Example Plumbing LLC"), Street: ptr("100 Main St"), City: ptr("San Francisco"), Region: ptr("CA"),
		PostalCode: ptr("94105"), IsoCountry: ptr("US"),
	}))
	document := must[*trusthub.TrusthubV1SupportingDocument](t)(hub.CreateSupportingDocument(&trusthub.CreateSupportingDocumentParams{
		FriendlyName: ptr("Address"), Type: ptr("customer_profile_address"),
		Attributes: ptr[any](map[string]any{"address_sids": *address.Sid}),
	}))
	assign(*document.Sid)
	endUser := func(kind string, attributes map[string]any) string {
		t.Helper()
		user := must[*trusthub.TrusthubV1EndUser](t)(hub.CreateEndUser(&trusthub.CreateEndUserParams{
			FriendlyName: ptr(kind), Type: &kind, Attributes: ptr[any](attributes),
		}))
		return *user.Sid
	}
	assign(endUser("customer_profile_business_information", map[string]any{
		"business_name": "Example Plumbing LLC", "business_identity": "direct_customer", "business_type": "Corporation",
		"business_industry": "CONSUMER", "business_registration_identifier": "EIN", "business_registration_number": "12-3456789",
		"business_regions_of_operation": "USA_AND_CANADA", "website_url": "https://www.example.com", "social_media_profile_urls": "",
	}))
	for i, kind := range []string{"authorized_representative_1", "authorized_representative_2"} {
		assign(endUser(kind, map[string]any{
			"first_name": "First", "last_name": "Last", "email": "owner@example.com", "business_title": "Owner",
			"phone_number": []string{"+14155550101", "+14155550102"}[i], "job_position": "CEO",
		}))
	}
	for _, number := range numbers {
		must[*trusthub.TrusthubV1CustomerProfileChannelEndpointAssignment](t)(hub.CreateCustomerProfileChannelEndpointAssignment(*profile.Sid,
			&trusthub.CreateCustomerProfileChannelEndpointAssignmentParams{ChannelEndpointType: ptr("phone-number"), ChannelEndpointSid: &number}))
	}
	evaluation := must[*trusthub.TrusthubV1CustomerProfileEvaluation](t)(hub.CreateCustomerProfileEvaluation(*profile.Sid,
		&trusthub.CreateCustomerProfileEvaluationParams{PolicySid: ptr(trusthubsim.PolicySecondaryProfile)}))
	if *evaluation.Status != "compliant" {
		t.Fatalf("the profile is %s: %v", *evaluation.Status, *evaluation.Results)
	}
	submitted := must[*trusthub.TrusthubV1CustomerProfile](t)(hub.UpdateCustomerProfile(*profile.Sid,
		&trusthub.UpdateCustomerProfileParams{Status: ptr("pending-review")}))
	if *submitted.Status != "pending-review" {
		t.Fatalf("the profile is %s after its submission", *submitted.Status)
	}
	approve(t, sim, *profile.Sid)

	// The trust product.
	product := must[*trusthub.TrusthubV1TrustProduct](t)(hub.CreateTrustProduct(&trusthub.CreateTrustProductParams{
		Email: ptr("notify@example.com"), FriendlyName: ptr("SHAKEN/STIR"), PolicySid: ptr(trusthubsim.PolicyShakenStir),
	}))
	must[*trusthub.TrusthubV1TrustProductEntityAssignment](t)(hub.CreateTrustProductEntityAssignment(*product.Sid,
		&trusthub.CreateTrustProductEntityAssignmentParams{ObjectSid: profile.Sid}))
	for _, number := range numbers {
		must[*trusthub.TrusthubV1TrustProductChannelEndpointAssignment](t)(hub.CreateTrustProductChannelEndpointAssignment(*product.Sid,
			&trusthub.CreateTrustProductChannelEndpointAssignmentParams{ChannelEndpointType: ptr("phone-number"), ChannelEndpointSid: &number}))
	}
	must[*trusthub.TrusthubV1TrustProduct](t)(hub.UpdateTrustProduct(*product.Sid,
		&trusthub.UpdateTrustProductParams{Status: ptr("pending-review")}))
	approve(t, sim, *product.Sid)
	if got := must[*trusthub.TrusthubV1TrustProduct](t)(hub.FetchTrustProduct(*product.Sid)); *got.Status != "twilio-approved" || got.ValidUntil == nil {
		t.Errorf("the product is %s, valid until %v", *got.Status, got.ValidUntil)
	}

	// The additional calls. A page size of 1 makes the library follow pages.
	one := ptr(1)
	if got := must[[]trusthub.TrusthubV1CustomerProfile](t)(hub.ListCustomerProfile(&trusthub.ListCustomerProfileParams{Status: ptr("twilio-approved"), PageSize: one})); len(got) != 1 {
		t.Errorf("%d approved profiles, want 1", len(got))
	}
	if got := must[[]v2010.ApiV2010Address](t)(sub.api.ListAddress(&v2010.ListAddressParams{PageSize: one})); len(got) != 1 {
		t.Errorf("%d addresses, want 1", len(got))
	}
	if got := must[[]trusthub.TrusthubV1SupportingDocument](t)(hub.ListSupportingDocument(&trusthub.ListSupportingDocumentParams{PageSize: one})); len(got) != 1 {
		t.Errorf("%d supporting documents, want 1", len(got))
	}
	if got := must[[]trusthub.TrusthubV1EndUser](t)(hub.ListEndUser(&trusthub.ListEndUserParams{PageSize: one})); len(got) != 3 {
		t.Errorf("%d end users, want 3", len(got))
	}
	if got := must[[]v2010.ApiV2010IncomingPhoneNumber](t)(sub.api.ListIncomingPhoneNumber(&v2010.ListIncomingPhoneNumberParams{PageSize: one})); len(got) != 2 {
		t.Errorf("%d phone numbers, want 2", len(got))
	}
	on := must[[]trusthub.TrusthubV1CustomerProfileChannelEndpointAssignment](t)(hub.ListCustomerProfileChannelEndpointAssignment(
		*profile.Sid, &trusthub.ListCustomerProfileChannelEndpointAssignmentParams{PageSize: one}))
	var assigned []string
	for _, a := range on {
		assigned = append(assigned, *a.ChannelEndpointSid)
	}
	slices.Reverse(assigned) // lists are newest first
	if !slices.Equal(assigned, numbers) {
		t.Errorf("numbers on the profile: %v, want %v", assigned, numbers)
	}
	if got := must[[]trusthub.TrusthubV1Policies](t)(hub.ListPolicies(nil)); len(got) != 5 {
		t.Errorf("%d policies, want 5", len(got))
	}
	if got := must[[]trusthub.TrusthubV1EndUserType](t)(hub.ListEndUserType(nil)); len(got) != 5 {
		t.Errorf("%d end user types, want 5", len(got))
	}
	if got := must[[]trusthub.TrusthubV1SupportingDocumentType](t)(hub.ListSupportingDocumentType(nil)); len(got) != 1 {
		t.Errorf("%d supporting document types, want 1", len(got))
	}
	if got := must[[]v2010.ApiV2010Account](t)(parent.api.ListAccount(&v2010.ListAccountParams{PageSize: one})); len(got) != 2 {
		t.Errorf("%d accounts, want the parent and its subaccount", len(got))
	}
}

func approve(t *testing.T, sim *trusthubsim.Simulator, bundle string) {
	t.Helper()
	if err := sim.Review(bundle, trusthubsim.Decision{Status: trusthubsim.StatusApproved}); err != nil {
		t.Fatal(err)
	}
}

// TestErrorsThroughTwiliosLibrary: an error arrives as the library's own type, with Twilio's code.
func TestErrorsThroughTwiliosLibrary(t *testing.T) {
	t.Parallel()
	sim := trusthubsim.New(trusthubsim.Config{})
	t.Cleanup(sim.Close)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	_, err := library(t, server, trusthubsim.DefaultAccountSID, "wrong").hub.ListEndUser(nil)
	var refused *client.TwilioRestError
	if !errors.As(err, &refused) || refused.Code != 20003 || refused.Status != http.StatusUnauthorized {
		t.Errorf("error %v, want 20003", err)
	}
}

// TestSignaturesPassTwiliosLibrary: what Sign computes is what the library accepts.
func TestSignaturesPassTwiliosLibrary(t *testing.T) {
	t.Parallel()
	const target = "https://example.com/webhooks?a=b"
	validator := client.NewRequestValidator("0123456789abcdef0123456789abcdef")
	form := url.Values{"Status": {"twilio-approved"}, "AccountSid": {"AC1"}, "BundleSid": {"BU1"}}
	flat := map[string]string{}
	for name := range form {
		flat[name] = form.Get(name)
	}
	signature := trusthubsim.Sign("0123456789abcdef0123456789abcdef", target, form)
	if !validator.Validate(target, flat, signature) {
		t.Error("the library refuses the signature")
	}
	flat["Status"] = "twilio-rejected"
	if validator.Validate(target, flat, signature) {
		t.Error("the library accepts the signature of another form")
	}
}

// Example shows an answer of the simulator, called in memory.
func Example() {
	sim := trusthubsim.New(trusthubsim.Config{Review: trusthubsim.ReviewManual})
	defer sim.Close()
	request, _ := http.NewRequest(http.MethodGet, "https://trusthub.twilio.com/v1/CustomerProfiles/"+trusthubsim.DefaultPrimaryProfileSID, nil)
	request.SetBasicAuth(trusthubsim.DefaultAccountSID, trusthubsim.DefaultAuthToken)
	response, err := (&http.Client{Transport: sim.Transport()}).Do(request)
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	var profile struct{ Sid, Status string }
	if err := json.NewDecoder(response.Body).Decode(&profile); err != nil {
		panic(err)
	}
	fmt.Println(profile.Sid, profile.Status)
	// Output: BU00000000000000000000000000000003 twilio-approved
}
