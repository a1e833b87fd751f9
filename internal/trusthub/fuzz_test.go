package trusthub

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// answers are what Twilio and those in between have been seen, or specified, to say.
var answers = []string{
	``, `{}`, `[]`, `null`, `<html>502 Bad Gateway</html>`, `{"code": 20429, "message": "Too Many Requests", "status": 429}`,
	`{"sid": "BU0000000000000000000000000000000b", "status": "draft", "valid_until": null, "errors": [{"code": 18601}], "date_created": "2019-07-30T22:29:24Z"}`,
	`{"sid": "EL00", "status": "noncompliant", "results": [{"passed": false, "error_code": 22214, "invalid": [{"object_field": "business_name", "error_code": 22215}]}]}`,
	`{"results": [{"sid": "IT00", "friendly_name": "tag", "attributes": {"first_name": "x"}}], "meta": {"page": 0, "next_page_url": null}}`,
	`{"results": [], "meta": {"next_page_url": "https://trusthub.twilio.com/v1/EndUsers?Page=1&PageToken=x"}}`,
	`{"incoming_phone_numbers": [{"sid": "PN00", "phone_number": "+15005550100"}], "next_page_uri": "/2010-04-01/Accounts/AC/IncomingPhoneNumbers.json?Page=1"}`,
	`{"code": 20409, "message": "IT already assigned to BU0000000000000000000000000000000c"}`,
}

// FuzzAnswers: whatever the status and the body, a method returns a result or a *RemoteError of a known class, asks only the host it knows,
// and never takes a list it cannot read for an empty one.
func FuzzAnswers(f *testing.F) {
	for _, body := range answers {
		for _, status := range []int{200, 201, 204, 307, 400, 401, 409, 422, 429, 500, 503} {
			f.Add(status, body)
		}
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			t.Skip()
		}
		c, err := New(Config{AccountSID: parentSID, AuthToken: parentToken, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host != "trusthub.twilio.com" && r.URL.Host != "api.twilio.com" || r.URL.Scheme != "https" {
				t.Errorf("a request to %s", r.URL)
			}
			return (&twilio{Handler: always(status, body)}).RoundTrip(r)
		})})
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		_, e1 := c.FetchBundle(ctx, parentSID, onboarding.CustomerProfile, profileSID)
		_, e2 := c.Evaluate(ctx, parentSID, onboarding.TrustProduct, profileSID, policySID)
		_, e3 := c.FindEndUsers(ctx, parentSID, "tag", "t")
		_, e4 := c.FindPhoneNumbers(ctx, parentSID, []string{numberSID, "+15005550100"})
		_, e5 := c.AssignNumber(ctx, parentSID, onboarding.CustomerProfile, profileSID, numberSID)
		_, e6 := c.FetchAccount(ctx, subSID)
		e7 := c.DeleteBundle(ctx, parentSID, onboarding.TrustProduct, profileSID)
		for _, err := range []error{e1, e2, e3, e4, e5, e6, e7} {
			if err == nil {
				if status > 299 && status != http.StatusNotFound {
					t.Errorf("status %d is no error", status)
				}
				continue
			}
			var remote *onboarding.RemoteError
			if !errors.As(err, &remote) || remote.Class < onboarding.ClassRepeatable || remote.Class > onboarding.ClassCredentials {
				t.Errorf("error is %#v", err)
			}
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{"", "0", "7", "-1", "1e9", "99999999999999999999", "Wed, 21 Oct 2026 07:28:00 GMT", "soon"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		wait, named := retryAfter(http.Header{"Retry-After": {value}}, time.Unix(0, 0))
		if wait < 0 || wait > maxRetryAfter || wait > 0 && !named {
			t.Errorf("retryAfter(%q) = %v, %v", value, wait, named)
		}
	})
}

// FuzzNextPage: a link is followed to the host it was found on or not at all.
func FuzzNextPage(f *testing.F) {
	for _, link := range []string{"/v1/EndUsers?Page=1", "https://trusthub.twilio.com/v1/EndUsers", "//evil.example.com", "https://trusthub.twilio.com:443/", "https:x", `\\evil`, "https://a@trusthub.twilio.com"} {
		f.Add(link)
	}
	from, err := url.Parse("https://trusthub.twilio.com/v1/EndUsers?PageSize=1000")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, link string) {
		to, ok := sameOrigin(from, link)
		if ok && (to.Host != from.Host || to.Scheme != from.Scheme || to.User != nil) {
			t.Errorf("sameOrigin(%q) = %s", link, to)
		}
	})
}
