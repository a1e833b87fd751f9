package trusthubsim

import (
	"net/http"
	"slices"
	"strings"
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

// TestAClosedAccountHasNoNumbers, and anybody may buy them.
func TestAClosedAccountHasNoNumbers(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	b.sub.number()
	number := b.sub.get(b.sub.v2010("/IncomingPhoneNumbers/" + p.number + ".json")).text("phone_number")
	b.parent.post(b.sub.v2010(".json"), "Status", "closed").want(200)
	if got := b.parent.get(b.sub.v2010("/IncomingPhoneNumbers.json")).sids(); len(got) != 0 {
		t.Errorf("it still has %v", got)
	}
	if got := b.sim.State().Accounts[b.sub.sid].CustomerProfiles[0].ChannelEndpointAssignments; len(got) != 0 {
		t.Errorf("its profile still has %v", got)
	}
	sibling := b.subaccount("Sibling")
	sibling.post(sibling.v2010("/IncomingPhoneNumbers.json"), "PhoneNumber", number).want(201)
}

// TestSubaccountsByName: the filter takes whole names, a new name is found at once and the old one
// no more.
func TestSubaccountsByName(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	list := func(query string) []string {
		t.Helper()
		return b.parent.get("/2010-04-01/Accounts.json?" + query).want(200).sids()
	}
	one, other := b.subaccount("onb_1 subaccount"), b.subaccount("onb_1 subaccount")
	b.subaccount("onb_1 subaccount 2")
	if got := list("FriendlyName=onb_1%20subaccount"); !slices.Equal(got, []string{other.sid, one.sid}) {
		t.Errorf("listed %v, want %s and %s", got, other.sid, one.sid)
	}
	if got := b.parent.post(one.v2010(".json"), "FriendlyName", "Example Roofing LLC").want(200).text("friendly_name"); got != "Example Roofing LLC" {
		t.Errorf("renamed to %s", got)
	}
	b.parent.post(one.v2010(".json"), "FriendlyName", strings.Repeat("n", 65)).refused(400, codeFriendlyName)
	b.parent.post(other.v2010(".json"), "Status", "closed").want(200)
	for query, want := range map[string][]string{
		"FriendlyName=Example%20Roofing%20LLC":            {one.sid},
		"FriendlyName=onb_1%20subaccount":                 {other.sid},
		"FriendlyName=onb_1%20subaccount&Status=active":   {},
		"FriendlyName=onb_1%20subaccount&Status=closed":   {other.sid},
		"FriendlyName=example%20roofing%20llc":            {},
		"FriendlyName=Example%20Roofing&Status=active":    {},
		"FriendlyName=Example%20Roofing%20LLC&PageSize=1": {one.sid},
	} {
		if got := list(query); !slices.Equal(got, want) {
			t.Errorf("%s: listed %v, want %v", query, got, want)
		}
	}
}
