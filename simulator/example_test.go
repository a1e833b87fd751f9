package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/attestd/attestd/simulator"
)

// A profile is made in a customer's subaccount, and its submission while it is incomplete changes
// nothing.
func Example() {
	sim, err := simulator.New(simulator.Options{Switches: map[string]string{"review": "manual"}})
	if err != nil {
		panic(err)
	}
	defer sim.Close()
	customer, err := sim.Subaccount("Example Plumbing LLC", "+14155550100")
	if err != nil {
		panic(err)
	}

	// The code under test would do this, with sim.URL as its base URL.
	type profile struct{ SID, Status string }
	post := func(path string, form url.Values) (p profile) {
		request, err := http.NewRequest(http.MethodPost, sim.URL+path, strings.NewReader(form.Encode()))
		if err != nil {
			panic(err)
		}
		request.SetBasicAuth(customer.SID, customer.AuthToken)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			panic(err)
		}
		defer response.Body.Close()
		if err := json.NewDecoder(response.Body).Decode(&p); err != nil {
			panic(err)
		}
		return p
	}
	made := post("/v1/CustomerProfiles", url.Values{
		"FriendlyName": {"Example Plumbing LLC"}, "Email": {"trust@isv.example"}, "PolicySid": {"RNdfbf3fae0e1107f8aded0e7cead80bf5"},
	})
	submitted := post("/v1/CustomerProfiles/"+made.SID, url.Values{"Status": {"pending-review"}})
	fmt.Println("made:", made.Status)
	fmt.Println("submitted:", submitted.Status)
	fmt.Println("profiles:", len(sim.State().Accounts[customer.SID].CustomerProfiles))
	fmt.Println("can be approved:", sim.Approve(made.SID) == nil)
	// Output:
	// made: draft
	// submitted: draft
	// profiles: 1
	// can be approved: false
}
