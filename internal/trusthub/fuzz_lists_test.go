package trusthub

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

// lists are pages as Twilio serves them, and as nobody should.
var lists = []string{
	`{"results": [], "meta": {"page": 0, "page_size": 1000, "next_page_url": null, "key": "results"}}`,
	`{"results": [{"sid": "BU01", "friendly_name": "tag", "policy_sid": "RN0000000000000000000000000000000d", "status": "draft", "date_created": "2019-07-30T22:29:24Z"}]}`,
	`{"results": [{"sid": "IT01", "friendly_name": "tag", "type": "t"}, {"sid": "IT02", "friendly_name": "tag ", "type": "t"}, {"sid": "IT03", "friendly_name": "TAG", "type": "t"}]}`,
	`{"results": [{"sid": "BV01", "object_sid": "IT0000000000000000000000000000000f"}, {"sid": "RA01", "channel_endpoint_sid": "PN0000000000000000000000000000000e"}]}`,
	`{"results": [{"friendly_name": "tag", "type": "t"}]}`,
	`{"results": [{"sid": "EL01", "status": "compliant"}, {"sid": "EL02", "status": "noncompliant", "results": [{"passed": "false"}, 7, null, {"invalid": "x"}]}]}`,
	`{"addresses": [{"sid": "AD01", "friendly_name": "tag", "date_created": "Tue, 18 Aug 2015 17:07:30 +0000"}], "next_page_uri": null}`,
	`{"accounts": [{"sid": "AC01", "friendly_name": "tag", "status": "active"}, {"sid": "AC02", "friendly_name": "tag", "status": "closed"}, {"sid": "AC00000000000000000000000000000001", "friendly_name": "tag"}]}`,
	`{"incoming_phone_numbers": [{"sid": "PN01", "phone_number": "+15005550100", "capabilities": {"voice": true, "SMS": false}}, {"sid": "PN02", "phone_number": "+15005550101", "capabilities": {"voice": false}}]}`,
	`{"incoming_phone_numbers": [{"sid": "PN01", "phone_number": "+15005550100", "capabilities": {"voice": "yes"}}, {"sid": "PN02", "phone_number": "+15005550101"}]}`,
	`{"addresses": null}`, `{"results": null}`, `{"results": {}}`, `{"results": [null]}`, `{"results": [[]]}`, `{"results": [{"sid": 7}]}`,
	`{"results": [{"sid": "BU01", "friendly_name": "tag", "date_created": 12, "errors": {"code": "18601"}, "valid_until": "soon"}]}`,
	`{"results": [], "meta": {"next_page_url": "https://trusthub.twilio.com/v1/EndUsers?Page=1"}}`,
	`{"results": [], "meta": {"next_page_url": "https://evil.example.com/v1/EndUsers"}}`,
	`{"results": [`, `[]`, `null`, ``, `<html></html>`,
}

// FuzzLists: whatever a list says, a lookup either fails or returns what bears exactly the name, or the parent and object, that it was asked
// for; and it never leaves for another host. What it cannot read is never taken for an empty list, since what is not found is made again.
func FuzzLists(f *testing.F) {
	for _, body := range lists {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		c, err := New(Config{AccountSID: parentSID, AuthToken: parentToken, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host != "trusthub.twilio.com" && r.URL.Host != "api.twilio.com" || r.URL.Scheme != "https" {
				t.Errorf("a request to %s", r.URL)
			}
			return (&twilio{Handler: always(http.StatusOK, body)}).RoundTrip(r)
		})})
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		whole := readsAsList(body)
		check := func(what string, found int, err error) {
			t.Helper()
			var remote *onboarding.RemoteError
			switch {
			case err != nil && !errors.As(err, &remote):
				t.Errorf("%s: error is %#v", what, err)
			case err == nil && !whole:
				t.Errorf("%s took %q for a list of %d", what, body, found)
			}
		}
		for _, kind := range []onboarding.BundleKind{onboarding.CustomerProfile, onboarding.TrustProduct} {
			bundles, err := c.FindBundles(ctx, parentSID, kind, "tag", policySID)
			check("bundles", len(bundles), err)
			for _, b := range bundles {
				if b.PolicySID != policySID {
					t.Errorf("a bundle of the policy %q", b.PolicySID)
				}
			}
			entities, err := c.FindEntityAssignments(ctx, parentSID, kind, profileSID, endUserSID)
			check("entity assignments", len(entities), err)
			numbers, err := c.FindNumberAssignments(ctx, parentSID, kind, profileSID, numberSID)
			check("number assignments", len(numbers), err)
			assigned, err := c.ListEntityAssignments(ctx, parentSID, kind, profileSID)
			check("all entity assignments", len(assigned), err)
			assignedNumbers, err := c.ListNumberAssignments(ctx, parentSID, kind, profileSID)
			check("all number assignments", len(assignedNumbers), err)
			for _, a := range append(assigned, assignedNumbers...) {
				if a.SID == "" || a.ObjectSID == "" {
					t.Errorf("an assignment of nothing, %+v, in %q", a, body)
				}
			}
			evaluations, err := c.FindEvaluations(ctx, parentSID, kind, profileSID)
			check("evaluations", len(evaluations), err)
		}
		documents, err := c.FindSupportingDocuments(ctx, parentSID, "tag")
		check("documents", len(documents), err)
		addresses, err := c.FindAddresses(ctx, parentSID, "tag")
		check("addresses", len(addresses), err)
		for _, found := range append(documents, addresses...) {
			if found.SID == "" {
				t.Errorf("found what has no SID in %q", body)
			}
		}
		subaccounts, err := c.FindSubaccounts(ctx, "tag")
		check("subaccounts", len(subaccounts), err)
		for _, a := range subaccounts {
			if a.SID == "" || a.SID == parentSID || a.Status == accountClosed {
				t.Errorf("found the subaccount %+v in %q", a, body)
			}
		}
		voice, err := c.ListPhoneNumbers(ctx, subSID)
		check("numbers", len(voice), err)
		for _, n := range voice {
			if n.SID == "" || n.Number == "" {
				t.Errorf("listed the number %+v of %q", n, body)
			}
		}
		users, err := c.FindEndUsers(ctx, parentSID, "tag", "t")
		check("end users", len(users), err)
		nobody, err := c.FindEndUsers(ctx, parentSID, "no such name \x00", "t")
		check("end users of another name", len(nobody), err)
		if len(nobody) != 0 {
			t.Errorf("found %v under a name that the answer does not hold", nobody)
		}
	})
}

// readsAsList says by other means than the client's whether the body holds a list.
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
