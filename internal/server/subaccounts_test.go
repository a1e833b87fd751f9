package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// listPages reads a whole list with pages of that size, and returns the SIDs and the number of
// pages.
func (c *client) listPages(account, list, member string, size int) (sids []string, pages int) {
	c.t.Helper()
	query := url.Values{"limit": {fmt.Sprint(size)}}
	for {
		var page map[string]any
		status, raw := c.call(http.MethodGet, "/subaccounts/"+account+"/"+list+"?"+query.Encode(), nil, &page)
		if status != http.StatusOK {
			c.t.Fatalf("%s answered %d: %s", list, status, raw)
		}
		for _, entry := range page[member].([]any) {
			sids = append(sids, entry.(map[string]any)["sid"].(string))
		}
		pages++
		cursor, more := page["next_cursor"].(string)
		if !more {
			return sids, pages
		}
		query.Set("cursor", cursor)
	}
}

func TestSupportReadsWhatASubaccountHolds(t *testing.T) {
	t.Parallel()
	w, customer, id, _ := approved(t)
	w.asViewer()
	done := w.get(id)
	for _, list := range []struct {
		name, member string
		want         []string
		pages        int
	}{
		{"phone-numbers", "phone_numbers", customer.numbers, 2},
		{"addresses", "addresses", []string{done.step("address").SID}, 1},
		{"customer-profiles", "customer_profiles", []string{done.CustomerProfile.SID}, 1},
		{"trust-products", "trust_products", []string{done.TrustProduct.SID}, 1},
		{"end-users", "end_users", []string{done.step("business_information").SID, done.step("representative_1").SID}, 2},
		{"supporting-documents", "supporting_documents", []string{done.step("address_document").SID}, 1},
	} {
		got, pages := w.listPages(customer.sid, list.name, list.member, 1)
		if !slices.Equal(sorted(got), sorted(slices.Clone(list.want))) || pages != list.pages {
			t.Errorf("%s: %v on %d pages, want %v on %d", list.name, got, pages, list.want, list.pages)
		}
	}
}

func TestTheFiltersAreTwilios(t *testing.T) {
	t.Parallel()
	w, customer, id, _ := approved(t)
	profile := w.get(id).CustomerProfile.SID
	for query, want := range map[string]int{
		"phone-numbers?phone_number=" + url.QueryEscape(customer.e164[1]): 1,
		"phone-numbers?phone_number=%2B13125550000":                       0,
		"addresses?iso_country=US&customer_name=Example+Plumbing+LLC":     1,
		"addresses?iso_country=CA":                                        0,
		"addresses?friendly_name=nobody":                                  0,
		"customer-profiles?status=twilio-approved":                        1,
		"customer-profiles?status=draft":                                  0,
		"customer-profiles?friendly_name=nobody":                          0,
		"trust-products?policy_sid=RN7a97559effdf62d00f4298208492a5ea":    1,
		"trust-products?policy_sid=RN7A97559EFFDF62D00F4298208492A5EA":    1,
		"trust-products?policy_sid=RN00000000000000000000000000000001":    0,
		"customer-profiles?policy_sid=RNdfbf3fae0e1107f8aded0e7cead80bf5": 1,
	} {
		var page map[string]any
		status, raw := w.call(http.MethodGet, "/subaccounts/"+customer.sid+"/"+query, nil, &page)
		if status != http.StatusOK {
			t.Fatalf("%s answered %d: %s", query, status, raw)
		}
		got := 0
		for member, entries := range page {
			if member != "next_cursor" {
				got += len(entries.([]any))
			}
		}
		if got != want {
			t.Errorf("%s: %d entries, want %d: %s (the profile is %s)", query, got, want, raw, profile)
		}
	}
}

func TestWhatIsAskedWronglyOfASubaccountIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(2)
	var page struct {
		NextCursor string `json:"next_cursor"`
	}
	if status, raw := w.call(http.MethodGet, "/subaccounts/"+customer.sid+"/phone-numbers?limit=1", nil, &page); status != http.StatusOK {
		t.Fatalf("answered %d: %s", status, raw)
	}
	for path, want := range map[string]int{
		customer.sid + "/phone-numbers?cursor=" + page.NextCursor:         http.StatusOK,
		customer.sid + "/addresses?cursor=" + page.NextCursor:             http.StatusUnprocessableEntity,
		customer.sid + "/phone-numbers?cursor=aHR0cHM6Ly9leGFtcGxlLmNvbQ": http.StatusUnprocessableEntity,
		customer.sid + "/phone-numbers?limit=101":                         http.StatusUnprocessableEntity,
		customer.sid + "/phone-numbers?phone_number=x":                    http.StatusUnprocessableEntity,
		customer.sid + "/customer-profiles?status=approved":               http.StatusUnprocessableEntity,
		customer.sid + "/end-users?friendly_name=x":                       http.StatusUnprocessableEntity,
		trusthubsim.DefaultAccountSID + "/phone-numbers":                  http.StatusNotFound,
		"AC00000000000000000000000000000bad/phone-numbers":                http.StatusNotFound,
		"nobody/phone-numbers":                                            http.StatusNotFound,
	} {
		if status, raw := w.call(http.MethodGet, "/subaccounts/"+path, nil, nil); status != want {
			t.Errorf("%s answered %d, want %d: %s", path, status, want, raw)
		}
	}
}

func TestATwilioThatFailsAListIsAProblemOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	customer := w.subaccount(1)
	refuse(t, w, "/v1/EndUsers")
	status, raw := w.call(http.MethodGet, "/subaccounts/"+customer.sid+"/end-users", nil, nil)
	if status != http.StatusBadGateway || wantProblem(t, raw, "twilio-failed").Twilio.Code != 20001 {
		t.Errorf("refused by Twilio: answered %d: %s", status, raw)
	}
	w.sim.ClearFaults()
	if _, err := w.sim.AddFault(trusthubsim.Fault{Effect: trusthubsim.EffectDropBefore}); err != nil {
		t.Fatal(err)
	}
	// The circuit opens on the way. The caller sees no difference.
	for range 15 {
		if status, raw := w.call(http.MethodGet, "/subaccounts/AC0123456789abcdef0123456789abcdef/end-users", nil, nil); status != http.StatusServiceUnavailable {
			t.Fatalf("Twilio is away: answered %d: %s", status, raw)
		}
	}
}
