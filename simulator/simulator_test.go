package simulator_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/attestd/attestd/simulator"
)

// account makes calls with an account's credentials and a client.
type account struct {
	t          *testing.T
	client     *http.Client
	base       string
	sid, token string
}

// resource is as much of what Twilio answers as matters here.
type resource struct {
	SID            string `json:"sid"`
	Status         any    `json:"status"`
	StatusCallback string `json:"status_callback"`
	Errors         []struct{ Code int }
}

func (a account) do(method, path string, pairs ...string) (int, resource) {
	a.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	request, err := http.NewRequestWithContext(a.t.Context(), method, a.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		a.t.Fatal(err)
	}
	request.SetBasicAuth(a.sid, a.token)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := a.client.Do(request)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	var read resource
	if err := json.NewDecoder(response.Body).Decode(&read); err != nil {
		a.t.Fatal(err)
	}
	return response.StatusCode, read
}

// make is a call that must make something.
func (a account) make(path string, pairs ...string) string {
	a.t.Helper()
	status, made := a.do(http.MethodPost, path, pairs...)
	if status != http.StatusCreated {
		a.t.Fatalf("POST %s is answered %d", path, status)
	}
	return made.SID
}

// profile makes a complete customer profile and returns its path and SID.
func (a account) profile(primary, number, callback string) (path, sid string) {
	a.t.Helper()
	sid = a.make("/v1/CustomerProfiles", "FriendlyName", "Profile", "Email", "trust@isv.example", "StatusCallback", callback,
		"PolicySid", "RNdfbf3fae0e1107f8aded0e7cead80bf5")
	address := a.make("/2010-04-01/Accounts/"+a.sid+"/Addresses.json", "CustomerName", "Example Plumbing LLC", "Street", "233 S Wacker Dr",
		"City", "Chicago", "Region", "IL", "PostalCode", "60606", "IsoCountry", "US")
	objects := []string{primary}
	for _, one := range []struct{ path, kind, attributes string }{
		{"/v1/EndUsers", "customer_profile_business_information", `{"business_name": "Example Plumbing LLC", "business_identity": "direct_customer",
			"business_type": "Corporation", "business_industry": "CONSUMER", "business_registration_identifier": "EIN",
			"business_registration_number": "12-3456789", "business_regions_of_operation": "USA_AND_CANADA", "website_url": "https://example.com"}`},
		{"/v1/EndUsers", "authorized_representative_1", `{"first_name": "First", "last_name": "Owner", "email": "owner@example.com",
			"phone_number": "+13125550123", "business_title": "Owner", "job_position": "CEO"}`},
		{"/v1/SupportingDocuments", "customer_profile_address", `{"address_sids": "` + address + `"}`},
	} {
		objects = append(objects, a.make(one.path, "FriendlyName", one.kind, "Type", one.kind, "Attributes", one.attributes))
	}
	path = "/v1/CustomerProfiles/" + sid
	for _, object := range objects {
		a.make(path+"/EntityAssignments", "ObjectSid", object)
	}
	a.make(path+"/ChannelEndpointAssignments", "ChannelEndpointType", "phone-number", "ChannelEndpointSid", number)
	return path, sid
}

// submit hands a bundle in and returns its status.
func (a account) submit(path string) any {
	a.t.Helper()
	_, answered := a.do(http.MethodPost, path, "Status", "pending-review")
	return answered.Status
}

// TestAnOnboardingOverHTTP: a profile is rejected by its test, corrected and approved, each with a
// callback.
func TestAnOnboardingOverHTTP(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	heard := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		heard <- r.FormValue("Status") + " " + r.FormValue("FailureReason")
	}))
	defer receiver.Close()
	defer http.DefaultClient.CloseIdleConnections()
	sim, err := simulator.New(simulator.Options{Switches: map[string]string{"review": "manual"}})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	customer, err := sim.Subaccount("Example Plumbing LLC", "+14155550100", "+14155550101")
	if err != nil || len(customer.Numbers) != 2 {
		t.Fatalf("made %+v: %v", customer, err)
	}
	a := account{t: t, client: http.DefaultClient, base: sim.URL, sid: customer.SID, token: customer.AuthToken}
	path, sid := a.profile(sim.PrimaryProfileSID, customer.Numbers[0], receiver.URL)
	hear := func(want string) {
		t.Helper()
		if got := <-heard; got != want {
			t.Errorf("called back %q, want %q", got, want)
		}
	}
	if got := a.submit(path); got != "pending-review" {
		t.Fatalf("submitted: %v", got)
	}
	hear("pending-review ")
	if err := sim.Reject(sid, 18602); err != nil {
		t.Fatal(err)
	}
	hear("twilio-rejected Unable to verify the business registration number")
	if _, read := a.do(http.MethodGet, path); len(read.Errors) != 1 || read.Errors[0].Code != 18602 {
		t.Errorf("read %+v", read)
	}
	if err := sim.RepeatCallback(sid); err != nil {
		t.Fatal(err)
	}
	hear("twilio-rejected Unable to verify the business registration number")
	if got := a.submit(path); got != "pending-review" {
		t.Fatalf("submitted again: %v", got)
	}
	hear("pending-review ")
	if err := sim.Approve(sid); err != nil {
		t.Fatal(err)
	}
	hear("twilio-approved ")
	sim.Close()
	if got := len(sim.Callbacks()); got != 5 {
		t.Errorf("%d callbacks are recorded, want 5", got)
	}
	if got := sim.State().Accounts[customer.SID].CustomerProfiles[0]; got.Status != simulator.StatusApproved || got.Submissions != 2 {
		t.Errorf("the state has %s after %d submissions", got.Status, got.Submissions)
	}
}

