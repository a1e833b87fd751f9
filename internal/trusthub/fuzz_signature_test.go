package trusthub

import (
	"net/url"
	"testing"
)

// FuzzSignature: a signature that neither account made is nobody's, whatever the callback.
func FuzzSignature(f *testing.F) {
	f.Add("", callbackURL, formType, []byte(callbackForm.Encode()))
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAA=", callbackURL, formType, []byte(callbackForm.Encode()))
	f.Add(sign("another", callbackURL, callbackForm), callbackURL, formType, []byte(callbackForm.Encode()))
	f.Add(sign("", callbackURL, callbackForm), callbackURL, formType, []byte(callbackForm.Encode()))
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAA=", callbackURL+"?bodySHA256=", "application/json", []byte("{}"))
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "https://[::1", "a/b; c", []byte("%zz=&;"))
	f.Fuzz(func(t *testing.T, signature, callback, contentType string, body []byte) {
		c := connect(t, answering(always(500, "")), "")
		got, err := c.SignedBy(t.Context(), subSID, signature, callback, contentType, body)
		if got != "" || err != nil {
			t.Errorf("SignedBy(%q, %q, %q, %q) = %q, %v", signature, callback, contentType, body, got, err)
		}
	})
}

// FuzzSignedForm: a form that Twilio signed counts as Twilio's, whatever is in it; and no longer
// once a field was added, or under another URL.
func FuzzSignedForm(f *testing.F) {
	f.Add("Status", "twilio-approved", "BundleSid", profileSID)
	f.Add("", "", "=", "&")
	f.Add("a;b", "%00", "ü", "+ \n")
	f.Fuzz(func(t *testing.T, key, value, otherKey, otherValue string) {
		const added = "Added"
		if key == added || otherKey == added {
			return
		}
		form := url.Values{}
		form.Set(key, value)
		form.Set(otherKey, otherValue)
		signature := sign(subToken, callbackURL, form)
		c := connect(t, answering(always(500, "")), "")
		signedBy := func(callback string, form url.Values) string {
			t.Helper()
			got, err := c.SignedBy(t.Context(), subSID, signature, callback, formType, []byte(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if got := signedBy(callbackURL, form); got != subSID {
			t.Errorf("the form %q that the subaccount signed counts as %q's", form, got)
		}
		if got := signedBy(callbackURL+"2", form); got != "" {
			t.Errorf("the form %q under another URL counts as %q's", form, got)
		}
		form.Set(added, "1")
		if got := signedBy(callbackURL, form); got != "" {
			t.Errorf("the form %q that was added to counts as %q's", form, got)
		}
	})
}
