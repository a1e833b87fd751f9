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

// guide is a customer on the way through Twilio's onboarding guide.
type guide struct {
	t           *testing.T
	sim         *trusthubsim.Simulator
	parent, sub services
	numbers     []string
	profile     string
}

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
	g := &guide{t: t, sim: sim, parent: parent, sub: library(t, server, *fetched.Sid, *fetched.AuthToken)}
	for range 2 {
		number := must[*v2010.ApiV2010IncomingPhoneNumber](t)(g.sub.api.CreateIncomingPhoneNumber(&v2010.CreateIncomingPhoneNumberParams{AreaCode: ptr("415")}))
		g.numbers = append(g.numbers, *number.Sid)
	}
	g.makeProfile()
	g.submitProfile()
	g.makeProduct()
	g.readLists()
	g.readNumbers()
}

// makeProfile makes the secondary business profile and what belongs to it.
func (g *guide) makeProfile() {
	t, hub := g.t, g.sub.hub
	profile := must[*trusthub.TrusthubV1CustomerProfile](t)(hub.CreateCustomerProfile(&trusthub.CreateCustomerProfileParams{
		Email: ptr("notify@example.com"), FriendlyName: ptr("Example Plumbing LLC"), PolicySid: ptr(trusthubsim.PolicySecondaryProfile),
	}))
	g.profile = *profile.Sid
	g.assign(trusthubsim.DefaultPrimaryProfileSID)
	address := must[*v2010.ApiV2010Address](t)(g.sub.api.CreateAddress(&v2010.CreateAddressParams{
		CustomerName: ptr("Example Plumbing LLC"), Street: ptr("100 Main St"), City: ptr("San Francisco"), Region: ptr("CA"),
		PostalCode: ptr("94105"), IsoCountry: ptr("US"),
	}))
	document := must[*trusthub.TrusthubV1SupportingDocument](t)(hub.CreateSupportingDocument(&trusthub.CreateSupportingDocumentParams{
		FriendlyName: ptr("Address"), Type: ptr("customer_profile_address"),
		Attributes: ptr[any](map[string]any{"address_sids": *address.Sid}),
	}))
	g.assign(*document.Sid)
	g.assignEndUser("customer_profile_business_information", map[string]any{
		"business_name": "Example Plumbing LLC", "business_identity": "direct_customer", "business_type": "Corporation",
		"business_industry": "CONSUMER", "business_registration_identifier": "EIN", "business_registration_number": "12-3456789",
		"business_regions_of_operation": "USA_AND_CANADA", "website_url": "https://www.example.com", "social_media_profile_urls": "",
	})
	for i, kind := range []string{"authorized_representative_1", "authorized_representative_2"} {
		g.assignEndUser(kind, map[string]any{
			"first_name": "First", "last_name": "Last", "email": "owner@example.com", "business_title": "Owner",
			"phone_number": []string{"+14155550101", "+14155550102"}[i], "job_position": "CEO",
		})
	}
	for _, number := range g.numbers {
		must[*trusthub.TrusthubV1CustomerProfileChannelEndpointAssignment](t)(hub.CreateCustomerProfileChannelEndpointAssignment(g.profile,
			&trusthub.CreateCustomerProfileChannelEndpointAssignmentParams{ChannelEndpointType: ptr("phone-number"), ChannelEndpointSid: &number}))
	}
}

// assign puts an object on the profile.
func (g *guide) assign(object string) {
	g.t.Helper()
	assigned := must[*trusthub.TrusthubV1CustomerProfileEntityAssignment](g.t)(g.sub.hub.CreateCustomerProfileEntityAssignment(
		g.profile, &trusthub.CreateCustomerProfileEntityAssignmentParams{ObjectSid: &object}))
	if *assigned.ObjectSid != object || *assigned.CustomerProfileSid != g.profile {
		g.t.Errorf("assigned %s to %s, want %s to %s", *assigned.ObjectSid, *assigned.CustomerProfileSid, object, g.profile)
	}
}

func (g *guide) assignEndUser(kind string, attributes map[string]any) {
	g.t.Helper()
	user := must[*trusthub.TrusthubV1EndUser](g.t)(g.sub.hub.CreateEndUser(&trusthub.CreateEndUserParams{
		FriendlyName: ptr(kind), Type: &kind, Attributes: ptr[any](attributes),
	}))
	g.assign(*user.Sid)
}

// submitProfile has the profile evaluated, submitted and approved.
func (g *guide) submitProfile() {
	t, hub := g.t, g.sub.hub
	evaluation := must[*trusthub.TrusthubV1CustomerProfileEvaluation](t)(hub.CreateCustomerProfileEvaluation(g.profile,
		&trusthub.CreateCustomerProfileEvaluationParams{PolicySid: ptr(trusthubsim.PolicySecondaryProfile)}))
	if *evaluation.Status != "compliant" {
		t.Fatalf("the profile is %s: %v", *evaluation.Status, *evaluation.Results)
	}
	submitted := must[*trusthub.TrusthubV1CustomerProfile](t)(hub.UpdateCustomerProfile(g.profile,
		&trusthub.UpdateCustomerProfileParams{Status: ptr("pending-review")}))
	if *submitted.Status != "pending-review" {
		t.Fatalf("the profile is %s after its submission", *submitted.Status)
	}
	approve(t, g.sim, g.profile)
}

