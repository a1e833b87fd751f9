package trusthub_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// firstPage is the place of the first page in any list.
var firstPage onboarding.PageAt

// wantAlone wants a page to have one entry, that of the SID.
func wantAlone[T any](t *testing.T, page onboarding.Page[T], sidOf func(T) string, sid string) T {
	t.Helper()
	if len(page.Items) != 1 || sidOf(page.Items[0]) != sid {
		t.Fatalf("the page has %+v, want %s alone", page.Items, sid)
	}
	return page.Items[0]
}

func TestTheListOfNumbersIsFiltered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	filter := onboarding.PhoneNumberFilter{PhoneNumber: w.numbers[0].Number}
	page := must[onboarding.Page[onboarding.RemotePhoneNumber]](t)(
		w.hub.PagePhoneNumbers(t.Context(), w.account, filter, firstPage, 20))
	n := wantAlone(t, page, func(n onboarding.RemotePhoneNumber) string { return n.SID }, w.numbers[0].SID)
	if n.PhoneNumber != w.numbers[0].Number || !n.Voice || n.CreatedAt.IsZero() {
		t.Errorf("number %+v", n)
	}
}

func TestTheListOfAddressesIsFiltered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	object := must[onboarding.Object](t)
	ad := object(w.hub.CreateAddress(t.Context(), w.account, "the address v1.2", address))
	object(w.hub.CreateAddress(t.Context(), w.account, "another", address))
	filter := onboarding.AddressFilter{
		FriendlyName: "the address v1.2", CustomerName: address.CustomerName, ISOCountry: "US",
	}
	page := must[onboarding.Page[onboarding.RemoteAddress]](t)(
		w.hub.PageAddresses(t.Context(), w.account, filter, firstPage, 20))
	a := wantAlone(t, page, func(a onboarding.RemoteAddress) string { return a.SID }, ad.SID)
	if a.PostalCode != address.PostalCode || !strings.EqualFold(a.Street, address.Street) ||
		a.FriendlyName != filter.FriendlyName {
		t.Errorf("address %+v", a)
	}
}

func TestTheListsOfBundlesAreFiltered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	bundle := must[onboarding.Bundle](t)
	page := must[onboarding.Page[onboarding.RemoteBundle]](t)
	sid := func(b onboarding.RemoteBundle) string { return b.SID }
	bu := bundle(w.hub.CreateBundle(t.Context(), w.account, newBundle(profile, "the profile")))
	bundle(w.hub.CreateBundle(t.Context(), w.account, newBundle(profile, "another")))
	bt := bundle(w.hub.CreateBundle(t.Context(), w.account, newBundle(product, "the product")))

	filter := onboarding.BundleFilter{
		Status: onboarding.BundleDraft, FriendlyName: "the profile", PolicySID: secondaryPolicy,
	}
	b := wantAlone(t, page(w.hub.PageBundles(t.Context(), w.account, profile, filter, firstPage, 20)), sid, bu.SID)
	if b.Status != onboarding.BundleDraft || b.Email != "isv@example.com" || b.PolicySID != secondaryPolicy {
		t.Errorf("profile %+v", b)
	}
	filter.Status = onboarding.BundleApproved
	approved := page(w.hub.PageBundles(t.Context(), w.account, profile, filter, firstPage, 20))
	if len(approved.Items) != 0 {
		t.Errorf("approved profiles %+v, want none", approved.Items)
	}
	all := page(w.hub.PageBundles(t.Context(), w.account, product, onboarding.BundleFilter{}, firstPage, 20))
	wantAlone(t, all, sid, bt.SID)
}

func TestEndUsersAndDocumentsAreListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	object := must[onboarding.Object](t)
	page := must[onboarding.Page[onboarding.RemoteObject]](t)
	sid := func(o onboarding.RemoteObject) string { return o.SID }
	it := object(w.hub.CreateEndUser(t.Context(), w.account, representative))
	ad := object(w.hub.CreateAddress(t.Context(), w.account, "a", address))
	rd := object(w.hub.CreateSupportingDocument(t.Context(), w.account, "the document", ad.SID))

	user := wantAlone(t, page(w.hub.PageEndUsers(t.Context(), w.account, firstPage, 20)), sid, it.SID)
	if user.Type != representative.Type || user.Attributes["first_name"] != "Example" {
		t.Errorf("end user %+v", user)
	}
	document := wantAlone(t, page(w.hub.PageSupportingDocuments(t.Context(), w.account, firstPage, 20)), sid, rd.SID)
	if document.Attributes["address_sids"] != ad.SID || document.Status == "" {
		t.Errorf("document %+v", document)
	}
}

func TestOnePageLeadsToTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	var got []string
	at, pages := firstPage, 0
	for pages == 0 || at != firstPage {
		page := must[onboarding.Page[onboarding.RemotePhoneNumber]](t)(
			w.hub.PagePhoneNumbers(t.Context(), w.account, onboarding.PhoneNumberFilter{}, at, 1))
		for _, n := range page.Items {
			got = append(got, n.SID)
		}
		at = page.Next
		if pages++; pages > 2 {
			t.Fatalf("there are more than two pages of one entry, with %q", got)
		}
	}
	if want := []string{w.numbers[1].SID, w.numbers[0].SID}; !slices.Equal(got, want) {
		t.Errorf("the pages have %q, want %q", got, want)
	}
}
