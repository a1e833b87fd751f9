package trusthub_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

func TestWhatWasCreatedIsReadBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	ctx, hub, ac := t.Context(), w.hub, w.account
	object := must[onboarding.Object](t)

	numbers := must[[]onboarding.PhoneNumber](t)(hub.ListPhoneNumbers(ctx, ac))
	if !reflect.DeepEqual(numbers, w.numbers) {
		t.Errorf("numbers %v, want %v", numbers, w.numbers)
	}
	it := object(hub.CreateEndUser(ctx, ac, representative))
	user := must[onboarding.RemoteEndUser](t)(hub.FetchEndUser(ctx, ac, it.SID))
	if user.Object != it || !reflect.DeepEqual(user.EndUser, representative) {
		t.Errorf("end user %+v, want %+v", user, representative)
	}
	ad := object(hub.CreateAddress(ctx, ac, "tag address", address))
	rd := object(hub.CreateSupportingDocument(ctx, ac, "tag document", ad.SID))
	document := must[onboarding.SupportingDocument](t)(hub.FetchSupportingDocument(ctx, ac, rd.SID))
	if document.Object != rd || document.Type != "customer_profile_address" ||
		!slices.Equal(document.AddressSIDs, []string{ad.SID}) {
		t.Errorf("document %+v", document)
	}
}

func TestAnUpdateReplacesEveryField(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	ctx, hub, ac := t.Context(), w.hub, w.account
	object := must[onboarding.Object](t)

	it := object(hub.CreateEndUser(ctx, ac, representative))
	attributes := maps.Clone(representative.Attributes)
	attributes["last_name"] = "Successor"
	if updated := object(hub.UpdateEndUser(ctx, ac, it.SID, attributes)); updated != it {
		t.Errorf("updated %+v, want %+v", updated, it)
	}
	user := must[onboarding.RemoteEndUser](t)(hub.FetchEndUser(ctx, ac, it.SID))
	if !maps.Equal(user.Attributes, attributes) {
		t.Errorf("attributes %v, want %v", user.Attributes, attributes)
	}

	ad := object(hub.CreateAddress(ctx, ac, "tag", address))
	moved := onboarding.Address{ // without a second line
		CustomerName: "Example Plumbing Inc", Street: "2 Example Street",
		City: "Oakland", Region: "CA", PostalCode: "94601", ISOCountry: "US",
	}
	if updated := object(hub.UpdateAddress(ctx, ac, ad.SID, moved)); updated != ad {
		t.Errorf("updated %+v, want %+v", updated, ad)
	}
	page := must[onboarding.Page[onboarding.RemoteAddress]](t)(
		hub.PageAddresses(ctx, ac, onboarding.AddressFilter{}, firstPage, 20))
	a := wantAlone(t, page, func(a onboarding.RemoteAddress) string { return a.SID }, ad.SID)
	got := onboarding.Address{
		CustomerName: a.CustomerName, Street: a.Street, StreetSecondary: a.StreetSecondary,
		City: a.City, Region: a.Region, PostalCode: a.PostalCode, ISOCountry: a.ISOCountry,
	}
	// Twilio corrects addresses, and the simulator writes them in capitals.
	if !strings.EqualFold(fmt.Sprint(got), fmt.Sprint(moved)) {
		t.Errorf("the address is %+v, want %+v", got, moved)
	}

	other := object(hub.CreateAddress(ctx, ac, "other", address))
	rd := object(hub.CreateSupportingDocument(ctx, ac, "tag", ad.SID))
	object(hub.UpdateSupportingDocument(ctx, ac, rd.SID, other.SID))
	document := must[onboarding.SupportingDocument](t)(hub.FetchSupportingDocument(ctx, ac, rd.SID))
	if !slices.Equal(document.AddressSIDs, []string{other.SID}) {
		t.Errorf("the document names %q, want %s", document.AddressSIDs, other.SID)
	}
}

func TestTheAssignmentsOfABundleAreListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	ctx, hub, ac := t.Context(), w.hub, w.account
	object, bundle := must[onboarding.Object](t), must[onboarding.Bundle](t)
	assignments := must[[]onboarding.Assignment](t)
	it := object(hub.CreateEndUser(ctx, ac, representative))
	bu := bundle(hub.CreateBundle(ctx, ac, newBundle(profile, "tag"))).SID
	bt := bundle(hub.CreateBundle(ctx, ac, newBundle(product, "tag"))).SID
	for _, c := range []struct {
		kind              onboarding.BundleKind
		bundle            string
		entities, numbers []string
	}{
		{profile, bu, []string{primary, it.SID}, []string{w.numbers[0].SID, w.numbers[1].SID}},
		{product, bt, []string{bu}, []string{w.numbers[0].SID}},
	} {
		var entities, numbers []onboarding.Assignment
		wantAssignments(t, assignments(hub.ListEntityAssignments(ctx, ac, c.kind, c.bundle)), entities)
		wantAssignments(t, assignments(hub.ListNumberAssignments(ctx, ac, c.kind, c.bundle)), numbers)
		for _, sid := range c.entities {
			bv := object(hub.AssignEntity(ctx, ac, c.kind, c.bundle, sid))
			entities = append(entities, onboarding.Assignment{Object: bv, ObjectSID: sid})
		}
		for _, sid := range c.numbers {
			ra := object(hub.AssignNumber(ctx, ac, c.kind, c.bundle, sid))
			numbers = append(numbers, onboarding.Assignment{Object: ra, ObjectSID: sid})
		}
		wantAssignments(t, assignments(hub.ListEntityAssignments(ctx, ac, c.kind, c.bundle)), entities)
		wantAssignments(t, assignments(hub.ListNumberAssignments(ctx, ac, c.kind, c.bundle)), numbers)
	}
}

// wantAssignments wants exactly those, oldest first, and by SID within a second.
func wantAssignments(t *testing.T, got, want []onboarding.Assignment) {
	t.Helper()
	want = append([]onboarding.Assignment{}, want...)
	slices.SortFunc(want, func(a, b onboarding.Assignment) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.SID, b.SID)
	})
	if !reflect.DeepEqual(got, want) {
		t.Errorf("listed %+v, want %+v", got, want)
	}
}

func TestAReadOfWhatIsNotThereSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	ctx, hub, ac := t.Context(), w.hub, w.account
	for what, read := range map[string]func(sid string) error{
		"end user": func(sid string) error { _, err := hub.FetchEndUser(ctx, ac, sid); return err },
		"document": func(sid string) error { _, err := hub.FetchSupportingDocument(ctx, ac, sid); return err },
		"entities": func(sid string) error { _, err := hub.ListEntityAssignments(ctx, ac, profile, sid); return err },
		"numbers":  func(sid string) error { _, err := hub.ListNumberAssignments(ctx, ac, product, sid); return err },
	} {
		err := read("XX" + strings.Repeat("0", 32))
		if r := wantClass(t, err, onboarding.ClassPermanent); r.HTTPStatus != 404 {
			t.Errorf("%s: %+v", what, r)
		}
	}
}

// A page has a thousand entries at most.
func TestALongListIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	for n := range 1001 {
		w.buy(t, fmt.Sprintf("+1500556%04d", n))
	}
	numbers := must[[]onboarding.PhoneNumber](t)(w.hub.ListPhoneNumbers(t.Context(), w.account))
	sorted := slices.IsSortedFunc(numbers, func(a, b onboarding.PhoneNumber) int {
		return strings.Compare(a.Number, b.Number)
	})
	if len(numbers) != 1003 || !sorted {
		t.Errorf("%d numbers are listed, sorted %v; want 1003, sorted", len(numbers), sorted)
	}
}
