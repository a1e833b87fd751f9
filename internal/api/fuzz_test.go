package api

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever is posted, the answer is one of the contract, and only what passes every rule reaches
// the service.
func FuzzCreateBody(f *testing.F) {
	valid, err := json.Marshal(validBody())
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(valid), "{}", "[]", `{"phone_numbers":[1,null,"x","x"]}`, `{"address":{"sid":"","city":null}}`, `{"business":{"website_url":"http://[::1"}}`, "\xff", `{"a":{"b":`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b := setup(t)
		r := b.request(http.MethodPost, "/onboardings", nil)
		r.Header.Set("Content-Type", "application/json")
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		a := b.do(r)
		switch a.status {
		case http.StatusAccepted:
			if len(b.service.requests) != 1 {
				t.Error("accepted, and the service was not asked")
			}
		case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
			if len(b.service.requests) != 0 {
				t.Error("refused, and the service was asked")
			}
		default:
			t.Errorf("status %d: %s", a.status, a.body)
		}
	})
}

// Whatever a correction says, the answer is one of the contract, and what reaches the service
// passes every rule: as a new request it would be accepted without a change.
func FuzzCorrectionBody(f *testing.F) {
	for _, seed := range []string{"{}", "[]", "null", "1e999", `{"business":null}`, `{"business":{"business_registration_number":"98-7654321"}}`, `{"address":{"sid":"AD0123456789abcdef0123456789abcdef","street":null}}`, `{"phone_numbers":[null,{"a":1e999}]}`, "\xff", `{"a":{"b":`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b := setup(t)
		b.service.byID[testID] = approvedOnboarding()
		r := b.patchRequest(`"1"`, nil)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		a := b.do(r)
		switch a.status {
		case http.StatusAccepted:
			again := b.call(http.MethodPost, "/onboardings", requestJSON(b.service.requests[0]))
			if again.status != http.StatusAccepted {
				t.Fatalf("what was accepted as a correction is refused as a request: %s", again.body)
			}
			if diff := cmp.Diff(b.service.requests[0], b.service.requests[1]); diff != "" {
				t.Errorf("what was accepted as a correction is another request (-correction +request):\n%s", diff)
			}
		case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
			if len(b.service.requests) != 0 {
				t.Error("refused, and the service was asked")
			}
		default:
			t.Errorf("status %d: %s", a.status, a.body)
		}
	})
}

// A cursor that is accepted is one that we would write.
func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add("AQAAAAAAAAAA")
	f.Add("ARiIPDoLGSQAb25iXzAxODkwYTVkLWFjOTYtNzc0Yi1iY2NlLWIzMDIwOTlhODA1Nw")
	f.Fuzz(func(t *testing.T, s string) {
		c, ok := decodeCursor(s)
		if ok && encodeCursor(c) != s {
			t.Errorf("%q is taken for %v, which is written %q", s, c, encodeCursor(c))
		}
	})
}

// Whatever a callback says, it claims a well-formed bundle or none, and a well-formed status or
// none.
func FuzzCallbackBody(f *testing.F) {
	f.Add(formType, []byte("BundleSid=BU0123456789abcdef0123456789abcdef&Status=twilio-approved"))
	f.Add("application/json", []byte(`{"customerProfileSid":"BU0123456789abcdef0123456789abcdef","STATUS":"draft"}`))
	f.Add("application/json", []byte(`{"Status":{}}`))
	f.Add("", []byte("%"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		bundleSID, status := callbackClaims(contentType, body)
		if bundleSID != "" && (!isSID("BU", bundleSID) || bundleSID != lowerSID(bundleSID)) {
			t.Errorf("bundle %q", bundleSID)
		}
		if status != "" && !callbackStatusForm.MatchString(status) {
			t.Errorf("status %q", status)
		}
		if again, statusAgain := callbackClaims(contentType, body); again != bundleSID || statusAgain != status {
			t.Error("the same body says something else the second time")
		}
	})
}
