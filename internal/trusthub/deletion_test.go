package trusthub_test

import (
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// deletions are all kinds of deletions, in an order that Twilio accepts, by name.
func (w *world) deletions(t *testing.T) (names []string, deletions map[string]func() error) {
	t.Helper()
	ctx, hub, ac := t.Context(), w.hub, w.account
	object, bundle := must[onboarding.Object](t), must[onboarding.Bundle](t)
	ad := object(hub.CreateAddress(ctx, ac, "a", address))
	rd := object(hub.CreateSupportingDocument(ctx, ac, "d", ad.SID))
	it := object(hub.CreateEndUser(ctx, ac, representative))
	bu := bundle(hub.CreateBundle(ctx, ac, newBundle(profile, "b")))
	bt := bundle(hub.CreateBundle(ctx, ac, newBundle(product, "b")))
	bv := object(hub.AssignEntity(ctx, ac, profile, bu.SID, it.SID))
	ra := object(hub.AssignNumber(ctx, ac, profile, bu.SID, w.numbers[0].SID))
	productBV := object(hub.AssignEntity(ctx, ac, product, bt.SID, bu.SID))
	productRA := object(hub.AssignNumber(ctx, ac, product, bt.SID, w.numbers[0].SID))
	add := func(name string, deletion func() error) {
		names = append(names, name)
		deletions[name] = deletion
	}
	deletions = make(map[string]func() error)
	add("product's number", func() error { return hub.DeleteNumberAssignment(ctx, ac, product, bt.SID, productRA.SID) })
	add("product's entity", func() error { return hub.DeleteEntityAssignment(ctx, ac, product, bt.SID, productBV.SID) })
	add("product", func() error { return hub.DeleteBundle(ctx, ac, product, bt.SID) })
	add("profile's number", func() error { return hub.DeleteNumberAssignment(ctx, ac, profile, bu.SID, ra.SID) })
	add("profile's entity", func() error { return hub.DeleteEntityAssignment(ctx, ac, profile, bu.SID, bv.SID) })
	add("profile", func() error { return hub.DeleteBundle(ctx, ac, profile, bu.SID) })
	add("end user", func() error { return hub.DeleteEndUser(ctx, ac, it.SID) })
	add("document", func() error { return hub.DeleteSupportingDocument(ctx, ac, rd.SID) })
	add("address", func() error { return hub.DeleteAddress(ctx, ac, ad.SID) })
	return names, deletions
}

func TestADeletionMayBeRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	names, deletions := w.deletions(t)
	for _, name := range names {
		for _, time := range []string{"first", "second"} {
			if err := deletions[name](); err != nil {
				t.Errorf("the %s deletion of the %s: %v", time, name, err)
			}
		}
	}
	left := must[[]onboarding.Object](t)(
		w.hub.FindEndUsers(t.Context(), w.account, representative.FriendlyName, representative.Type))
	bundles := must[[]onboarding.Bundle](t)(w.hub.ListBundles(t.Context(), w.account, profile))
	addresses := must[[]onboarding.Object](t)(w.hub.FindAddresses(t.Context(), w.account, "a"))
	if len(left) != 0 || len(bundles) != 0 || len(addresses) != 0 {
		t.Errorf("left: %v, %v, %v", left, bundles, addresses)
	}
}

func TestADeletionThatTwilioRefusesFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	_, deletions := w.deletions(t)
	if err := deletions["end user"](); err == nil { // It is on the profile.
		t.Error("an assigned end user counts as deleted")
	}
	foreign := "AC" + strings.Repeat("9", 32)
	if err := w.hub.DeleteEndUser(t.Context(), foreign, "IT"+strings.Repeat("0", 32)); err == nil {
		t.Error("an end user counts as deleted whose account is not there")
	}
}
