package simulator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Subaccount is a customer's account under the parent.
type Subaccount struct {
	SID, AuthToken string
	// Numbers are the SIDs of its phone numbers, in the order in which they were asked for.
	Numbers []string
}

// Subaccount makes a subaccount and puts phone numbers in E.164 format into its service. It returns
// Twilio's error for a number that is taken or is none.
func (s *Simulator) Subaccount(name string, numbers ...string) (Subaccount, error) {
	var made struct {
		SID       string `json:"sid"`
		AuthToken string `json:"auth_token"`
	}
	if err := s.post("/2010-04-01/Accounts.json", url.Values{"FriendlyName": {name}}, &made); err != nil {
		return Subaccount{}, err
	}
	account := Subaccount{SID: made.SID, AuthToken: made.AuthToken}
	for _, number := range numbers {
		var bought struct {
			SID string `json:"sid"`
		}
		path := "/2010-04-01/Accounts/" + account.SID + "/IncomingPhoneNumbers.json"
		if err := s.post(path, url.Values{"PhoneNumber": {number}}, &bought); err != nil {
			return account, err
		}
		account.Numbers = append(account.Numbers, bought.SID)
	}
	return account, nil
}

// post is a call of the parent's.
func (s *Simulator) post(path string, form url.Values, into any) error {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "https://api.twilio.com"+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.SetBasicAuth(s.AccountSID, s.AuthToken)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := s.Client().Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusCreated {
		return fmt.Errorf("POST %s is answered %s: %s", path, response.Status, body)
	}
	return json.Unmarshal(body, into)
}
