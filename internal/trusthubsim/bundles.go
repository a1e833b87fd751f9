package trusthubsim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Status is the status of a customer profile or a trust product.
type Status string

// The statuses of bundles. An account's own requests may bring a bundle to pending-review only.
const (
	StatusDraft         Status = "draft"
	StatusPendingReview Status = "pending-review"
	StatusInReview      Status = "in-review"
	StatusRejected      Status = "twilio-rejected"
	StatusApproved      Status = "twilio-approved"
)

var statuses = []string{
	string(StatusDraft), string(StatusPendingReview), string(StatusInReview), string(StatusRejected), string(StatusApproved),
}

// bundleKind is what differs between customer profiles and trust products.
type bundleKind struct {
	resource  string // in paths
	linkName  string // in the names of links
	bundlesOf func(*account) *collection[*bundle]
}

var (
	customerProfiles = &bundleKind{
		resource: "CustomerProfiles", linkName: "customer_profiles",
		bundlesOf: func(a *account) *collection[*bundle] { return &a.profiles },
	}
	trustProducts = &bundleKind{
		resource: "TrustProducts", linkName: "trust_products",
		bundlesOf: func(a *account) *collection[*bundle] { return &a.products },
	}
)

// bundle is a customer profile or a trust product.
type bundle struct {
	identity
	kind                                *bundleKind
	account                             *account
	policy                              *policy
	friendlyName, email, statusCallback string
	status                              Status
	validUntil                          *time.Time
	errors                              []ReviewError // of the last rejection; nil otherwise
	calledReason                        string        // of the last rejection, for callbacks

	entities    collection[*entityAssignment]
	channels    collection[*channelAssignment]
	evaluations collection[*evaluation]
	products    []*bundle // that name this profile, in the order in which they did
	submissions int       // that were accepted

	review     []*alarm  // what the checks and the automatic review are still to do
	checked    []finding // what the checks after the last submission have found
	reviewOver bool      // a product's review that waits for its profile
}

// approved reports whether the bundle counts as approved: it was, and the approval has not lapsed.
func (b *bundle) approved(now time.Time) bool {
	return b.status == StatusApproved && (b.validUntil == nil || now.Before(*b.validUntil))
}

func (b *bundle) inReview() bool {
	return b.status == StatusPendingReview || b.status == StatusInReview
}

// locked refuses an edit of the bundle or of what is assigned to it while it is in review or,
// unless the switch says otherwise, approved.
func (b *bundle) locked() *apiError {
	final := b.status == StatusRejected && b.kind == trustProducts && b.account.sim.cfg.RejectedProductsFinal
	editable := b.status == StatusApproved && b.account.sim.cfg.EditApproved && !b.policy.consoleOnly
	if b.status == StatusDraft || b.status == StatusRejected && !final || editable {
		return nil
	}
	return conflict("%s cannot be modified while it is %s", b.sid, b.status)
}

type bundleJSON struct {
	SID            string            `json:"sid"`
	AccountSID     string            `json:"account_sid"`
	PolicySID      string            `json:"policy_sid"`
	FriendlyName   string            `json:"friendly_name"`
	Status         Status            `json:"status"`
	ValidUntil     *string           `json:"valid_until"`
	Email          string            `json:"email"`
	StatusCallback *string           `json:"status_callback"`
	DateCreated    string            `json:"date_created"`
	DateUpdated    string            `json:"date_updated"`
	URL            string            `json:"url"`
	Links          map[string]string `json:"links"`
	Errors         []ReviewError     `json:"errors"`
}

func (b *bundle) url(base string) string { return base + "/v1/" + b.kind.resource + "/" + b.sid }

func (b *bundle) render(base string) any {
	url := b.url(base)
	rendered := bundleJSON{
		SID: b.sid, AccountSID: b.account.sid, PolicySID: b.policy.sid, FriendlyName: b.friendlyName, Status: b.status,
		Email: b.email, StatusCallback: orNull(b.statusCallback),
		DateCreated: iso8601(b.created), DateUpdated: iso8601(b.updated), URL: url,
		Links: map[string]string{
			b.kind.linkName + "_entity_assignments":          url + "/EntityAssignments",
			b.kind.linkName + "_evaluations":                 url + "/Evaluations",
			b.kind.linkName + "_channel_endpoint_assignment": url + "/ChannelEndpointAssignments",
		},
		Errors: b.errors,
	}
	if b.validUntil != nil {
		until := iso8601(*b.validUntil)
		rendered.ValidUntil = &until
	}
	return rendered
}

func (b *bundle) answer(c *call, status int) (answer, *apiError) {
	return answer{status: status, body: b.render(c.base), sid: b.sid}, nil
}

// bundle is the one that the path starts with. Profiles are not found among products, nor the
// reverse.
func (k *bundleKind) bundle(c *call) (*bundle, *apiError) {
	if b, ok := k.bundlesOf(c.account).get(c.sids[0]); ok {
		return b, nil
	}
	return nil, notFound(c.path)
}

