package trusthubsim

import (
	"net/http"
	"slices"
)

// entityAssignment puts an end user, a supporting document or a customer profile on a bundle.
type entityAssignment struct {
	identity
	bundle     *bundle
	objectSID  string
	objectType string // machine name
	// One of these is the object.
	endUser  *endUser
	document *document
	profile  *bundle
}

// attach adds an assignment on both its sides.
func (b *bundle) attach(a *entityAssignment) {
	b.entities.add(a)
	switch {
	case a.endUser != nil:
		a.endUser.bundles = append(a.endUser.bundles, b)
	case a.document != nil:
		a.document.bundles = append(a.document.bundles, b)
	case a.profile != nil && a.profile.account == b.account:
		a.profile.products = append(a.profile.products, b)
	}
}

// detach removes an assignment on both its sides.
func (b *bundle) detach(a *entityAssignment) {
	b.entities.remove(a)
	without := func(bundles []*bundle) []*bundle {
		at := slices.Index(bundles, b)
		if at < 0 {
			return bundles
		}
		return slices.Delete(bundles, at, at+1)
	}
	switch {
	case a.endUser != nil:
		a.endUser.bundles = without(a.endUser.bundles)
	case a.document != nil:
		a.document.bundles = without(a.document.bundles)
	case a.profile != nil:
		a.profile.products = without(a.profile.products)
	}
}

// ofType is the bundle's assignment of an object of a type, or nil.
func (b *bundle) ofType(objectType string) *entityAssignment {
	for _, a := range b.entities.order {
		if a.objectType == objectType {
			return a
		}
	}
	return nil
}

// customerProfile is the profile that is assigned to the bundle, or nil.
func (b *bundle) customerProfile() *bundle {
	for _, a := range b.entities.order {
		if a.profile != nil {
			return a.profile
		}
	}
	return nil
}

// entityAssignmentJSON has one of the bundle's SIDs, the other is left out.
type entityAssignmentJSON struct {
	SID                string `json:"sid"`
	CustomerProfileSID string `json:"customer_profile_sid,omitempty"`
	TrustProductSID    string `json:"trust_product_sid,omitempty"`
	AccountSID         string `json:"account_sid"`
	ObjectSID          string `json:"object_sid"`
	DateCreated        string `json:"date_created"`
	URL                string `json:"url"`
}

// sidFor is the bundle's SID where the kind is its own, otherwise "".
func (b *bundle) sidFor(k *bundleKind) string {
	if b.kind == k {
		return b.sid
	}
	return ""
}

func (a *entityAssignment) render(base string) any {
	b := a.bundle
	return entityAssignmentJSON{
		SID: a.sid, CustomerProfileSID: b.sidFor(customerProfiles), TrustProductSID: b.sidFor(trustProducts),
		AccountSID: b.account.sid, ObjectSID: a.objectSID, DateCreated: iso8601(a.created),
		URL: b.url(base) + "/EntityAssignments/" + a.sid,
	}
}

// assignEntity puts an object of the same account on a bundle. The one object of another account
// that may be named is the parent's approved primary profile.
func (k *bundleKind) assignEntity(c *call) (answer, *apiError) {
	b, apiErr := k.bundle(c)
	if apiErr != nil {
		return answer{}, apiErr
	}
	a := &entityAssignment{bundle: b, objectSID: c.form.Get("ObjectSid")}
	if apiErr := a.resolve(c); apiErr != nil {
		return answer{}, apiErr
	}
	for _, other := range b.entities.order {
		if other.objectSID == a.objectSID {
			return answer{}, c.alreadyAssigned(a.objectSID, b.sid)
		}
	}
	if apiErr := b.locked(); apiErr != nil {
		return answer{}, apiErr
	}
	for _, other := range b.entities.order {
		if other.objectType == a.objectType || other.profile != nil && a.profile != nil {
			return answer{}, conflict("%s has another object of the type %s: %s", b.sid, a.objectType, other.objectSID)
		}
	}
	a.identity = c.sim.newIdentity(c.account.sid, "BV", c.now)
	b.attach(a)
	b.updated = c.now
	return answer{status: http.StatusCreated, body: a.render(c.base), sid: a.sid}, nil
}

// resolve finds the object that is to be assigned, and refuses one that the bundle's policy has no
// use for.
func (a *entityAssignment) resolve(c *call) *apiError {
	var known bool
	p := a.bundle.policy
	switch prefix := a.objectSID[:2]; prefix {
	case "IT":
		if a.endUser, known = c.account.endUsers.get(a.objectSID); known {
			a.objectType = a.endUser.kind.name
		}
	case "RD":
		if a.document, known = c.account.documents.get(a.objectSID); known {
			a.objectType = a.document.kind.name
		}
	case "BU":
		if a.profile, known = c.account.profiles.get(a.objectSID); !known && a.objectSID == c.sim.cfg.PrimaryProfileSID {
			a.profile = c.sim.primaryProfile(c.now)
			known = a.profile != nil
		}
		if known {
			a.objectType = a.profile.policy.bundleType
		}
	default:
		return badRequest(codeInvalidObjectType, "Attempting to add invalid object type to bundle: %s", a.objectSID)
	}
	if !known {
		return badRequest(codeInvalidObject, "Attempting to assign invalid object_sid to Bundle: %s", a.objectSID)
	}
	wanted := slices.ContainsFunc(slices.Concat(p.endUsers, p.documents), func(r requirement) bool { return r.kind.name == a.objectType }) ||
		slices.ContainsFunc(p.profiles, func(r profileRequirement) bool { return slices.Contains(r.types, a.objectType) })
	if !wanted {
		return badRequest(codeInvalidObjectType, "%s has no use for an object of the type %s", p.friendlyName, a.objectType)
	}
	return nil
}

func (k *bundleKind) listEntities(c *call) (answer, *apiError) {
	b, apiErr := k.bundle(c)
	if apiErr != nil {
		return answer{}, apiErr
	}
	objectType := c.query.Get("ObjectType")
	match := func(a *entityAssignment) bool { return objectType == "" || a.objectType == objectType }
	return trustHubList(c, "results", b.entities.order, match, func(a *entityAssignment) any { return a.render(c.base) })
}

func (k *bundleKind) entity(c *call) (*entityAssignment, *apiError) {
	b, apiErr := k.bundle(c)
	if apiErr != nil {
		return nil, apiErr
	}
	if a, ok := b.entities.get(c.lastSID()); ok {
		return a, nil
	}
	return nil, notFound(c.path)
}

func (k *bundleKind) fetchEntity(c *call) (answer, *apiError) {
	a, apiErr := k.entity(c)
	if apiErr != nil {
		return answer{}, apiErr
	}
	return answer{body: a.render(c.base), sid: a.sid}, nil
}

// unassignEntity takes an object off a bundle. A product keeps its profile as long as it has
// numbers.
func (k *bundleKind) unassignEntity(c *call) (answer, *apiError) {
	a, apiErr := k.entity(c)
	if apiErr != nil {
		return answer{}, apiErr
	}
	if apiErr := a.bundle.locked(); apiErr != nil {
		return answer{}, apiErr
	}
	if a.profile != nil && k == trustProducts && len(a.bundle.channels.order) > 0 {
		return answer{}, conflict("%s cannot be taken off %s, which has numbers", a.objectSID, a.bundle.sid)
	}
	a.bundle.detach(a)
	a.bundle.updated = c.now
	return answer{status: http.StatusNoContent, sid: a.sid}, nil
}