// makeProduct makes the trust product and has it approved.
func (g *guide) makeProduct() {
	t, hub := g.t, g.sub.hub
	product := must[*trusthub.TrusthubV1TrustProduct](t)(hub.CreateTrustProduct(&trusthub.CreateTrustProductParams{
		Email: ptr("notify@example.com"), FriendlyName: ptr("SHAKEN/STIR"), PolicySid: ptr(trusthubsim.PolicyShakenStir),
	}))
	must[*trusthub.TrusthubV1TrustProductEntityAssignment](t)(hub.CreateTrustProductEntityAssignment(*product.Sid,
		&trusthub.CreateTrustProductEntityAssignmentParams{ObjectSid: &g.profile}))
	for _, number := range g.numbers {
		must[*trusthub.TrusthubV1TrustProductChannelEndpointAssignment](t)(hub.CreateTrustProductChannelEndpointAssignment(*product.Sid,
			&trusthub.CreateTrustProductChannelEndpointAssignmentParams{ChannelEndpointType: ptr("phone-number"), ChannelEndpointSid: &number}))
	}
	must[*trusthub.TrusthubV1TrustProduct](t)(hub.UpdateTrustProduct(*product.Sid,
		&trusthub.UpdateTrustProductParams{Status: ptr("pending-review")}))
	approve(t, g.sim, *product.Sid)
	if got := must[*trusthub.TrusthubV1TrustProduct](t)(hub.FetchTrustProduct(*product.Sid)); *got.Status != "twilio-approved" || got.ValidUntil == nil {
		t.Errorf("the product is %s, valid until %v", *got.Status, got.ValidUntil)
	}
}

// readLists makes the additional calls. A page size of 1 makes the library follow pages.
func (g *guide) readLists() {
	t, hub, one := g.t, g.sub.hub, ptr(1)
	approved := must[[]trusthub.TrusthubV1CustomerProfile](t)(
		hub.ListCustomerProfile(&trusthub.ListCustomerProfileParams{Status: ptr("twilio-approved"), PageSize: one}))
	addresses := must[[]v2010.ApiV2010Address](t)(g.sub.api.ListAddress(&v2010.ListAddressParams{PageSize: one}))
	documents := must[[]trusthub.TrusthubV1SupportingDocument](t)(hub.ListSupportingDocument(&trusthub.ListSupportingDocumentParams{PageSize: one}))
	users := must[[]trusthub.TrusthubV1EndUser](t)(hub.ListEndUser(&trusthub.ListEndUserParams{PageSize: one}))
	accounts := must[[]v2010.ApiV2010Account](t)(g.parent.api.ListAccount(&v2010.ListAccountParams{PageSize: one}))
	for _, list := range []struct {
		name      string
		got, want int
	}{
		{"approved profiles", len(approved), 1},
		{"addresses", len(addresses), 1},
		{"supporting documents", len(documents), 1},
		{"end users", len(users), 3},
		{"accounts, the parent's too", len(accounts), 2},
		{"policies", len(must[[]trusthub.TrusthubV1Policies](t)(hub.ListPolicies(nil))), 5},
		{"end user types", len(must[[]trusthub.TrusthubV1EndUserType](t)(hub.ListEndUserType(nil))), 5},
		{"supporting document types", len(must[[]trusthub.TrusthubV1SupportingDocumentType](t)(hub.ListSupportingDocumentType(nil))), 1},
	} {
		if list.got != list.want {
			t.Errorf("%d %s, want %d", list.got, list.name, list.want)
		}
	}
}

// readNumbers reads the numbers in service, and those on the profile.
func (g *guide) readNumbers() {
	t, one := g.t, ptr(1)
	if got := must[[]v2010.ApiV2010IncomingPhoneNumber](t)(g.sub.api.ListIncomingPhoneNumber(&v2010.ListIncomingPhoneNumberParams{PageSize: one})); len(got) != 2 {
		t.Errorf("%d phone numbers, want 2", len(got))
	}
	on := must[[]trusthub.TrusthubV1CustomerProfileChannelEndpointAssignment](t)(g.sub.hub.ListCustomerProfileChannelEndpointAssignment(
		g.profile, &trusthub.ListCustomerProfileChannelEndpointAssignmentParams{PageSize: one}))
	var assigned []string
	for _, a := range on {
		assigned = append(assigned, *a.ChannelEndpointSid)
	}
	slices.Reverse(assigned) // lists are newest first
	if !slices.Equal(assigned, g.numbers) {
		t.Errorf("numbers on the profile: %v, want %v", assigned, g.numbers)
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
