package trusthubsim

import "net/http"

// endUser is a business or a person that a bundle is about.
type endUser struct {
	identity
	account      *account
	friendlyName string
	kind         *objectType
	attributes   map[string]any // replaced as a whole, never changed
	bundles      []*bundle      // that it is assigned to
}

type endUserJSON struct {
	SID          string         `json:"sid"`
	AccountSID   string         `json:"account_sid"`
	FriendlyName string         `json:"friendly_name"`
	Type         string         `json:"type"`
	Attributes   map[string]any `json:"attributes"`
	DateCreated  string         `json:"date_created"`
	DateUpdated  string         `json:"date_updated"`
	URL          string         `json:"url"`
}

func (u *endUser) render(base string) any {
	return endUserJSON{
		SID: u.sid, AccountSID: u.account.sid, FriendlyName: u.friendlyName, Type: u.kind.name, Attributes: u.attributes,
		DateCreated: iso8601(u.created), DateUpdated: iso8601(u.updated), URL: base + "/v1/EndUsers/" + u.sid,
	}
}

func (c *call) endUser() (*endUser, *apiError) {
	if u, ok := c.account.endUsers.get(c.lastSID()); ok {
		return u, nil
	}
	return nil, notFound(c.path)
}

// lockedBy is the first bundle that keeps what is assigned to it from being edited, or nil.
func lockedBy(bundles []*bundle) *bundle {
	for _, b := range bundles {
		if b.locked() != nil {
			return b
		}
	}
	return nil
}

func listEndUsers(c *call) (answer, *apiError) {
	return trustHubList(c, "results", c.account.endUsers.order, nil, func(u *endUser) any { return u.render(c.base) })
}

func createEndUser(c *call) (answer, *apiError) {
	kind := typeNamed(endUserTypes, c.form.Get("Type"))
	if kind == nil {
		return answer{}, badRequest(codeEndUserType, "Invalid End-User Type in request: %s", c.form.Get("Type"))
	}
	attributes, apiErr := c.readAttributes(kind, map[string]any{})
	if apiErr != nil {
		return answer{}, apiErr
	}
	u := &endUser{
		identity: c.sim.newIdentity(c.account.sid, "IT", c.now), account: c.account,
		friendlyName: c.form.Get("FriendlyName"), kind: kind, attributes: attributes,
	}
	c.account.endUsers.add(u)
	return answer{status: http.StatusCreated, body: u.render(c.base), sid: u.sid}, nil
}

func fetchEndUser(c *call) (answer, *apiError) {
	u, apiErr := c.endUser()
	if apiErr != nil {
		return answer{}, apiErr
	}
	return answer{body: u.render(c.base), sid: u.sid}, nil
}

func updateEndUser(c *call) (answer, *apiError) {
	u, apiErr := c.endUser()
	if apiErr != nil {
		return answer{}, apiErr
	}
	if b := lockedBy(u.bundles); b != nil {
		return answer{}, conflict("%s cannot be modified while %s is %s", u.sid, b.sid, b.status)
	}
	attributes, apiErr := c.readAttributes(u.kind, u.attributes)
	if apiErr != nil {
		return answer{}, apiErr
	}
	u.attributes = attributes
	c.set(&u.friendlyName, "FriendlyName")
	u.updated = c.now
	return answer{body: u.render(c.base), sid: u.sid}, nil
}

func deleteEndUser(c *call) (answer, *apiError) {
	u, apiErr := c.endUser()
	if apiErr != nil {
		return answer{}, apiErr
	}
	if len(u.bundles) > 0 {
		return answer{}, badRequest(codeEndUserAssigned, "End-User cannot be deleted due to an active assignment to %s", u.bundles[0].sid)
	}
	c.account.endUsers.remove(u)
	return answer{status: http.StatusNoContent, sid: u.sid}, nil
}
