package trusthub_test

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// TestWhatTwilioHoldsIsReadBack reads a profile, all that is on it and the account's numbers as they were made.
func TestWhatTwilioHoldsIsReadBack(t *testing.T) {
	t.Parallel()
	b := setup(t, trusthubsim.Config{})
	ctx, hub, ac := context.Background(), b.hub, b.account
	object := must[onboarding.Object](t)
	assignments := must[[]onboarding.Assignment](t)

	numbers := must[[]onboarding.PhoneNumber](t)(hub.ListPhoneNumbers(ctx, ac))
	if !reflect.DeepEqual(numbers, b.numbers) {
		t.Errorf("numbers %v, want %v", numbers, b.numbers)
	}

	user := onboarding.EndUser{FriendlyName: "tag rep", Type: "authorized_representative_1", Attributes: representative.Attributes()}
	it := object(hub.CreateEndUser(ctx, ac, user))
	held := must[onboarding.HeldEndUser](t)(hub.FetchEndUser(ctx, ac, it.SID))
	if held.Object != it || held.FriendlyName != user.FriendlyName || held.Type != user.Type || !maps.Equal(held.Attributes, user.Attributes) {
		t.Errorf("end user %+v, want %+v", held, user)
	}
	ad := object(hub.CreateAddress(ctx, ac, "tag address", address))
	rd := object(hub.CreateSupportingDocument(ctx, ac, "tag document", ad.SID))
	document := must[onboarding.SupportingDocument](t)(hub.FetchSupportingDocument(ctx, ac, rd.SID))
	if document.Object != rd || document.Type != "customer_profile_address" || !slices.Equal(document.AddressSIDs, []string{ad.SID}) {
		t.Errorf("document %+v", document)
	}

	bu := must[onboarding.Bundle](t)(hub.CreateBundle(ctx, ac, onboarding.NewBundle{
		Kind: profile, FriendlyName: "tag", PolicySID: secondaryPolicy, Email: "isv@example.com",
	}))
	if got := assignments(hub.ListEntityAssignments(ctx, ac, profile, bu.SID)); got == nil || len(got) != 0 {
		t.Errorf("entities on an empty profile: %+v", got)
	}
	if got := assignments(hub.ListNumberAssignments(ctx, ac, profile, bu.SID)); got == nil || len(got) != 0 {
		t.Errorf("numbers on an empty profile: %+v", got)
	}
	var entities, endpoints []onboarding.Assignment
	for _, sid := range []string{primary, rd.SID, it.SID} {
		entities = append(entities, onboarding.Assignment{Object: object(hub.AssignEntity(ctx, ac, profile, bu.SID, sid)), ObjectSID: sid})
	}
	for _, n := range b.numbers {
		endpoints = append(endpoints, onboarding.Assignment{Object: object(hub.AssignNumber(ctx, ac, profile, bu.SID, n.SID)), ObjectSID: n.SID})
	}
	bt := must[onboarding.Bundle](t)(hub.CreateBundle(ctx, ac, onboarding.NewBundle{
		Kind: product, FriendlyName: "tag", PolicySID: shakenStirPolicy, Email: "isv@example.com",
	}))
	supporting := onboarding.Assignment{Object: object(hub.AssignEntity(ctx, ac, product, bt.SID, bu.SID)), ObjectSID: bu.SID}
	signing := onboarding.Assignment{Object: object(hub.AssignNumber(ctx, ac, product, bt.SID, b.numbers[0].SID)), ObjectSID: b.numbers[0].SID}

	sameAssignments(t, "entities on the profile", assignments(hub.ListEntityAssignments(ctx, ac, profile, bu.SID)), entities)
	sameAssignments(t, "numbers on the profile", assignments(hub.ListNumberAssignments(ctx, ac, profile, bu.SID)), endpoints)
	sameAssignments(t, "entities on the product", assignments(hub.ListEntityAssignments(ctx, ac, product, bt.SID)), []onboarding.Assignment{supporting})
	sameAssignments(t, "numbers on the product", assignments(hub.ListNumberAssignments(ctx, ac, product, bt.SID)), []onboarding.Assignment{signing})
}

// sameAssignments wants exactly those, oldest first and by SID within a second.
func sameAssignments(t *testing.T, what string, got, want []onboarding.Assignment) {
	t.Helper()
	want = slices.Clone(want)
	slices.SortFunc(want, func(a, b onboarding.Assignment) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.SID, b.SID)
	})
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

func TestWhatIsNotThereOrNoSIDIsSaidToBe(t *testing.T) {
	t.Parallel()
	b := setup(t, trusthubsim.Config{})
	ctx, hub, ac := context.Background(), b.hub, b.account
	reads := map[string]func(sid string) error{
		"end user": func(sid string) error { _, err := hub.FetchEndUser(ctx, ac, sid); return err },
		"document": func(sid string) error { _, err := hub.FetchSupportingDocument(ctx, ac, sid); return err },
		"entities": func(sid string) error { _, err := hub.ListEntityAssignments(ctx, ac, profile, sid); return err },
		"numbers":  func(sid string) error { _, err := hub.ListNumberAssignments(ctx, ac, product, sid); return err },
	}
	for what, read := range reads {
		if r := wantClass(t, read("XX"+strings.Repeat("0", 32)), onboarding.ClassPermanent); r.HTTPStatus != 404 {
			t.Errorf("%s: %+v", what, r)
		}
		before := len(b.sim.Requests())
		wantClass(t, read("../x?y"), onboarding.ClassPermanent)
		if len(b.sim.Requests()) != before {
			t.Errorf("%s: a malformed SID was asked for", what)
		}
	}
	_, err := hub.ListEntityAssignments(ctx, ac, 0, "BU"+strings.Repeat("0", 32))
	wantClass(t, err, onboarding.ClassPermanent)
	_, err = hub.ListNumberAssignments(ctx, ac, 0, "BU"+strings.Repeat("0", 32))
	wantClass(t, err, onboarding.ClassPermanent)
}

// TestLongListsAreReadToTheirEnd: a page holds a thousand at most.
func TestLongListsAreReadToTheirEnd(t *testing.T) {
	t.Parallel()
	b := setup(t, trusthubsim.Config{})
	for n := range 1001 {
		b.post(t, "/2010-04-01/Accounts/"+b.account+"/IncomingPhoneNumbers.json", url.Values{"PhoneNumber": {fmt.Sprintf("+1500556%04d", n)}})
	}
	numbers := must[[]onboarding.PhoneNumber](t)(b.hub.ListPhoneNumbers(context.Background(), b.account))
	if len(numbers) != 1003 || !slices.IsSortedFunc(numbers, func(a, b onboarding.PhoneNumber) int { return strings.Compare(a.Number, b.Number) }) {
		t.Errorf("%d numbers are listed, want 1003 by their numbers", len(numbers))
	}
}
