package trusthubsim

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// testBundle is a simulator with one subaccount, and callers for the parent and the subaccount.
type testBundle struct {
	sim         *Simulator
	parent, sub caller
}

func setup(t *testing.T, cfg Config) *testBundle {
	t.Helper()
	sim := New(cfg)
	t.Cleanup(sim.Close)
	b := &testBundle{sim: sim}
	b.parent = caller{t: t, transport: sim.Transport(), sid: sim.cfg.AccountSID, token: sim.cfg.AuthToken}
	b.sub = b.subaccount("Example Plumbing LLC")
	return b
}

// subaccount makes one more.
func (b *testBundle) subaccount(name string) caller {
	made := b.parent.post("/2010-04-01/Accounts.json", "FriendlyName", name).want(http.StatusCreated)
	c := b.parent
	c.sid, c.token = made.text("sid"), made.text("auth_token")
	return c
}

// caller sends requests with one account's credentials. Each answer is checked against its
// published shape.
type caller struct {
	t          *testing.T
	transport  http.RoundTripper
	sid, token string
}

func (c caller) get(path string) result    { return c.do(http.MethodGet, path, nil) }
func (c caller) delete(path string) result { return c.do(http.MethodDelete, path, nil) }
func (c caller) post(path string, form ...string) result {
	return c.do(http.MethodPost, path, values(form...))
}
func (c caller) v2010(rest string) string { return "/2010-04-01/Accounts/" + c.sid + rest }
func (c caller) create(path string, form ...string) string {
	return c.post(path, form...).want(201).text("sid")
}
func (c caller) status(path string) string { return c.get(path).want(200).text("status") }

func (c caller) do(method, path string, form url.Values) result {
	c.t.Helper()
	response, err := c.send(method, path, form)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatalf("%s %s: reading the answer: %v", method, path, err)
	}
	r := result{t: c.t, request: method + " " + path, status: response.StatusCode}
	if response.StatusCode != http.StatusNoContent {
		if err := json.Unmarshal(text, &r.body); err != nil {
			c.t.Fatalf("%s: the answer is not JSON: %v\n%s", r.request, err, text)
		}
		checkShape(c.t, path, r)
	}
	return r
}

