package trusthubsim

import (
	"net/http"
	"testing"
)

// TestCredentialsChooseTheAccount: what a call sees depends on who signed it, not on what it names.
func TestCredentialsChooseTheAccount(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	profile := b.sub.draftProfile()
	sibling := b.subaccount("Sibling")

	b.sub.get(profilePath(profile)).want(200)
	b.parent.get(profilePath(profile)).refused(404, codeNotFound)
	sibling.get(profilePath(profile)).refused(404, codeNotFound)
	sibling.post(profilePath(profile), "FriendlyName", "mine").refused(404, codeNotFound)
	sibling.delete(profilePath(profile)).refused(404, codeNotFound)
	if got := sibling.get("/v1/CustomerProfiles").sids(); len(got) != 0 {
		t.Errorf("a sibling's list shows %v", got)
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	sibling := b.subaccount("Sibling")
	with := func(sid, token string) caller {
		c := b.sub
		c.sid, c.token = sid, token
		return c
	}
	addresses := b.sub.v2010("/Addresses.json")
	for _, test := range []struct {
		name         string
		by           caller
		path         string
		status, code int
	}{
		{"right", b.sub, "/v1/EndUsers", 200, 0},
		{"wrong token", with(b.sub.sid, "wrong"), "/v1/EndUsers", 401, codePermissionDenied},
		{"another account's token", with(b.sub.sid, b.parent.token), "/v1/EndUsers", 401, codePermissionDenied},
		{"unknown account", with("AC000000000000000000000000000000ff", "x"), "/v1/EndUsers", 401, codePermissionDenied},
		{"an API key", with("SK000000000000000000000000000000ff", "x"), "/v1/EndUsers", 401, codePermissionDenied},
		{"the parent on its subaccount's path", b.parent, addresses, 200, 0},
		{"a sibling on that path", sibling, addresses, 404, codeNotFound},
		{"a subaccount on the parent's path", b.sub, b.parent.v2010(".json"), 404, codeNotFound},
		{"a wrong token on an unknown path", with(b.sub.sid, "wrong"), "/v1/Nothing", 401, codePermissionDenied},
	} {
		r := test.by.get(test.path)
		if test.code == 0 {
			r.want(test.status)
		} else {
			r.refused(test.status, test.code)
		}
	}

	response, err := (transport{b.sim}).RoundTrip(mustRequest(t, http.MethodGet, "/v1/EndUsers"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized || response.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("without credentials: %v", response)
	}
}

func mustRequest(t *testing.T, method, path string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "https://trusthub.twilio.com"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return request
}

// TestTheParentReadsItsSubaccounts, their tokens included, and they read themselves only.
func TestTheParentReadsItsSubaccounts(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	got := b.parent.get(b.sub.v2010(".json")).want(200)
	if got.text("auth_token") != b.sub.token || got.text("owner_account_sid") != b.parent.sid || got.text("status") != "active" {
		t.Errorf("the subaccount reads %v", got.body)
	}
	b.subaccount("Another")
	if got := b.parent.get("/2010-04-01/Accounts.json").sids(); len(got) != 3 {
		t.Errorf("the parent lists %v, want itself and two subaccounts", got)
	}
	if got := b.parent.get("/2010-04-01/Accounts.json?FriendlyName=Another").sids(); len(got) != 1 {
		t.Errorf("by name the parent lists %v, want one", got)
	}
	if got := b.sub.get("/2010-04-01/Accounts.json").sids(); len(got) != 1 || got[0] != b.sub.sid {
		t.Errorf("the subaccount lists %v, want itself", got)
	}
	b.sub.post("/2010-04-01/Accounts.json", "FriendlyName", "Grandchild").refused(403, codeAccessDenied)
}

func TestSuspendedAndClosedAccounts(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	itself := b.sub.v2010(".json")
	b.sub.post(itself, "Status", "suspended").refused(400, codeInvalidParameter)
	b.parent.post(b.parent.v2010(".json"), "Status", "suspended").refused(400, codeInvalidParameter)

	b.parent.post(itself, "Status", "suspended").want(200)
	b.sub.get("/v1/EndUsers").refused(401, codeAccountNotActive)
	b.sub.get(itself).refused(401, codeAccountNotActive)
	b.parent.get(b.sub.v2010("/IncomingPhoneNumbers.json")).want(200)
	b.parent.post(b.sub.v2010("/IncomingPhoneNumbers.json"), "AreaCode", "415").refused(401, codeAccountNotActive)
	if got := b.parent.get("/2010-04-01/Accounts.json?Status=suspended").sids(); len(got) != 1 {
		t.Errorf("suspended accounts: %v, want one", got)
	}

	b.parent.post(itself, "Status", "active").want(200)
	b.sub.get("/v1/EndUsers").want(200)

	b.parent.post(itself, "Status", "closed").want(200)
	b.parent.post(itself, "Status", "active").refused(400, codeInvalidParameter)
	b.sub.get("/v1/EndUsers").refused(401, codeAccountNotActive)
}
