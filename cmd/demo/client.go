package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// customer is a subaccount at Twilio.
type customer struct {
	sid     string
	numbers []string
}

// makeSubaccount makes a subaccount with numbers, by the API of the simulated Twilio.
func (w *world) makeSubaccount(ctx context.Context, name string, numbers int) (customer, error) {
	var account struct{ SID string }
	if err := w.twilioPost(ctx, "/2010-04-01/Accounts.json", url.Values{"FriendlyName": {name}}, &account); err != nil {
		return customer{}, err
	}
	c := customer{sid: account.SID}
	_, err := w.buyNumbers(ctx, &c, numbers)
	return c, err
}

// buyNumbers buys the customer more numbers, 555-0100 first, and returns those that were bought.
func (w *world) buyNumbers(ctx context.Context, c *customer, count int) (bought []string, err error) {
	for range count {
		var number struct {
			PhoneNumber string `json:"phone_number"`
		}
		form := url.Values{"PhoneNumber": {fmt.Sprintf("+1312555%04d", 100+len(c.numbers))}}
		if err := w.twilioPost(ctx, "/2010-04-01/Accounts/"+c.sid+"/IncomingPhoneNumbers.json", form, &number); err != nil {
			return bought, err
		}
		c.numbers = append(c.numbers, number.PhoneNumber)
		bought = append(bought, number.PhoneNumber)
	}
	return bought, nil
}

func (w *world) twilioPost(ctx context.Context, path string, form url.Values, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.TwilioURL+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.SetBasicAuth(trusthubsim.DefaultAccountSID, trusthubsim.DefaultAuthToken)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, err := send(request, into)
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("POST %s answered %d", path, status)
	}
	return err
}

// onboardingView has the members of an onboarding that the demo shows.
type onboardingView struct {
	ID              string
	Status          string
	CustomerProfile bundleView `json:"customer_profile"`
	TrustProduct    bundleView `json:"trust_product"`
	Attestation     string
	Version         int
	PhoneNumbers    []numberView `json:"phone_numbers"`
	Requirements    []struct{ Pointer, Code, Message string }
	Steps           []stepView
}

type numberView struct {
	SID         string
	PhoneNumber string `json:"phone_number"`
	OnProfile   string `json:"customer_profile_assignment_sid"`
	OnProduct   string `json:"trust_product_assignment_sid"`
}

type bundleView struct{ SID, Status string }

type stepView struct {
	Key      string
	Kind     string
	Bundle   string
	Status   string
	SID      string
	Attempts int
}

func (o onboardingView) succeeded() int {
	n := 0
	for _, s := range o.Steps {
		if s.Status == "succeeded" {
			n++
		}
	}
	return n
}

// post asks for the onboarding: the one request of the backend of an ISV. differing is where the
// business differs from one in order.
func (w *world) post(ctx context.Context, c customer, differing map[string]any) (onboardingView, error) {
	business := map[string]any{
		"business_name":                    "Example Plumbing LLC",
		"business_identity":                "direct_customer",
		"business_type":                    "Limited Liability Corporation",
		"business_industry":                "CONSTRUCTION",
		"business_registration_identifier": "EIN",
		"business_registration_number":     "12-3456789",
		"business_regions_of_operation":    "USA_AND_CANADA",
		"website_url":                      "https://plumbing.example.com",
	}
	maps.Copy(business, differing)
	body := map[string]any{
		"subaccount_sid":     c.sid,
		"external_id":        "customer-1",
		"notification_email": "trust@isv.example",
		"business":           business,
		"address": map[string]any{
			"customer_name": "Example Plumbing LLC",
			"street":        "233 S Wacker Dr",
			"city":          "Chicago",
			"region":        "IL",
			"postal_code":   "60606",
			"iso_country":   "US",
		},
		"authorized_representatives": []map[string]any{
			representative("First", "Owner", "CEO", "+13125550123"),
			representative("Second", "Owner", "CFO", "+13125550124"),
		},
		"phone_numbers": c.numbers,
	}
	var o onboardingView
	status, err := w.call(ctx, http.MethodPost, "/onboardings", body, &o)
	if err == nil && status != http.StatusAccepted {
		err = fmt.Errorf("POST /onboardings answered %d", status)
	}
	return o, err
}

func representative(first, last, position, phone string) map[string]any {
	return map[string]any{
		"first_name": first, "last_name": last, "email": strings.ToLower(first) + "@plumbing.example.com",
		"phone_number": phone, "business_title": "Owner", "job_position": position,
	}
}

func (w *world) get(ctx context.Context, id string) (onboardingView, error) {
	var o onboardingView
	status, err := w.call(ctx, http.MethodGet, "/onboardings/"+id, nil, &o)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("GET /onboardings/%s answered %d", id, status)
	}
	return o, err
}

// addNumbers asks for numbers to be put on both bundles, removeNumber for one to be taken off.
func (w *world) addNumbers(ctx context.Context, id string, numbers []string) error {
	return w.accepted(ctx, http.MethodPost, "/onboardings/"+id+"/phone-numbers", map[string]any{"phone_numbers": numbers})
}

func (w *world) removeNumber(ctx context.Context, id, sid string) error {
	return w.accepted(ctx, http.MethodDelete, "/onboardings/"+id+"/phone-numbers/"+sid, nil)
}

// accepted makes a request that must be answered by 202.
func (w *world) accepted(ctx context.Context, method, path string, body any) error {
	var answer onboardingView
	status, err := w.call(ctx, method, path, body, &answer)
	if err == nil && status != http.StatusAccepted {
		err = fmt.Errorf("%s %s answered %d", method, path, status)
	}
	return err
}

// patch corrects the version of the onboarding that was read.
func (w *world) patch(ctx context.Context, read onboardingView, change map[string]any) error {
	request, err := w.request(ctx, http.MethodPatch, "/onboardings/"+read.ID, change)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/merge-patch+json")
	request.Header.Set("If-Match", fmt.Sprintf(`"%d"`, read.Version))
	var corrected onboardingView
	_, err = send(request, &corrected)
	return err
}

func (w *world) call(ctx context.Context, method, path string, body, into any) (status int, err error) {
	request, err := w.request(ctx, method, path, body)
	if err != nil {
		return 0, err
	}
	return send(request, into)
}

// request is a request to the service, with a JSON body unless body is nil.
func (w *world) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, w.URL+path, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+w.Key)
	return request, nil
}

// send makes the request and decodes the answer, unless into is nil. The error of a failure has the
// whole answer.
func send(request *http.Request, into any) (status int, err error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || into == nil {
		return response.StatusCode, err
	}
	if response.StatusCode >= 300 {
		return response.StatusCode, fmt.Errorf("%s %s answered %d: %s", request.Method, request.URL.Path, response.StatusCode, body)
	}
	return response.StatusCode, json.Unmarshal(body, into)
}
