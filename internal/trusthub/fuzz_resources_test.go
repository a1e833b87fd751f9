package trusthub

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

// resourceCall is a call about one resource. It returns the SID of its result.
type resourceCall struct {
	name string
	post bool
	call func(context.Context, *Client) (sid string, err error)
}

func bundleCalls(kind onboarding.BundleKind) []resourceCall {
	return []resourceCall{
		{"create a bundle", true, func(ctx context.Context, c *Client) (string, error) {
			b, err := c.CreateBundle(ctx, parentSID, onboarding.NewBundle{Kind: kind, FriendlyName: "tag"})
			return b.SID, err
		}},
		{"submit a bundle", true, func(ctx context.Context, c *Client) (string, error) {
			b, err := c.SubmitBundle(ctx, parentSID, kind, profileSID)
			return b.SID, err
		}},
		{"read a bundle", false, func(ctx context.Context, c *Client) (string, error) {
			b, err := c.FetchBundle(ctx, parentSID, kind, profileSID)
			return b.SID, err
		}},
		{"assign an object", true, func(ctx context.Context, c *Client) (string, error) {
			o, err := c.AssignEntity(ctx, parentSID, kind, profileSID, endUserSID)
			return o.SID, err
		}},
		{"assign a number", true, func(ctx context.Context, c *Client) (string, error) {
			o, err := c.AssignNumber(ctx, parentSID, kind, profileSID, numberSID)
			return o.SID, err
		}},
		{"evaluate a bundle", true, func(ctx context.Context, c *Client) (string, error) {
			e, err := c.Evaluate(ctx, parentSID, kind, profileSID, policySID)
			return e.SID, err
		}},
	}
}

var objectCalls = []resourceCall{
	{"create an end user", true, func(ctx context.Context, c *Client) (string, error) {
		o, err := c.CreateEndUser(ctx, parentSID, anEndUser)
		return o.SID, err
	}},
	{"update an end user", true, func(ctx context.Context, c *Client) (string, error) {
		o, err := c.UpdateEndUser(ctx, parentSID, endUserSID, anEndUser.Attributes)
		return o.SID, err
	}},
	{"read an end user", false, func(ctx context.Context, c *Client) (string, error) {
		u, err := c.FetchEndUser(ctx, parentSID, endUserSID)
		return u.SID, err
	}},
	{"create a document", true, func(ctx context.Context, c *Client) (string, error) {
		o, err := c.CreateSupportingDocument(ctx, parentSID, "tag", addressSID)
		return o.SID, err
	}},
	{"update a document", true, func(ctx context.Context, c *Client) (string, error) {
		o, err := c.UpdateSupportingDocument(ctx, parentSID, documentSID, addressSID)
		return o.SID, err
	}},
	{"read a document", false, func(ctx context.Context, c *Client) (string, error) {
		d, err := c.FetchSupportingDocument(ctx, parentSID, documentSID)
		return d.SID, err
	}},
	{"create an address", true, func(ctx context.Context, c *Client) (string, error) {
		o, err := c.CreateAddress(ctx, parentSID, "tag", onboarding.Address{})
		return o.SID, err
	}},
	{"update an address", true, func(ctx context.Context, c *Client) (string, error) {
		o, err := c.UpdateAddress(ctx, parentSID, addressSID, onboarding.Address{})
		return o.SID, err
	}},
	{"read an address", false, func(ctx context.Context, c *Client) (string, error) {
		o, err := c.FetchAddress(ctx, parentSID, addressSID)
		return o.SID, err
	}},
	{"create a subaccount", true, func(ctx context.Context, c *Client) (string, error) {
		a, err := c.CreateSubaccount(ctx, "tag")
		return a.SID, err
	}},
	{"rename a subaccount", true, func(ctx context.Context, c *Client) (string, error) {
		a, err := c.RenameSubaccount(ctx, subSID, "tag")
		return a.SID, err
	}},
	{"read an account", false, func(ctx context.Context, c *Client) (string, error) {
		a, err := c.FetchAccount(ctx, subSID)
		return a.SID, err
	}},
}

// FuzzResources: a call about one resource returns a SID, or fails. A failure after a POST that got
// a success has an unknown outcome, so that it is looked up and not repeated.
func FuzzResources(f *testing.F) {
	for _, status := range []int{200, 204, 307, 400, 401, 409, 422, 429, 500, 503} {
		for _, body := range []string{``, `{}`, `<html></html>`, `{"sid": "BU01"}`, `{"code": 20409}`} {
			f.Add(status, body)
		}
	}
	for _, body := range slices.Concat(oddAnswers, oddLists) {
		f.Add(http.StatusCreated, body)
	}
	f.Add(http.StatusOK, `{"sid": "BU01", "status": "PENDING_REVIEW",
		"errors": [18601, "x", {"error_code": "18602", "extra": {}}, null, [1]]}`)
	f.Add(http.StatusOK, `{"sid": "EL01", "results": {"invalid": [{"object_field": 7}], "passed": null}}`)
	f.Add(http.StatusOK, `{"sid": "IT01", "attributes": {"a": "x", "b": 7, "c": null, "d": ["y"]}}`)
	f.Add(http.StatusOK, `{"sid": "RD01", "attributes": {"address_sids": ["AD01", "AD02", null]}}`)
	f.Add(http.StatusConflict, `{"code": 70003, "message": "already assigned to `+profileSID+`"}`)
	calls := slices.Concat(
		bundleCalls(onboarding.CustomerProfile), bundleCalls(onboarding.TrustProduct), objectCalls)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		for _, c := range calls {
			sid, err := c.call(t.Context(), answered(t, status, body))
			var remote *onboarding.RemoteError
			switch {
			case err == nil && (sid == "" || status > 299):
				t.Errorf("%s: %d and %q are no error, and the SID is %q", c.name, status, body, sid)
			case err == nil:
			case !errors.As(err, &remote) || remote.Class < onboarding.ClassRepeatable ||
				remote.Class > onboarding.ClassCredentials:
				t.Errorf("%s: error is %#v", c.name, err)
			case c.post && status < 300 && remote.Class != onboarding.ClassUnknown:
				t.Errorf("%s: %d and %q are %q, but the work may be done", c.name, status, body, remote.Class)
			}
		}
		err := answered(t, status, body).DeleteEndUser(t.Context(), parentSID, endUserSID)
		if gone := status == http.StatusNoContent || status == http.StatusNotFound; gone != (err == nil) {
			t.Errorf("a deletion with status %d: %v", status, err)
		}
	})
}
