package trusthub

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

// FuzzResources: a call that makes, changes or reads one thing returns it with a SID, or fails; a failure after a POST that was answered
// with success is of unknown outcome, so that it is looked up and not made again.
func FuzzResources(f *testing.F) {
	for _, body := range slices.Concat(answers, lists) {
		f.Add(http.StatusCreated, body)
	}
	f.Add(http.StatusOK, `{"sid": "BU01", "status": "PENDING_REVIEW", "errors": [18601, "x", {"error_code": "18602", "extra": {}}, null, [1]]}`)
	f.Add(http.StatusOK, `{"sid": "EL01", "status": "noncompliant", "results": {"invalid": [{"object_field": 7}], "passed": null}}`)
	f.Add(http.StatusOK, `{"sid": "IT01", "type": "t", "attributes": {"a": "x", "b": 7, "c": null, "d": ["y"], "address_sids": "AD01,AD02"}}`)
	f.Add(http.StatusOK, `{"sid": "RD01", "type": "t", "attributes": {"address_sids": ["AD01", "AD02", null]}}`)
	f.Add(http.StatusConflict, `{"code": 70003, "message": "already assigned to BU0000000000000000000000000000000b"}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			t.Skip()
		}
		c, err := New(Config{AccountSID: parentSID, AuthToken: parentToken, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			return (&twilio{Handler: always(status, body)}).RoundTrip(r)
		})})
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		check := func(what, sid string, post bool, err error) {
			t.Helper()
			var remote *onboarding.RemoteError
			switch {
			case err == nil && (sid == "" || status > 299):
				t.Errorf("%s: status %d and %q are no error, the SID is %q", what, status, body, sid)
			case err != nil && !errors.As(err, &remote):
				t.Errorf("%s: error is %#v", what, err)
			case err != nil && post && status < 300 && remote.Class != onboarding.ClassUnknown:
				t.Errorf("%s: status %d and %q are %q, but the work may be done", what, status, body, remote.Class)
			}
		}
		for _, kind := range []onboarding.BundleKind{onboarding.CustomerProfile, onboarding.TrustProduct} {
			made, err := c.CreateBundle(ctx, parentSID, onboarding.NewBundle{Kind: kind, FriendlyName: "tag", PolicySID: policySID})
			check("create a bundle", made.SID, true, err)
			submitted, err := c.SubmitBundle(ctx, parentSID, kind, profileSID)
			check("submit a bundle", submitted.SID, true, err)
			entity, err := c.AssignEntity(ctx, parentSID, kind, profileSID, endUserSID)
			check("assign an object", entity.SID, true, err)
			number, err := c.AssignNumber(ctx, parentSID, kind, profileSID, numberSID)
			check("assign a number", number.SID, true, err)
			evaluated, err := c.Evaluate(ctx, parentSID, kind, profileSID, policySID)
			check("evaluate", evaluated.SID, true, err)
			read, err := c.FetchBundle(ctx, parentSID, kind, profileSID)
			check("read a bundle", read.SID, false, err)
		}
		user, err := c.CreateEndUser(ctx, parentSID, onboarding.EndUser{FriendlyName: "tag", Type: "t"})
		check("create an end user", user.SID, true, err)
		document, err := c.CreateSupportingDocument(ctx, parentSID, "tag", "AD01")
		check("create a document", document.SID, true, err)
		subaccount, err := c.CreateSubaccount(ctx, "tag")
		check("create a subaccount", subaccount.SID, true, err)
		renamed, err := c.RenameSubaccount(ctx, subSID, "tag")
		check("rename a subaccount", renamed.SID, true, err)
		heldUser, err := c.FetchEndUser(ctx, parentSID, endUserSID)
		check("read an end user", heldUser.SID, false, err)
		heldDocument, err := c.FetchSupportingDocument(ctx, parentSID, "RD01")
		check("read a document", heldDocument.SID, false, err)
		address, err := c.CreateAddress(ctx, parentSID, "tag", onboarding.Address{})
		check("create an address", address.SID, true, err)
		given, err := c.FetchAddress(ctx, parentSID, "AD01")
		check("read an address", given.SID, false, err)
	})
}
