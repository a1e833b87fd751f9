package trusthub_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// TestASubaccountIsMadeFoundAndRenamed does so with the parent's credentials, and acts on the account right after: its token came with it.
func TestASubaccountIsMadeFoundAndRenamed(t *testing.T) {
	t.Parallel()
	b := setup(t, trusthubsim.Config{})
	ctx, hub := context.Background(), b.hub
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
	if renamed := account(hub.RenameSubaccount(ctx, made.SID, "Example Plumbing LLC (2)")); renamed != made {
		t.Errorf("renamed %+v, want %+v", renamed, made)
	}
	if found := accounts(hub.FindSubaccounts(ctx, "onb_1.2 tag")); found == nil || len(found) != 0 {
		t.Errorf("found %+v under the name of before", found)
	}
	if found := accounts(hub.FindSubaccounts(ctx, "Example Plumbing LLC (2)")); len(found) != 1 || found[0] != made {
		t.Errorf("found %+v, want %+v", found, made)
	}
	for _, r := range b.sim.Requests() {
		if r.Method == http.MethodGet && strings.HasSuffix(r.Path, made.SID+".json") {
			t.Error("the account was fetched for the token that its creation had named")
		}
	}
}

func TestSubaccountsAreFoundByTheWholeNameAndNotOnceClosed(t *testing.T) {
	t.Parallel()
	b := setup(t, trusthubsim.Config{})
	ctx, hub := context.Background(), b.hub
	var made []onboarding.Account
	for _, name := range []string{"tag", "tag", "tag", "tag 2", "TAG"} {
		made = append(made, must[onboarding.Account](t)(hub.CreateSubaccount(ctx, name)))
	}
	b.post(t, "/2010-04-01/Accounts/"+made[1].SID+".json", url.Values{"Status": {"closed"}})
	b.post(t, "/2010-04-01/Accounts/"+made[2].SID+".json", url.Values{"Status": {"suspended"}})
	b.post(t, "/2010-04-01/Accounts/"+hub.ParentAccount()+".json", url.Values{"FriendlyName": {"tag"}})

	found := map[string]onboarding.Account{}
	for _, a := range must[[]onboarding.Account](t)(hub.FindSubaccounts(ctx, "tag")) {
		found[a.SID] = a
	}
	suspended := made[2]
	suspended.Status = "suspended"
	if want := map[string]onboarding.Account{made[0].SID: made[0], suspended.SID: suspended}; !maps.Equal(found, want) {
		t.Errorf("found %+v, want %+v", found, want)
	}
}

// TestTheCreationOfASubaccountIsNeverRepeated breaks it in every way that leaves its outcome open, and in those that do not: the lookup
// tells whether it was made, and at most one was.
func TestTheCreationOfASubaccountIsNeverRepeated(t *testing.T) {
	t.Parallel()
	for i, c := range []struct {
		fault trusthubsim.Fault
		class onboarding.Class
		made  int
	}{
		{trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: 401}, onboarding.ClassCredentials, 0},
		{trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: 429}, onboarding.ClassRepeatable, 0},
		{trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: 503}, onboarding.ClassUnknown, 0},
		{trusthubsim.Fault{Effect: trusthubsim.EffectDropBefore}, onboarding.ClassUnknown, 0},
		{trusthubsim.Fault{Effect: trusthubsim.EffectStatusAfter, Status: 500}, onboarding.ClassUnknown, 1},
		{trusthubsim.Fault{Effect: trusthubsim.EffectHTMLAfter}, onboarding.ClassUnknown, 1},
		{trusthubsim.Fault{Effect: trusthubsim.EffectDropAfter}, onboarding.ClassUnknown, 1},
		{trusthubsim.Fault{Effect: trusthubsim.EffectTruncateAfter}, onboarding.ClassUnknown, 1},
	} {
		t.Run(fmt.Sprintf("%d %s", i, c.fault.Effect), func(t *testing.T) {
			t.Parallel()
			b := setup(t, trusthubsim.Config{})
			c.fault.Method, c.fault.Path, c.fault.Times = http.MethodPost, "/2010-04-01/Accounts.json", 1
			if _, err := b.sim.AddFault(c.fault); err != nil {
				t.Fatal(err)
			}
			_, err := b.hub.CreateSubaccount(context.Background(), "tag")
			wantClass(t, err, c.class)
			found, err := b.connect(t).FindSubaccounts(context.Background(), "tag")
			if err != nil || len(found) != c.made {
				t.Errorf("found %v, %v; want %d", found, err, c.made)
			}
			posts := 0
			for _, request := range b.sim.Requests() {
				if request.Method == http.MethodPost {
					posts++
				}
			}
			if posts != 1 {
				t.Errorf("the POST was made %d times", posts)
			}
		})
	}
}

func TestNoSubaccountIsMadeOrRenamedTooLate(t *testing.T) {
	t.Parallel()
	b := setup(t, trusthubsim.Config{})
	late := onboarding.WithSendBy(context.Background(), time.Now().Add(-time.Second))
	_, err := b.hub.CreateSubaccount(late, "tag")
	wantClass(t, err, onboarding.ClassRepeatable)
	_, err = b.hub.RenameSubaccount(late, b.account, "tag")
	wantClass(t, err, onboarding.ClassRepeatable)
	if requests := b.sim.Requests(); len(requests) != 0 {
		t.Errorf("%d requests were made", len(requests))
	}
}

func TestARenamedAccountMustHaveASID(t *testing.T) {
	t.Parallel()
	b := setup(t, trusthubsim.Config{})
	_, err := b.hub.RenameSubaccount(context.Background(), "../Accounts", "tag")
	wantClass(t, err, onboarding.ClassPermanent)
	_, err = b.hub.RenameSubaccount(context.Background(), "AC"+strings.Repeat("9", 32), "tag")
	if r := wantClass(t, err, onboarding.ClassPermanent); r.HTTPStatus != http.StatusNotFound {
		t.Errorf("an unknown account is refused with %+v", r)
	}
	if requests := b.sim.Requests(); len(requests) != 1 {
		t.Errorf("%d requests were made", len(requests))
	}
}
