package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// numbersEach is how many phone numbers a customer has.
const numbersEach = 2

// makeCustomers makes subaccounts with numbers at the simulator, and returns a request for each. It
// calls the simulator in the process, because what comes before an onboarding is not measured.
func makeCustomers(ctx context.Context, simulator *trusthubsim.Simulator, n int) ([]onboarding.Request, error) {
	client := &http.Client{Transport: simulator.Transport()}
	requests := make([]onboarding.Request, n)
	for i := range requests {
		account, err := twilioPost(ctx, client, "/2010-04-01/Accounts.json", url.Values{"FriendlyName": {"Example Plumbing LLC"}})
		if err != nil {
			return nil, err
		}
		var numbers []string
		for range numbersEach {
			number, err := twilioPost(ctx, client, "/2010-04-01/Accounts/"+account.SID+"/IncomingPhoneNumbers.json", url.Values{"AreaCode": {"312"}})
			if err != nil {
				return nil, err
			}
			numbers = append(numbers, number.PhoneNumber)
		}
		requests[i] = request(account.SID, numbers)
	}
	simulator.ResetRequests()
	return requests, nil
}

// made has the members of an answer of Twilio that matter here.
type made struct {
	SID         string
	PhoneNumber string `json:"phone_number"`
}

func twilioPost(ctx context.Context, client *http.Client, path string, form url.Values) (answer made, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://simulator"+path, strings.NewReader(form.Encode()))
	if err != nil {
		return made{}, err
	}
	request.SetBasicAuth(trusthubsim.DefaultAccountSID, trusthubsim.DefaultAuthToken)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := client.Do(request)
	if err != nil {
		return made{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		return made{}, fmt.Errorf("POST %s answered %d", path, response.StatusCode)
	}
	return answer, json.NewDecoder(response.Body).Decode(&answer)
}

// request is the whole onboarding of a subaccount, with two representatives and a new address. Its
// JSON is a body of POST /onboardings.
func request(subaccount string, numbers []string) onboarding.Request {
	return onboarding.Request{
		SubaccountSID:     subaccount,
		PrimaryProfileSID: trusthubsim.DefaultPrimaryProfileSID,
		NotificationEmail: "trust@isv.example",
		Business: onboarding.Business{
			Name:                   "Example Plumbing LLC",
			Identity:               "direct_customer",
			Type:                   "Limited Liability Corporation",
			Industry:               "CONSTRUCTION",
			RegistrationIdentifier: "EIN",
			RegistrationNumber:     "12-3456789",
			RegionsOfOperation:     "USA_AND_CANADA",
			WebsiteURL:             "https://plumbing.example.com",
		},
		Address: onboarding.Address{
			CustomerName: "Example Plumbing LLC",
			Street:       "233 S Wacker Dr",
			City:         "Chicago",
			Region:       "IL",
			PostalCode:   "60606",
			ISOCountry:   "US",
		},
		AuthorizedRepresentatives: []onboarding.Representative{
			{FirstName: "First", LastName: "Owner", Email: "first@plumbing.example.com", PhoneNumber: "+13125550123", BusinessTitle: "Owner", JobPosition: "CEO"},
			{FirstName: "Second", LastName: "Owner", Email: "second@plumbing.example.com", PhoneNumber: "+13125550124", BusinessTitle: "Owner", JobPosition: "CFO"},
		},
		PhoneNumbers: numbers,
	}
}
