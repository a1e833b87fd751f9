package trusthub_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// TestASubaccountIsCreatedFoundAndRenamed does so with the parent's credentials, and calls Trust
// Hub as the account right after: its token came with it.
func TestASubaccountIsCreatedFoundAndRenamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	ctx, hub := t.Context(), w.hub
	account, accounts := must[onboarding.Account](t), must[[]onboarding.Account](t)

	made := account(hub.CreateSubaccount(ctx, "onb_1.2 tag"))
	if made.SID == "" || made.OwnerSID != hub.ParentAccount() || made.Status != "active" {
		t.Errorf("made %+v", made)
	}
	if found := accounts(hub.FindSubaccounts(ctx, "onb_1.2 tag")); len(found) != 1 || found[0] != made {
		t.Errorf("found %+v, want %+v", found, made)
	}
	if _, err := hub.FindEndUsers(ctx, made.SID, "none", "none"); err != nil {
		t.Error(err)
	}
	const name = "Example Plumbing LLC (2)"
	if renamed := account(hub.RenameSubaccount(ctx, made.SID, name)); renamed != made {
		t.Errorf("renamed %+v, want %+v", renamed, made)
	}
	if found := accounts(hub.FindSubaccounts(ctx, "onb_1.2 tag")); found == nil || len(found) != 0 {
		t.Errorf("found %+v by the old name", found)
	}
	if found := accounts(hub.FindSubaccounts(ctx, name)); len(found) != 1 || found[0] != made {
		t.Errorf("found %+v, want %+v", found, made)
	}
	for _, r := range w.sim.Requests() {
		if r.Method == http.MethodGet && strings.HasSuffix(r.Path, made.SID+".json") {
			t.Error("the account was fetched for a token that its creation had named")
		}
	}
}

func TestOnlyOpenSubaccountsOfExactlyTheNameAreFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	var made []onboarding.Account
	for _, name := range []string{"tag", "tag", "tag", "tag 2", "TAG"} {
		made = append(made, must[onboarding.Account](t)(w.hub.CreateSubaccount(t.Context(), name)))
	}
	post(t, w.sim, "Accounts/"+made[1].SID+".json", url.Values{"Status": {"closed"}})
	post(t, w.sim, "Accounts/"+made[2].SID+".json", url.Values{"Status": {"suspended"}})
	post(t, w.sim, "Accounts/"+w.hub.ParentAccount()+".json", url.Values{"FriendlyName": {"tag"}})

	w.sim.ResetRequests()
	hub := w.connect(t)
	found := map[string]onboarding.Account{}
	for _, a := range must[[]onboarding.Account](t)(hub.FindSubaccounts(t.Context(), "tag")) {
		found[a.SID] = a
	}
	suspended := made[2]
	suspended.Status = "suspended"
	want := map[string]onboarding.Account{made[0].SID: made[0], suspended.SID: suspended}
	if !maps.Equal(found, want) {
		t.Errorf("found %+v, want %+v", found, want)
	}
	// The list has the tokens of its accounts.
	must[[]onboarding.Object](t)(hub.FindAddresses(t.Context(), made[0].SID, "none"))
	if n := len(w.sim.Requests()); n != 2 {
		t.Errorf("%d requests, want one for the list of accounts and one for the addresses", n)
	}
}

func TestNoSubaccountIsCreatedOrRenamedTooLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	late := onboarding.WithSendBy(t.Context(), time.Now().Add(-time.Second))
	_, err := w.hub.CreateSubaccount(late, "tag")
	wantClass(t, err, onboarding.ClassRepeatable)
	_, err = w.hub.RenameSubaccount(late, w.account, "tag")
	wantClass(t, err, onboarding.ClassRepeatable)
	if requests := w.sim.Requests(); len(requests) != 0 {
		t.Errorf("%d requests were sent", len(requests))
	}
}

func TestAnUnknownSubaccountCannotBeRenamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	_, err := w.hub.RenameSubaccount(t.Context(), "AC"+strings.Repeat("9", 32), "tag")
	if r := wantClass(t, err, onboarding.ClassPermanent); r.HTTPStatus != http.StatusNotFound {
		t.Errorf("the refusal is %+v", r)
	}
}
