package trusthub

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

// oddAnswers are answers that Twilio and the proxies before it give, or that its specification
// allows.
var oddAnswers = []string{
	``, `{}`, `[]`, `null`, `<html>502 Bad Gateway</html>`,
	`{"code": 20429, "message": "Too Many Requests", "status": 429}`,
	`{"code": 20409, "message": "IT already assigned to BU0000000000000000000000000000000c"}`,
	`{"sid": "BU0000000000000000000000000000000b", "status": "draft", "valid_until": null,
		"errors": [{"code": 18601}], "date_created": "2019-07-30T22:29:24Z"}`,
	`{"sid": "EL00", "status": "noncompliant", "results": [{"passed": false, "error_code": 22214,
		"invalid": [{"object_field": "business_name", "error_code": 22215}]}]}`,
	`{"results": [{"sid": "IT00", "friendly_name": "tag", "attributes": {"first_name": "x"}}],
		"meta": {"page": 0, "next_page_url": null}}`,
	`{"results": [], "meta": {"next_page_url": "https://trusthub.twilio.com/v1/EndUsers?Page=1&PageToken=x"}}`,
	`{"incoming_phone_numbers": [{"sid": "PN00", "phone_number": "+15005550100"}],
		"next_page_uri": "/2010-04-01/Accounts/AC/IncomingPhoneNumbers.json?Page=1"}`,
}

// answered returns a client whose every request gets that answer, and which may call no host but
// Twilio's. A client is good for one call: after some answers it would not send the next.
func answered(t *testing.T, status int, body string) *Client {
	t.Helper()
	c, err := New(Config{
		AccountSID: parentSID, AuthToken: parentToken,
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if u := r.URL.Scheme + "://" + r.URL.Host; u != DefaultTrustHubURL && u != DefaultAPIURL {
				t.Errorf("a request to %s", r.URL)
			}
			return (&twilio{Handler: always(status, body)}).RoundTrip(r)
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{
		"", "0", "7", "-1", "1e9", "99999999999999999999", "Wed, 21 Oct 2026 07:28:00 GMT", "soon",
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		wait, named := retryAfter(http.Header{"Retry-After": {value}}, time.Unix(0, 0))
		if wait < 0 || wait > maxRetryAfter || wait > 0 && !named {
			t.Errorf("retryAfter(%q) = %v, %v", value, wait, named)
		}
	})
}

// FuzzNextPage: a link is followed to the host that it came from, or not at all.
func FuzzNextPage(f *testing.F) {
	for _, link := range []string{
		"/v1/EndUsers?Page=1", "https://trusthub.twilio.com/v1/EndUsers", "//evil.example.com",
		"https://trusthub.twilio.com:443/", "https:x", `\\evil`, "https://a@trusthub.twilio.com",
	} {
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
