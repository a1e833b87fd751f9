package trusthub

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

// oddLists are pages as Twilio serves them, and as it should not.
var oddLists = []string{
	`{"results": [], "meta": {"page": 0, "page_size": 1000, "next_page_url": null, "key": "results"}}`,
	`{"results": [{"sid": "BU01", "friendly_name": "tag", "policy_sid": "RN0000000000000000000000000000000d",
		"status": "draft", "date_created": "2019-07-30T22:29:24Z"}]}`,
	`{"results": [{"sid": "IT01", "friendly_name": "tag", "type": "t"},
		{"sid": "IT02", "friendly_name": "tag ", "type": "t"}, {"sid": "IT03", "friendly_name": "TAG", "type": "t"}]}`,
	`{"results": [{"sid": "BV01", "object_sid": "IT0000000000000000000000000000000f"},
		{"sid": "RA01", "channel_endpoint_sid": "PN0000000000000000000000000000000e"}]}`,
	`{"results": [{"friendly_name": "tag", "type": "t"}]}`,
	`{"results": [{"sid": "EL01", "status": "compliant"}, {"sid": "EL02", "status": "noncompliant",
		"results": [{"passed": "false"}, 7, null, {"invalid": "x"}]}]}`,
	`{"addresses": [{"sid": "AD01", "friendly_name": "tag", "date_created": "Tue, 18 Aug 2015 17:07:30 +0000"}],
		"next_page_uri": null}`,
	`{"accounts": [{"sid": "AC01", "friendly_name": "tag", "status": "active"},
		{"sid": "AC02", "friendly_name": "tag", "status": "closed"},
		{"sid": "AC00000000000000000000000000000001", "friendly_name": "tag"}]}`,
	`{"incoming_phone_numbers": [
		{"sid": "PN01", "phone_number": "+15005550100", "capabilities": {"voice": true, "SMS": false}},
		{"sid": "PN02", "phone_number": "+15005550101", "capabilities": {"voice": false}}]}`,
	`{"incoming_phone_numbers": [{"sid": "PN01", "phone_number": "+15005550100", "capabilities": {"voice": "yes"}},
		{"sid": "PN02", "phone_number": "+15005550101"}]}`,
	`{"addresses": null}`, `{"results": null}`, `{"results": {}}`, `{"results": [null]}`, `{"results": [[]]}`,
	`{"results": [{"sid": 7}]}`,
	`{"results": [{"sid": "BU01", "friendly_name": "tag", "date_created": 12, "errors": {"code": "18601"},
		"valid_until": "soon"}]}`,
	`{"results": [], "meta": {"next_page_url": "https://trusthub.twilio.com/v1/EndUsers?Page=1"}}`,
	`{"results": [], "meta": {"next_page_url": "https://evil.example.com/v1/EndUsers"}}`,
	`{"results": [`, `[]`, `null`, ``, `<html></html>`,
}

// listed is an entry of a list: its SID, and whether it is one that the call asked for.
type listed struct {
	sid    string
	wanted bool
}

// listCall is a call that reads a whole list.
type listCall struct {
	name string
	call func(context.Context, *Client) ([]listed, error)
}

// listCallOf makes a listCall of a method. wanted is what an entry of its result must be.
func listCallOf[T any](
	name string, call func(context.Context, *Client) ([]T, error), sid func(T) string, wanted func(T) bool,
) listCall {
	return listCall{name, func(ctx context.Context, c *Client) ([]listed, error) {
		found, err := call(ctx, c)
		var all []listed
		for _, f := range found {
			all = append(all, listed{sid(f), wanted(f)})
		}
		return all, err
	}}
}

func objectSID(o onboarding.Object) string    { return o.SID }
func isAnObject(onboarding.Object) bool       { return true }
func bundleSID(b onboarding.Bundle) string    { return b.SID }
func hasPolicy(b onboarding.Bundle) bool      { return b.PolicySID == policySID }
func isAccount(a onboarding.Account) bool     { return a.SID != parentSID && a.Status != accountClosed }
func hasNumber(n onboarding.PhoneNumber) bool { return n.Number != "" }
func isNobody(onboarding.Object) bool         { return false }

