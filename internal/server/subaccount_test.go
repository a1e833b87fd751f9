package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
)

// subaccount is the account of a customer at the simulated Twilio.
type subaccount struct {
	sid     string
	numbers []string // PN…
	e164    []string
}

// request is a request that Twilio accepts, with these changes.
func (s subaccount) request(changes map[string]any) map[string]any {
	body := map[string]any{
		"subaccount_sid":     s.sid,
		"notification_email": "trust@isv.example",
		"business": map[string]any{
			"business_name": "Example Plumbing LLC", "business_identity": "direct_customer", "business_type": "Limited Liability Corporation",
			"business_industry": "CONSTRUCTION", "business_registration_identifier": "EIN", "business_registration_number": "12-3456789",
			"business_regions_of_operation": "USA_AND_CANADA", "website_url": "https://plumbing.example.com",
		},
		"address": map[string]any{
			"customer_name": "Example Plumbing LLC", "street": "233 S Wacker Dr", "city": "Chicago", "region": "IL", "postal_code": "60606", "iso_country": "US",
		},
		"authorized_representatives": []any{representative("first")},
		"phone_numbers":              s.numbers,
	}
	for name, value := range changes {
		body[name] = value
	}
	return body
}

func representative(name string) map[string]any {
	return map[string]any{
		"first_name": name, "last_name": "Owner", "email": name + "@plumbing.example.com", "phone_number": "+13125550123",
		"business_title": "Owner", "job_position": "CEO",
	}
}

var nextNumber = struct {
	sync.Mutex
	n int
}{}

// subaccount makes an account under the parent and buys it numbers.
func (c *console) subaccount(numbers int) subaccount {
	c.t.Helper()
	s, err := c.newSubaccount(numbers)
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

// newSubaccount is subaccount for any goroutine.
func (c *console) newSubaccount(numbers int) (subaccount, error) {
	var account struct{ SID string }
	err := c.postToTwilio("/2010-04-01/Accounts.json", url.Values{"FriendlyName": {"Example Plumbing LLC"}}, &account)
	s := subaccount{sid: account.SID}
	for i := 0; i < numbers && err == nil; i++ {
		var sid, number string
		sid, number, err = c.newNumber(s.sid)
		s.numbers, s.e164 = append(s.numbers, sid), append(s.e164, number)
	}
	return s, err
}

func (c *console) newNumber(account string) (sid, number string, err error) {
	nextNumber.Lock()
	nextNumber.n++
	number = fmt.Sprintf("+1312555%04d", nextNumber.n)
	nextNumber.Unlock()
	var bought struct{ SID string }
	err = c.postToTwilio("/2010-04-01/Accounts/"+account+"/IncomingPhoneNumbers.json", url.Values{"PhoneNumber": {number}}, &bought)
	return bought.SID, number, err
}

// buy gives the subaccount one more number.
func (c *console) buy(s subaccount) (sid, number string) {
	c.t.Helper()
	sid, number, err := c.newNumber(s.sid)
	if err != nil {
		c.t.Fatal(err)
	}
	return sid, number
}

// release gives a number back to Twilio.
func (c *console) release(s subaccount, number string) {
	c.t.Helper()
	c.as(s, http.MethodDelete, "/2010-04-01/Accounts/"+s.sid+"/IncomingPhoneNumbers/"+number+".json", nil)
}

// newAddress makes an address, which a request may name.
func (c *console) newAddress(account string) (sid string, err error) {
	var address struct{ SID string }
	err = c.postToTwilio("/2010-04-01/Accounts/"+account+"/Addresses.json", url.Values{
		"CustomerName": {"Example Plumbing LLC"}, "Street": {"233 S Wacker Dr"}, "City": {"Chicago"}, "Region": {"IL"}, "PostalCode": {"60606"}, "IsoCountry": {"US"},
	}, &address)
	return address.SID, err
}
