package trusthubsim

import (
	"crypto/subtle"
	"net/http"
	"strings"
	"time"
)

// account is the parent or one of its subaccounts, with all that it holds.
type account struct {
	identity
	sim          *Simulator
	friendlyName string
	authToken    string
	status       string   // active, suspended or closed
	owner        *account // nil for the parent

	addresses collection[*address]
	numbers   collection[*phoneNumber]
	profiles  collection[*bundle]
	products  collection[*bundle]
	endUsers  collection[*endUser]
	documents collection[*document]
}

func (a *account) active() bool {
	return a.status == "active" && (a.owner == nil || a.owner.active())
}

// ownerSID is the parent's SID, for the parent too.
func (a *account) ownerSID() string {
	if a.owner == nil {
		return a.sid
	}
	return a.owner.sid
}

// authenticate finds the account whose credentials came. An API key is no account: none is known
// here, as none of the parent's reaches a subaccount at Twilio.
func (c *call) authenticate(r *http.Request) *apiError {
	user, password, ok := r.BasicAuth()
	if !ok {
		return refuse(http.StatusUnauthorized, codePermissionDenied, "Authentication Error - No credentials provided")
	}
	a, ok := c.sim.accounts.get(user)
	if !ok || subtle.ConstantTimeCompare([]byte(password), []byte(a.authToken)) != 1 {
		return refuse(http.StatusUnauthorized, codePermissionDenied, "Authenticate")
	}
	c.caller = a
	if !a.active() {
		return refuse(http.StatusUnauthorized, codeAccountNotActive, "Account not active")
	}
	return nil
}

// choose finds the account that the call acts on: the caller's under /v1, the one in the path under
// /2010-04-01, which is the caller or one of its subaccounts.
func (c *call) choose(method string) *apiError {
	c.account = c.caller
	if !strings.HasPrefix(c.path, "/2010-04-01/Accounts/") {
		return nil
	}
	a, ok := c.sim.accounts.get(c.sids[0])
	if !ok || a != c.caller && a.owner != c.caller {
		return notFound(c.path)
	}
	c.account = a
	itself := len(c.sids) == 1 && !strings.Contains(c.path, a.sid+"/")
	if !a.active() && method != http.MethodGet && !itself {
		return refuse(http.StatusUnauthorized, codeAccountNotActive, "Account not active")
	}
	return nil
}

type accountJSON struct {
	AuthToken       string            `json:"auth_token"`
	DateCreated     string            `json:"date_created"`
	DateUpdated     string            `json:"date_updated"`
	FriendlyName    string            `json:"friendly_name"`
	OwnerAccountSID string            `json:"owner_account_sid"`
	SID             string            `json:"sid"`
	Status          string            `json:"status"`
	SubresourceURIs map[string]string `json:"subresource_uris"`
	Type            string            `json:"type"`
	URI             string            `json:"uri"`
}

func (a *account) path() string { return "/2010-04-01/Accounts/" + a.sid }

func (a *account) render() any {
	return accountJSON{
		AuthToken: a.authToken, DateCreated: rfc2822(a.created), DateUpdated: rfc2822(a.updated),
		FriendlyName: a.friendlyName, OwnerAccountSID: a.ownerSID(), SID: a.sid, Status: a.status,
		SubresourceURIs: map[string]string{
			"addresses":              a.path() + "/Addresses.json",
			"incoming_phone_numbers": a.path() + "/IncomingPhoneNumbers.json",
		},
		Type: "Full", URI: a.path() + ".json",
	}
}

func (a *account) answer(status int) (answer, *apiError) {
	return answer{status: status, body: a.render(), sid: a.sid}, nil
}

func listAccounts(c *call) (answer, *apiError) {
	name, status := c.query.Get("FriendlyName"), c.query.Get("Status")
	mine := func(a *account) bool {
		return (a == c.caller || a.owner == c.caller) &&
			(name == "" || a.friendlyName == name) && (status == "" || a.status == status)
	}
	all := c.sim.accounts.order
	if c.caller.owner != nil { // spares a subaccount the walk through its siblings
		all = []*account{c.caller}
	}
	return v2010List(c, "accounts", all, mine, func(a *account) any { return a.render() })
}