// create makes a draft. A secondary profile needs an approved primary one of an ISV in the parent
// account.
func (k *bundleKind) create(c *call) (answer, *apiError) {
	p := policyBySID(c.form.Get("PolicySid"))
	switch {
	case p == nil || p.kind != k:
		return answer{}, badRequest(codeInvalidParameter, "Invalid parameter PolicySid")
	case p.consoleOnly:
		return answer{}, badRequest(codeBadRequest, "%s can only be created through Twilio console.", p.friendlyName)
	case p.sid == PolicySecondaryProfile && c.sim.primaryProfile(c.now) == nil:
		return answer{}, badRequest(codeBadRequest,
			"Secondary Customer Profile for direct_customer can only be created through Twilio console.")
	}
	b := &bundle{
		identity: c.sim.newIdentity(c.account.sid, "BU", c.now),
		kind:     k, account: c.account, policy: p, status: StatusDraft,
		friendlyName: c.form.Get("FriendlyName"), email: c.form.Get("Email"), statusCallback: c.form.Get("StatusCallback"),
	}
	k.bundlesOf(c.account).add(b)
	return b.answer(c, http.StatusCreated)
}

func (k *bundleKind) list(c *call) (answer, *apiError) {
	status, name, policySID := c.query.Get("Status"), c.query.Get("FriendlyName"), c.query.Get("PolicySid")
	lowerName := strings.ToLower(name)
	named := func(b *bundle) bool { return strings.Contains(strings.ToLower(b.friendlyName), lowerName) }
	if c.sim.cfg.ExactNameFilter {
		named = func(b *bundle) bool { return name == "" || b.friendlyName == name }
	}
	if status != "" && !slices.Contains(statuses, status) {
		return answer{}, badRequest(codeBundleStatus, "Invalid parameter Status")
	}
	match := func(b *bundle) bool {
		return (status == "" || string(b.status) == status) && (policySID == "" || b.policy.sid == policySID) && named(b)
	}
	return trustHubList(c, "results", k.bundlesOf(c.account).order, match, func(b *bundle) any { return b.render(c.base) })
}

func (k *bundleKind) fetch(c *call) (answer, *apiError) {
	b, apiErr := k.bundle(c)
	if apiErr != nil {
		return answer{}, apiErr
	}
	return b.answer(c, http.StatusOK)
}

// update changes properties, or submits. A submission may bring StatusCallback along, as Twilio's
// guide has it, and nothing else.
func (k *bundleKind) update(c *call) (answer, *apiError) {
	b, apiErr := k.bundle(c)
	if apiErr != nil {
		return answer{}, apiErr
	}
	submits := c.form.Has("Status")
	alone := len(c.form) == 1 || len(c.form) == 2 && c.form.Has("StatusCallback") && !c.sim.cfg.StatusAlone
	switch {
	case submits && !alone:
		return answer{}, badRequest(codeStatusAndProps, "Bundle status and properties cannot be updated in the same request")
	case submits && c.form.Get("Status") != string(StatusPendingReview):
		return answer{}, badRequest(codeBundleStatus, "Status can be updated to pending-review only")
	}
	if apiErr := b.locked(); apiErr != nil {
		return answer{}, apiErr
	}
	if submits {
		before := b.statusCallback
		c.set(&b.statusCallback, "StatusCallback")
		if apiErr := c.sim.submit(b, c.now); apiErr != nil {
			b.statusCallback = before
			return answer{}, apiErr
		}
		return b.answer(c, http.StatusOK)
	}
	c.set(&b.friendlyName, "FriendlyName")
	c.set(&b.email, "Email")
	c.set(&b.statusCallback, "StatusCallback")
	b.updated = c.now
	return b.answer(c, http.StatusOK)
}

// delete removes a bundle and its assignments, unless it is in review, has numbers, or supports a
// product.
func (k *bundleKind) delete(c *call) (answer, *apiError) {
	b, apiErr := k.bundle(c)
	switch {
	case apiErr != nil:
		return answer{}, apiErr
	case b.inReview() || b.policy.consoleOnly:
		return answer{}, badRequest(codeBundleInReview, "%s is not eligible for deletion while it is %s", b.sid, b.status)
	case len(b.channels.order) > 0:
		return answer{}, badRequest(codeBundleHasNumbers, "%s cannot be deleted due to active number assignment", b.sid)
	case len(b.products) > 0:
		return answer{}, conflict("%s cannot be deleted while %s names it", b.sid, b.products[0].sid)
	}
	for len(b.entities.order) > 0 {
		b.detach(b.entities.order[len(b.entities.order)-1])
	}
	k.bundlesOf(c.account).remove(b)
	return answer{status: http.StatusNoContent, sid: b.sid}, nil
}