// TestInVirtualTime: without a socket a check's seconds pass at once.
func TestInVirtualTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := simulator.Start(t, simulator.Options{InMemory: true, Switches: map[string]string{"review_delay": "24h"}})
		customer, err := sim.Subaccount("Example Plumbing LLC", "+14155550100")
		if err != nil {
			t.Fatal(err)
		}
		a := account{t: t, client: sim.Client(), base: "https://trusthub.twilio.com", sid: customer.SID, token: customer.AuthToken}
		path, _ := a.profile(sim.PrimaryProfileSID, customer.Numbers[0], "")
		if status, _ := a.do(http.MethodPost, path, "Email", "trust@mailinator.com"); status != http.StatusOK {
			t.Fatalf("the update is answered %d", status)
		}
		a.submit(path)
		<-time.After(15 * time.Second)
		synctest.Wait()
		if _, read := a.do(http.MethodGet, path); read.Status != "twilio-rejected" {
			t.Errorf("after the checks the profile is %v", read.Status)
		}
	})
}

// TestControls do what the simulator's own paths do.
func TestControls(t *testing.T) {
	t.Parallel()
	sim := simulator.Start(t, simulator.Options{InMemory: true})
	a := account{t: t, client: sim.Client(), base: "https://trusthub.twilio.com", sid: sim.AccountSID, token: sim.AuthToken}
	if _, err := sim.AddFault(simulator.Fault{Path: "/v1/EndUsers", Effect: simulator.EffectStatus, Status: 500}); err != nil {
		t.Fatal(err)
	}
	if status, _ := a.do(http.MethodGet, "/v1/EndUsers"); status != 500 {
		t.Errorf("with the fault it is answered %d", status)
	}
	sim.ClearFaults()
	if status, _ := a.do(http.MethodGet, "/v1/EndUsers"); status != 200 {
		t.Errorf("without the fault it is answered %d", status)
	}
	if got := len(sim.Requests()); got != 2 {
		t.Errorf("%d requests are recorded, want 2", got)
	}
	if err := sim.Set("callbacks.repeats", "2"); err != nil {
		t.Fatal(err)
	}
	for _, one := range sim.Switches() {
		if one.Name == "callbacks.repeats" && one.Value != "2" {
			t.Errorf("set, the switch is %s", one.Value)
		}
	}
	if err := sim.Review(sim.PrimaryProfileSID, simulator.Decision{Status: simulator.StatusRejected, FailureReason: "Taken back."}); err != nil {
		t.Fatal(err)
	}
	if err := sim.DeleteInConsole(sim.PrimaryProfileSID); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"a review of no bundle": sim.Approve(sim.PrimaryProfileSID), "a deletion of nothing": sim.DeleteInConsole("BU1"),
		"a repetition of nothing": sim.RepeatCallback("BU1"), "a switch of the start": sim.Set("seed", "1"), "no switch": sim.Set("colour", "red"),
	} {
		if err == nil {
			t.Errorf("%s is no error", what)
		}
	}
	if _, err := sim.Subaccount("Example", "+14155550100", "+14155550100"); err == nil || !strings.Contains(err.Error(), "21422") {
		t.Errorf("a number that is taken: %v", err)
	}
}

// TestOptionsThatMakeNoSense are refused, and nothing runs.
func TestOptionsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"colour": "red", "review": "never", "account_sid": "AC1"} {
		if _, err := simulator.New(simulator.Options{Switches: map[string]string{name: value}}); !errors.Is(err, simulator.ErrBadOptions) || !strings.Contains(fmt.Sprint(err), name) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
}