func createAccount(c *call) (answer, *apiError) {
	if c.caller.owner != nil {
		return answer{}, refuse(http.StatusForbidden, codeAccessDenied, "A subaccount cannot create subaccounts")
	}
	a := &account{
		sim:          c.sim,
		identity:     c.sim.newIdentity(c.caller.sid, "AC", c.now),
		authToken:    c.sim.draw(c.caller.sid, "token"),
		friendlyName: c.form.Get("FriendlyName"),
		status:       "active",
		owner:        c.caller,
	}
	if a.friendlyName == "" {
		a.friendlyName = "SubAccount Created at " + c.now.Format("2006-01-02 03:04 pm")
	}
	c.sim.accounts.add(a)
	return a.answer(http.StatusCreated)
}

func fetchAccount(c *call) (answer, *apiError) { return c.account.answer(http.StatusOK) }

// updateAccount renames an account, or suspends, reactivates or closes a subaccount. Closed is
// final, and releases the account's numbers.
func updateAccount(c *call) (answer, *apiError) {
	a := c.account
	if status := c.form.Get("Status"); status != "" && status != a.status {
		switch {
		case a.owner == nil || a == c.caller:
			return answer{}, badRequest(codeInvalidParameter, "The status of %s can be changed by its parent only", a.sid)
		case a.status == "closed":
			return answer{}, badRequest(codeInvalidParameter, "%s is closed and cannot be reopened", a.sid)
		}
		a.status = status
		for status == "closed" && len(a.numbers.order) > 0 {
			a.release(a.numbers.order[0], c.now)
		}
	}
	c.set(&a.friendlyName, "FriendlyName")
	a.updated = c.now
	return a.answer(http.StatusOK)
}

// foundParent makes the parent account and its primary profile, which at Twilio is made in the
// Console only.
func (s *Simulator) foundParent(now time.Time) {
	now = now.UTC().Add(-24 * time.Hour) // older than any list lag in use
	s.seq++
	s.parent = &account{
		sim:          s,
		identity:     identity{sid: s.cfg.AccountSID, seq: s.seq, created: now, updated: now},
		friendlyName: "Parent account", authToken: s.cfg.AuthToken, status: "active",
	}
	s.accounts.add(s.parent)
	business := &endUser{
		identity: s.newIdentity(s.parent.sid, "IT", now), account: s.parent, friendlyName: "Business information",
		kind:       typeNamed(endUserTypes, businessInformation),
		attributes: map[string]any{"business_identity": s.cfg.PrimaryIdentity},
	}
	s.parent.endUsers.add(business)
	s.seq++
	validUntil := now.AddDate(1, 0, 1)
	primary := &bundle{
		identity: identity{sid: s.cfg.PrimaryProfileSID, seq: s.seq, created: now, updated: now},
		kind:     customerProfiles, account: s.parent, policy: policyBySID(PolicyPrimaryProfile),
		friendlyName: "Primary customer profile", email: "notifications@example.com",
		status: StatusApproved, validUntil: &validUntil, submissions: 1,
	}
	s.parent.profiles.add(primary)
	primary.attach(&entityAssignment{
		identity: s.newIdentity(s.parent.sid, "BV", now), bundle: primary, objectSID: business.sid,
		objectType: businessInformation, endUser: business,
	})
}

// primaryProfile is the parent's approved primary profile of an ISV, or nil.
func (s *Simulator) primaryProfile(now time.Time) *bundle {
	primary, ok := s.parent.profiles.get(s.cfg.PrimaryProfileSID)
	if !ok || !primary.approved(now) {
		return nil
	}
	for _, assigned := range primary.entities.order {
		if u := assigned.endUser; u != nil && u.attributes["business_identity"] == identityISV {
			return primary
		}
	}
	return nil
}

// rfc2822 is how the older API writes times.
func rfc2822(t time.Time) string { return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 +0000") }

// iso8601 is how Trust Hub writes times.
func iso8601(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