// send is one request whose answer is not looked at.
func (c caller) send(method, path string, form url.Values) (*http.Response, error) {
	request, err := http.NewRequestWithContext(c.t.Context(), method, "https://api.twilio.com"+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	request.SetBasicAuth(c.sid, c.token)
	return c.transport.RoundTrip(request)
}

// pass lets virtual time pass, in a bubble of testing/synctest.
func pass(d time.Duration) { <-time.After(d) }

// values builds a form from names and values in turn.
func values(pairs ...string) url.Values {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

// result is an answer.
type result struct {
	t       *testing.T
	request string
	status  int
	body    map[string]any
}

// want fails the test unless the answer has a status.
func (r result) want(status int) result {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s: status %d, want %d: %v", r.request, r.status, status, r.body)
	}
	return r
}

// refused fails the test unless the answer is an error with a status and a code.
func (r result) refused(status, code int) result {
	r.t.Helper()
	r.want(status)
	if got := int(r.body["code"].(float64)); got != code {
		r.t.Fatalf("%s: code %d, want %d: %v", r.request, got, code, r.body["message"])
	}
	return r
}

func (r result) text(name string) string {
	text, _ := r.body[name].(string)
	return text
}

// list is the resources of a page, whatever their key.
func (r result) list() []map[string]any {
	r.t.Helper()
	for _, value := range r.body {
		if items, ok := value.([]any); ok {
			all := make([]map[string]any, len(items))
			for i, item := range items {
				all[i] = item.(map[string]any)
			}
			return all
		}
	}
	r.t.Fatalf("%s: no list in %v", r.request, r.body)
	return nil
}

func (r result) sids() []string {
	r.t.Helper()
	sids := []string{}
	for _, item := range r.list() {
		sids = append(sids, item["sid"].(string))
	}
	return sids
}

// business are the attributes of a business that passes evaluation and review; changes are names
// and values in turn.
func business(changes ...string) string {
	return attributesJSON(map[string]string{
		"business_name": "Example Plumbing LLC", "business_identity": "direct_customer",
		"business_type": "Limited Liability Corporation", "business_industry": "CONSUMER",
		"business_registration_identifier": "EIN", "business_registration_number": "12-3456789",
		"business_regions_of_operation": "USA_AND_CANADA", "website_url": "https://www.example.com",
		"social_media_profile_urls": "",
	}, changes)
}

// representative are the attributes of an authorized representative that pass, likewise.
func representative(changes ...string) string {
	return attributesJSON(map[string]string{
		"first_name": "First", "last_name": "Last", "email": "owner@example.com", "phone_number": "+14155550101",
		"business_title": "Owner", "job_position": "CEO",
	}, changes)
}

func attributesJSON(attributes map[string]string, changes []string) string {
	for i := 0; i < len(changes); i += 2 {
		if attributes[changes[i]] = changes[i+1]; changes[i+1] == "" {
			delete(attributes, changes[i])
		}
	}
	text, _ := json.Marshal(attributes)
	return string(text)
}

// Paths of what onboarding makes.
func profilePath(sid string) string { return "/v1/CustomerProfiles/" + sid }
func productPath(sid string) string { return "/v1/TrustProducts/" + sid }

// draftProfile makes an empty secondary customer profile and returns its SID.
func (c caller) draftProfile(extra ...string) string {
	return c.create("/v1/CustomerProfiles", append([]string{
		"FriendlyName", "Profile", "Email", "notify@example.com", "PolicySid", PolicySecondaryProfile,
	}, extra...)...)
}

// draftProduct makes an empty trust product and returns its SID.
func (c caller) draftProduct(policy string, extra ...string) string {
	return c.create("/v1/TrustProducts", append([]string{
		"FriendlyName", "Product", "Email", "notify@example.com", "PolicySid", policy,
	}, extra...)...)
}

func (c caller) endUser(kind, attributes string) string {
	return c.create("/v1/EndUsers", "FriendlyName", kind, "Type", kind, "Attributes", attributes)
}

func (c caller) address(changes ...string) string {
	form := values(
		"CustomerName", "Example Plumbing LLC", "Street", "100 Main St", "City", "San Francisco", "Region", "CA",
		"PostalCode", "94105", "IsoCountry", "US")
	for i := 0; i < len(changes); i += 2 {
		form.Set(changes[i], changes[i+1])
	}
	return c.do(http.MethodPost, c.v2010("/Addresses.json"), form).want(201).text("sid")
}

func (c caller) document(address string) string {
	return c.create("/v1/SupportingDocuments", "FriendlyName", "Address", "Type", profileAddress,
		"Attributes", attributesJSON(map[string]string{"address_sids": address}, nil))
}

func (c caller) number() string {
	return c.create(c.v2010("/IncomingPhoneNumbers.json"), "AreaCode", "415")
}

// assign puts an object on a bundle.
func (c caller) assign(bundlePath, object string) result {
	return c.post(bundlePath+"/EntityAssignments", "ObjectSid", object)
}

// addNumber puts a number on a bundle.
func (c caller) addNumber(bundlePath, number string) result {
	return c.post(bundlePath+"/ChannelEndpointAssignments", "ChannelEndpointType", "phone-number", "ChannelEndpointSid", number)
}

// evaluate evaluates a bundle by the policy that it was made for.
func (c caller) evaluate(bundlePath string) result {
	return c.post(bundlePath+"/Evaluations", "PolicySid", c.get(bundlePath).text("policy_sid")).want(201)
}

// submit asks for a review and returns the status in the answer.
func (c caller) submit(bundlePath string) string {
	return c.post(bundlePath, "Status", "pending-review").want(200).text("status")
}

// parts are the SIDs of a complete customer profile.
type parts struct {
	profile, business, representative, address, document, number string
	businessAssignment, documentAssignment, numberAssignment     string
	path                                                         string // of the profile
}

// completeProfile makes a profile that is compliant.
func (c caller) completeProfile(primary string, extra ...string) parts {
	p := parts{profile: c.draftProfile(extra...)}
	p.path = profilePath(p.profile)
	p.business = c.endUser(businessInformation, business())
	p.representative = c.endUser(representative1, representative())
	p.address = c.address()
	p.document = c.document(p.address)
	p.number = c.number()
	c.assign(p.path, primary).want(201)
	p.businessAssignment = c.assign(p.path, p.business).want(201).text("sid")
	c.assign(p.path, p.representative).want(201)
	p.documentAssignment = c.assign(p.path, p.document).want(201).text("sid")
	p.numberAssignment = c.addNumber(p.path, p.number).want(201).text("sid")
	return p
}

// decide reviews a bundle or fails the test.
func (b *testBundle) decide(t *testing.T, bundle string, status Status, codes ...int) {
	t.Helper()
	if err := b.sim.Review(bundle, Decision{Status: status, Errors: Codes(codes...)}); err != nil {
		t.Fatal(err)
	}
}
