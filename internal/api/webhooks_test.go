package api

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/onboarding"
)

const formType = "application/x-www-form-urlencoded"

func callbackRequest(path, contentType, body, signature string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	if signature != "" {
		r.Header.Set("X-Twilio-Signature", signature)
	}
	return r
}

func TestACallbackIsKeptAsItCame(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const body = "AccountSid=" + testSubaccount + "&BundleSid=BU0123456789abcdef0123456789abcdef&Status=twilio-approved"
	r := callbackRequest("/webhooks/twilio/"+testToken, formType, body, "good")
	r.Header.Set("I-Twilio-Idempotency-Token", "3f1c9a6e")

	a := b.do(r)

	if a.status != http.StatusNoContent || len(a.body) != 0 {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	want := []onboarding.Callback{{
		OnboardingID: testID, IdempotencyToken: "3f1c9a6e", SignedBy: testSubaccount, ContentType: formType, Body: []byte(body),
		BundleSID: "BU0123456789abcdef0123456789abcdef", Status: "twilio-approved",
	}}
	if diff := cmp.Diff(want, b.service.callbacks); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhoMayCallBack(t *testing.T) {
	t.Parallel()
	away := errors.New("twilio is away")
	for name, test := range map[string]struct {
		auth             CallbackAuth
		token, signature string
		verifier         error
		want             int
		signedBy         string
	}{
		"signature: signed":               {CallbackSignature, testToken, "good", nil, 204, testSubaccount},
		"signature: unsigned":             {CallbackSignature, testToken, "", nil, 403, ""},
		"signature: wrong":                {CallbackSignature, testToken, "bad", nil, 403, ""},
		"signature: cannot be checked":    {CallbackSignature, testToken, "good", away, 503, ""},
		"signature: wrong token":          {CallbackSignature, "another", "good", nil, 403, ""},
		"signature: malformed token":      {CallbackSignature, "%00", "good", nil, 403, ""},
		"it is the default":               {"", testToken, "", nil, 403, ""},
		"token: signed":                   {CallbackToken, testToken, "good", nil, 204, testSubaccount},
		"token: unsigned":                 {CallbackToken, testToken, "", nil, 204, ""},
		"token: wrong signature":          {CallbackToken, testToken, "bad", nil, 403, ""},
		"token: cannot be checked":        {CallbackToken, testToken, "good", away, 204, ""},
		"token: wrong token":              {CallbackToken, "another", "", nil, 403, ""},
		"token: wrong token, well signed": {CallbackToken, "another", "good", nil, 403, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(c *Config) { c.CallbackAuth = test.auth })
			b.verifier.err = test.verifier
			a := b.do(callbackRequest("/webhooks/twilio/"+test.token, formType, "Status=twilio-approved", test.signature))
			if a.status != test.want {
				t.Fatalf("status %d, want %d: %s", a.status, test.want, a.body)
			}
			if test.want != http.StatusNoContent {
				if len(b.service.callbacks) != 0 {
					t.Error("a refused callback was kept")
				}
				return
			}
			if len(b.service.callbacks) != 1 || b.service.callbacks[0].SignedBy != test.signedBy {
				t.Errorf("callbacks %+v, want one signed by %q", b.service.callbacks, test.signedBy)
			}
		})
	}
}

// The answers to a wrong token and to a wrong signature are the same.
func TestARefusedCallbackLearnsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var answers []Problem
	for _, token := range []string{testToken, "another"} {
		r := callbackRequest("/webhooks/twilio/"+token, formType, "", "bad")
		r.Header.Set("X-Request-Id", "same")
		answers = append(answers, b.do(r).problem(t))
	}
	if diff := cmp.Diff(answers[0], answers[1]); diff != "" {
		t.Error(diff)
	}
}

// Behind a proxy that ends TLS, host and scheme of the request are not those that Twilio called.
func TestTheSignedURLIsThePublicOne(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ public, called, want string }{
		"path":            {testPublicURL, "http://10.0.0.7:8080/webhooks/twilio/" + testToken, testPublicURL + "/webhooks/twilio/" + testToken},
		"query":           {testPublicURL, "/webhooks/twilio/" + testToken + "?bodySHA256=ab%20c&x", testPublicURL + "/webhooks/twilio/" + testToken + "?bodySHA256=ab%20c&x"},
		"empty query":     {testPublicURL, "/webhooks/twilio/" + testToken + "?", testPublicURL + "/webhooks/twilio/" + testToken + "?"},
		"slash at end":    {testPublicURL + "/", "/webhooks/twilio/" + testToken, testPublicURL + "/webhooks/twilio/" + testToken},
		"under a prefix":  {testPublicURL + "/attestd", "/webhooks/twilio/" + testToken, testPublicURL + "/attestd/webhooks/twilio/" + testToken},
		"as it is made":   {testPublicURL, "/webhooks/twilio/" + testToken, CallbackURL(testPublicURL, testToken)},
		"made with slash": {testPublicURL, "/webhooks/twilio/" + testToken, CallbackURL(testPublicURL+"/", testToken)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(c *Config) { c.PublicURL = test.public })
			if a := b.do(callbackRequest(test.called, formType, "", "good")); a.status != http.StatusNoContent {
				t.Fatalf("status %d", a.status)
			}
			if got := b.verifier.urls; !slices.Equal(got, []string{test.want}) {
				t.Errorf("asked about %v, want %s", got, test.want)
			}
		})
	}
}

func TestALargeCallbackIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for length, want := range map[int]int{maxCallback: http.StatusNoContent, maxCallback + 1: http.StatusRequestEntityTooLarge} {
		if a := b.do(callbackRequest("/webhooks/twilio/"+testToken, formType, strings.Repeat("x", length), "good")); a.status != want {
			t.Errorf("%d bytes: status %d, want %d", length, a.status, want)
		}
	}
	if a := b.do(callbackRequest("/webhooks/twilio/another", formType, strings.Repeat("x", maxCallback+1), "good")); a.status != http.StatusForbidden {
		t.Errorf("under a wrong token: status %d", a.status)
	}
}

func TestACallbackThatCannotBeKeptIsAnsweredWithAnError(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.service.err = errors.New("connection refused")
	if a := b.do(callbackRequest("/webhooks/twilio/"+testToken, formType, "", "good")); a.status != http.StatusInternalServerError {
		t.Errorf("status %d", a.status)
	}
}

func TestHeadersThatTwilioWouldNotSendAreNotKept(t *testing.T) {
	t.Parallel()
	for _, strange := range []string{strings.Repeat("x", 129), "\xff", "a\tb"} {
		b := setup(t)
		r := callbackRequest("/webhooks/twilio/"+testToken, strange, "", "good")
		r.Header.Set("I-Twilio-Idempotency-Token", strange)
		b.do(r)
		if got := b.service.callbacks[0]; got.IdempotencyToken != "" || got.ContentType != "" {
			t.Errorf("%q: kept %q and %q", strange, got.IdempotencyToken, got.ContentType)
		}
	}
}

func TestWhatACallbackClaims(t *testing.T) {
	t.Parallel()
	const bundle, lower = "BU0123456789ABCDEF0123456789abcdef", "BU0123456789abcdef0123456789abcdef"
	for name, test := range map[string]struct{ contentType, body, bundleSID, status string }{
		"form":                          {formType, "BundleSid=" + bundle + "&Status=twilio-approved", lower, "twilio-approved"},
		"form with a charset":           {formType + "; charset=UTF-8", "BundleSid=" + bundle + "&Status=in-review", lower, "in-review"},
		"names of the regulatory API":   {formType, "AccountSID=" + testSubaccount + "&BundleSID=" + bundle + "&Status=TWILIO-REJECTED", lower, "twilio-rejected"},
		"customer profile":              {formType, "CustomerProfileSid=" + bundle, lower, ""},
		"trust product":                 {formType, "trustproductsid=" + bundle, lower, ""},
		"plain sid":                     {formType, "SID=" + bundle, lower, ""},
		"another sid beside it":         {formType, "Sid=EV0123456789abcdef0123456789abcdef&BundleSid=" + bundle, lower, ""},
		"the bundle before the sid":     {formType, "Sid=BU00000000000000000000000000000009&BundleSid=" + bundle, lower, ""},
		"JSON":                          {"application/json", `{"bundleSid": "` + bundle + `", "status": "twilio-approved", "extra": {"a": [1]}}`, lower, "twilio-approved"},
		"JSON with another type":        {"application/json", `{"BundleSid": 5, "Status": null}`, "", ""},
		"JSON array":                    {"application/json", `[{"Status": "twilio-approved"}]`, "", ""},
		"broken JSON":                   {"application/json", `{"Status": "twilio-app`, "", ""},
		"broken form, readable in part": {formType, "Status=twilio-approved&x=%zz", "", "twilio-approved"},
		"another media type":            {"text/plain", "Status=twilio-approved", "", ""},
		"no media type":                 {"", "Status=twilio-approved", "", ""},
		"nothing":                       {formType, "", "", ""},
		"no status at all":              {formType, "Status=" + strings.Repeat("x", 65), "", ""},
		"no bundle at all":              {formType, "BundleSid=BU12", "", ""},
		"the same name twice":           {formType, "status=draft&STATUS=twilio-approved", "", "twilio-approved"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bundleSID, status := callbackClaims(test.contentType, []byte(test.body))
			if bundleSID != test.bundleSID || status != test.status {
				t.Errorf("got %q %q, want %q %q", bundleSID, status, test.bundleSID, test.status)
			}
		})
	}
}

func TestCallbackAuth(t *testing.T) {
	t.Parallel()
	for auth, want := range map[CallbackAuth]bool{CallbackSignature: true, CallbackToken: true, "": false, "none": false} {
		if auth.Valid() != want {
			t.Errorf("%q valid: %v", auth, !want)
		}
	}
}
