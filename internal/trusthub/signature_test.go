package trusthub

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

const (
	callbackURL = "https://attestd.example.com/webhooks/twilio/token"
	formType    = "application/x-www-form-urlencoded; charset=UTF-8"
)

var callbackForm = url.Values{
	"AccountSid": {subSID}, "BundleSid": {profileSID},
	"Status": {"twilio-approved"}, "FailureReason": {""},
}

// sign is Twilio's signature (https://www.twilio.com/docs/usage/security): HMAC-SHA1 over the URL
// and the sorted form.
func sign(token, callback string, form url.Values) string {
	text := callback
	var keys []string
	for k := range form {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		text += k + form.Get(k)
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestACallbacksSignerIsNamed(t *testing.T) {
	t.Parallel()
	json := []byte(`{"Status": "twilio-approved"}`)
	jsonURL := callbackURL + "?bodySHA256=" + fmt.Sprintf("%x", sha256.Sum256(json))
	form := []byte(callbackForm.Encode())
	withPort := strings.Replace(callbackURL, ".com/", ".com:443/", 1)
	signed := sign(subToken, callbackURL, callbackForm)
	signedAlone := sign(subToken, callbackURL, nil)
	for _, c := range []struct {
		name, signature, url, contentType string
		body                              []byte
		want                              string
	}{
		{"the subaccount", signed, callbackURL, formType, form, subSID},
		{"the parent", sign(parentToken, callbackURL, callbackForm), callbackURL, formType, form, parentSID},
		{"a fragment is not signed", signed, callbackURL + "#rc=5&rp=all", formType, form, subSID},
		{"with the port", sign(subToken, withPort, callbackForm), callbackURL, formType, form, subSID},
		{"JSON", sign(subToken, jsonURL, nil), jsonURL, "application/json", json, subSID},
		{"no body", signedAlone, callbackURL, "", nil, subSID},

		{"another token", sign("another", callbackURL, callbackForm), callbackURL, formType, form, ""},
		{"another URL", signed, callbackURL + "2", formType, form, ""},
		{"another body", signed, callbackURL, formType, append([]byte("X=1&"), form...), ""},
		{"another JSON body", sign(subToken, jsonURL, nil), jsonURL, "application/json", []byte(`{}`), ""},
		{"unsigned JSON", signedAlone, callbackURL, "application/json", json, ""},
		{"a body of no type", signedAlone, callbackURL, "", json, ""},
		{"no signature", "", callbackURL, formType, form, ""},
		{"no base64", "!!!", callbackURL, formType, form, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client := connect(t, answering(always(500, "")), "")
			got, err := client.SignedBy(t.Context(), subSID, c.signature, c.url, c.contentType, c.body)
			if err != nil || got != c.want {
				t.Errorf("SignedBy: %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestTheParentsCallbacksAreSignedByTheParentOnly(t *testing.T) {
	t.Parallel()
	tw := answering(always(500, ""))
	c := connect(t, tw, "")
	form := []byte(callbackForm.Encode())
	for token, want := range map[string]string{parentToken: parentSID, "another": ""} {
		signature := sign(token, callbackURL, callbackForm)
		got, err := c.SignedBy(t.Context(), parentSID, signature, callbackURL, formType, form)
		if err != nil || got != want {
			t.Errorf("SignedBy: %q, %v; want %q", got, err, want)
		}
	}
	if seen := tw.seen(); len(seen) != 0 {
		t.Errorf("Twilio got %q", seen)
	}
}

func TestAForgerCannotMakeUsAskTwilioOften(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	tw := answering(always(500, ""))
	c := connect(t, tw, "", func(cfg *Config) { cfg.Now = func() time.Time { return now } })
	form := []byte(callbackForm.Encode())
	check := func(token, want string, fetches int) {
		t.Helper()
		signature := sign(token, callbackURL, callbackForm)
		got, err := c.SignedBy(t.Context(), subSID, signature, callbackURL, formType, form)
		if err != nil || got != want || tw.fetches != fetches {
			t.Errorf("SignedBy: %q, %v after %d fetches; want %q after %d", got, err, tw.fetches, want, fetches)
		}
	}
	// A callback of an account that Twilio does not know.
	unknown := sign("forged", callbackURL, callbackForm)
	c.SignedBy(t.Context(), otherAccount, unknown, callbackURL, formType, form)
	check("forged", "", 1)
	for range 100 {
		check("forged", "", 1)
	}
	check(subToken, subSID, 1)
	tw.token = "rotated"
	check("rotated", "", 1)
	now = now.Add(time.Minute)
	check("rotated", subSID, 2)
	check("rotated", subSID, 2)
	if len(c.tokens.checked) != 1 {
		t.Errorf("%d accounts are remembered", len(c.tokens.checked))
	}
}

func TestASignatureThatCannotBeCheckedIsAnError(t *testing.T) {
	t.Parallel()
	c := connect(t, &twilio{Handler: always(503, "")}, "")
	form := []byte(callbackForm.Encode())
	signature := sign(subToken, callbackURL, callbackForm)
	_, err := c.SignedBy(t.Context(), subSID, signature, callbackURL, formType, form)
	wantClass(t, err, onboarding.ClassRepeatable)
}
