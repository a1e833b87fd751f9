package trusthub_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// begin is the first page of any list.
var begin onboarding.PageAt

func heldSIDs[T any](page onboarding.Page[T], sid func(T) string) []string {
	var sids []string
	for _, item := range page.Items {
		sids = append(sids, sid(item))
	}
	return sids
}

func TestEachListShowsWhatTheSubaccountHolds(t *testing.T) {
	t.Parallel()
	b := setup(t, trusthubsim.Config{})
	ctx, hub, ac := t.Context(), b.hub, b.account
	object, bundle := must[onboarding.Object](t), must[onboarding.Bundle](t)
	ad := object(hub.CreateAddress(ctx, ac, "the address v1.2", address))
	object(hub.CreateAddress(ctx, ac, "another", address))
	rd := object(hub.CreateSupportingDocument(ctx, ac, "the document", ad.SID))
	it := object(hub.CreateEndUser(ctx, ac, onboarding.EndUser{
		FriendlyName: "the representative", Type: "authorized_representative_1", Attributes: representative.Attributes(),
	}))
	bu := bundle(hub.CreateBundle(ctx, ac, onboarding.NewBundle{Kind: profile, FriendlyName: "the profile", PolicySID: secondaryPolicy, Email: "isv@example.com"}))
	bundle(hub.CreateBundle(ctx, ac, onboarding.NewBundle{Kind: profile, FriendlyName: "another", PolicySID: secondaryPolicy, Email: "isv@example.com"}))
	bt := bundle(hub.CreateBundle(ctx, ac, onboarding.NewBundle{Kind: product, FriendlyName: "the product", PolicySID: shakenStirPolicy, Email: "isv@example.com"}))

	numbers := must[onboarding.Page[onboarding.HeldPhoneNumber]](t)(
		hub.PagePhoneNumbers(ctx, ac, onboarding.PhoneNumberFilter{PhoneNumber: b.numbers[0].Number}, begin, 20))
	if len(numbers.Items) != 1 || numbers.Items[0].SID != b.numbers[0].SID || !numbers.Items[0].Voice || numbers.Items[0].CreatedAt.IsZero() {
		t.Errorf("numbers %+v, want %v alone", numbers.Items, b.numbers[0])
	}

	addresses := must[onboarding.Page[onboarding.HeldAddress]](t)(
		hub.PageAddresses(ctx, ac, onboarding.AddressFilter{FriendlyName: "the address v1.2", CustomerName: address.CustomerName, ISOCountry: "US"}, begin, 20))
	if len(addresses.Items) != 1 || addresses.Items[0].SID != ad.SID || addresses.Items[0].PostalCode != address.PostalCode {
		t.Errorf("addresses %+v, want %s alone", addresses.Items, ad.SID)
	}

	bundles := must[onboarding.Page[onboarding.HeldBundle]](t)
	drafts := onboarding.BundleFilter{Status: onboarding.BundleDraft, FriendlyName: "the profile", PolicySID: secondaryPolicy}
	profiles := bundles(hub.PageBundles(ctx, ac, profile, drafts, begin, 20))
	if len(profiles.Items) != 1 || profiles.Items[0].SID != bu.SID || profiles.Items[0].Status != onboarding.BundleDraft || profiles.Items[0].Email != "isv@example.com" {
		t.Errorf("profiles %+v, want %s alone", profiles.Items, bu.SID)
	}
	drafts.Status = onboarding.BundleApproved
	if approved := bundles(hub.PageBundles(ctx, ac, profile, drafts, begin, 20)); len(approved.Items) != 0 {
		t.Errorf("approved profiles %+v, want none", approved.Items)
	}
	products := bundles(hub.PageBundles(ctx, ac, product, onboarding.BundleFilter{}, begin, 20))
	if diff := cmp.Diff([]string{bt.SID}, heldSIDs(products, func(h onboarding.HeldBundle) string { return h.SID })); diff != "" {
		t.Errorf("products (-want +got):\n%s", diff)
	}

	objects := must[onboarding.Page[onboarding.HeldObject]](t)
	people := objects(hub.PageEndUsers(ctx, ac, begin, 20))
	if len(people.Items) != 1 || people.Items[0].SID != it.SID || people.Items[0].Type != "authorized_representative_1" ||
		people.Items[0].Attributes["first_name"] != representative.FirstName {
		t.Errorf("end users %+v, want %s alone", people.Items, it.SID)
	}
	documents := objects(hub.PageSupportingDocuments(ctx, ac, begin, 20))
	if len(documents.Items) != 1 || documents.Items[0].SID != rd.SID || documents.Items[0].Attributes["address_sids"] == nil || documents.Items[0].Status == "" {
		t.Errorf("documents %+v, want %s alone", documents.Items, rd.SID)
	}
}

func TestPagesHangTogether(t *testing.T) {
	t.Parallel()
	b := setup(t, trusthubsim.Config{})
	page := must[onboarding.Page[onboarding.HeldPhoneNumber]](t)
	first := page(b.hub.PagePhoneNumbers(t.Context(), b.account, onboarding.PhoneNumberFilter{}, begin, 1))
	second := page(b.hub.PagePhoneNumbers(t.Context(), b.account, onboarding.PhoneNumberFilter{}, first.Next, 1))
	sid := func(n onboarding.HeldPhoneNumber) string { return n.SID }
	got := append(heldSIDs(first, sid), heldSIDs(second, sid)...)
	if diff := cmp.Diff([]string{b.numbers[1].SID, b.numbers[0].SID}, got); diff != "" {
		t.Errorf("two pages of one (-want +got):\n%s", diff)
	}
	if second.Next != begin {
		t.Errorf("there is more after all: %+v", second.Next)
	}
}