func bundleListCalls(kind onboarding.BundleKind) []listCall {
	assignmentSID := func(a onboarding.Assignment) string { return a.SID }
	hasObject := func(a onboarding.Assignment) bool { return a.ObjectSID != "" }
	return []listCall{
		listCallOf("bundles", func(ctx context.Context, c *Client) ([]onboarding.Bundle, error) {
			return c.FindBundles(ctx, parentSID, kind, "tag", policySID)
		}, bundleSID, hasPolicy),
		listCallOf("an object's assignments", func(ctx context.Context, c *Client) ([]onboarding.Object, error) {
			return c.FindEntityAssignments(ctx, parentSID, kind, profileSID, endUserSID)
		}, objectSID, isAnObject),
		listCallOf("a number's assignments", func(ctx context.Context, c *Client) ([]onboarding.Object, error) {
			return c.FindNumberAssignments(ctx, parentSID, kind, profileSID, numberSID)
		}, objectSID, isAnObject),
		listCallOf("entity assignments", func(ctx context.Context, c *Client) ([]onboarding.Assignment, error) {
			return c.ListEntityAssignments(ctx, parentSID, kind, profileSID)
		}, assignmentSID, hasObject),
		listCallOf("number assignments", func(ctx context.Context, c *Client) ([]onboarding.Assignment, error) {
			return c.ListNumberAssignments(ctx, parentSID, kind, profileSID)
		}, assignmentSID, hasObject),
		listCallOf("evaluations", func(ctx context.Context, c *Client) ([]onboarding.Evaluation, error) {
			return c.FindEvaluations(ctx, parentSID, kind, profileSID)
		}, func(e onboarding.Evaluation) string { return e.SID }, func(onboarding.Evaluation) bool { return true }),
	}
}

var accountListCalls = []listCall{
	listCallOf("documents", func(ctx context.Context, c *Client) ([]onboarding.Object, error) {
		return c.FindSupportingDocuments(ctx, parentSID, "tag")
	}, objectSID, isAnObject),
	listCallOf("addresses", func(ctx context.Context, c *Client) ([]onboarding.Object, error) {
		return c.FindAddresses(ctx, parentSID, "tag")
	}, objectSID, isAnObject),
	listCallOf("end users", func(ctx context.Context, c *Client) ([]onboarding.Object, error) {
		return c.FindEndUsers(ctx, parentSID, "tag", "t")
	}, objectSID, isAnObject),
	listCallOf("end users of no name", func(ctx context.Context, c *Client) ([]onboarding.Object, error) {
		return c.FindEndUsers(ctx, parentSID, "no such name \x00", "t")
	}, objectSID, isNobody),
	listCallOf("subaccounts", func(ctx context.Context, c *Client) ([]onboarding.Account, error) {
		return c.FindSubaccounts(ctx, "tag")
	}, func(a onboarding.Account) string { return a.SID }, isAccount),
	listCallOf("numbers", func(ctx context.Context, c *Client) ([]onboarding.PhoneNumber, error) {
		return c.ListPhoneNumbers(ctx, subSID)
	}, func(n onboarding.PhoneNumber) string { return n.SID }, hasNumber),
}

// FuzzLists: a lookup fails, or returns only entries that it was asked for. It never takes an
// unreadable answer for an empty list: an object that is not found is created a second time.
func FuzzLists(f *testing.F) {
	for _, body := range slices.Concat(oddLists, oddAnswers) {
		f.Add(http.StatusOK, body)
	}
	f.Add(http.StatusServiceUnavailable, oddLists[0])
	f.Add(http.StatusTooManyRequests, oddLists[1])
	calls := slices.Concat(
		bundleListCalls(onboarding.CustomerProfile), bundleListCalls(onboarding.TrustProduct), accountListCalls)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		for _, c := range calls {
			found, err := c.call(t.Context(), answered(t, status, body))
			var remote *onboarding.RemoteError
			if err != nil {
				if !errors.As(err, &remote) || found != nil {
					t.Errorf("%s: %v with %#v", c.name, found, err)
				}
				continue
			}
			if status > 299 || !readsAsList(body) {
				t.Errorf("%s took %d and %q for a list of %d", c.name, status, body, len(found))
			}
			for _, one := range found {
				if one.sid == "" || !one.wanted {
					t.Errorf("%s: %q holds %+v", c.name, body, one)
				}
			}
		}
	})
}

// readsAsList says by other means than the client's whether the body has a list in it.
func readsAsList(body string) bool {
	var page map[string]json.RawMessage
	if json.Unmarshal([]byte(body), &page) != nil {
		return false
	}
	for _, raw := range page {
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) == nil && items != nil {
			return true
		}
	}
	return false
}
