package trusthubsim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// channelAssignment puts a phone number on a bundle. The number is of the bundle's account, or of a
// subaccount where the bundle is the parent's.
type channelAssignment struct {
	identity
	bundle *bundle
	number *phoneNumber
}

// use is the place that a number takes on bundles of the policy: one product of each policy, and
// one customer profile, whatever its policy.
func (p *policy) use() string {
	if p.kind == customerProfiles {
		return customerProfiles.resource
	}
	return p.sid
}

// end takes the number off its bundle.
func (a *channelAssignment) end(now time.Time) {
	delete(a.number.uses, a.bundle.policy.use())
	a.bundle.channels.remove(a)
	a.bundle.updated = now
}

type channelAssignmentJSON struct {
	SID                 string `json:"sid"`
	CustomerProfileSID  string `json:"customer_profile_sid,omitempty"`
	TrustProductSID     string `json:"trust_product_sid,omitempty"`
	AccountSID          string `json:"account_sid"`
	ChannelEndpointType string `json:"channel_endpoint_type"`
	ChannelEndpointSID  string `json:"channel_endpoint_sid"`
	DateCreated         string `json:"date_created"`
	URL                 string `json:"url"`
}

func (a *channelAssignment) render(base string) any {
	b := a.bundle
	return channelAssignmentJSON{
		SID: a.sid, CustomerProfileSID: b.sidFor(customerProfiles), TrustProductSID: b.sidFor(trustProducts),
		AccountSID: b.account.sid, ChannelEndpointType: "phone-number", ChannelEndpointSID: a.number.sid,
		DateCreated: iso8601(a.created), URL: b.url(base) + "/ChannelEndpointAssignments/" + a.sid,
	}
}

// numbersLocked refuses a change of the bundle's numbers while it is in review. Unlike everything
// else, the numbers of an approved bundle may change.
func (b *bundle) numbersLocked(c *call) *apiError {
	if b.status == StatusApproved || b.inReview() && b.kind == trustProducts && c.sim.cfg.NumbersDuringReview {
		return nil
	}
	return b.locked()
}

// numberFor finds the number that a call may put on bundles: one of its account or, for the parent,
// one of a subaccount as well. Twilio's guide for customers with subaccounts puts it on the
// parent's profile.
func (c *call) numberFor(sid string) *phoneNumber {
	if n, ok := c.account.numbers.get(sid); ok {
		return n
	}
	for _, a := range c.sim.accounts.order {
		if n, ok := a.numbers.get(sid); ok && a.owner == c.account {
			return n
		}
	}
	return nil
}

// assignChannel puts a number on a bundle: on one customer profile, and on one product of each
// policy. A product takes only numbers that are on the profile that is assigned to it.
func (k *bundleKind) assignChannel(c *call) (answer, *apiError) {
	b, apiErr := k.bundle(c)
	if apiErr != nil {
		return answer{}, apiErr
	}
	n := c.numberFor(c.form.Get("ChannelEndpointSid"))
	if n == nil {
		return answer{}, badRequest(codeInvalidObject, "%s is not a phone number of %s", c.form.Get("ChannelEndpointSid"), c.account.sid)
	}
	if other := n.uses[b.policy.use()]; other != nil {
		return answer{}, c.alreadyAssigned(n.sid, other.bundle.sid)
	}
	if apiErr := b.numbersLocked(c); apiErr != nil {
		return answer{}, apiErr
	}
	if kind := kindOf(n.number); !kind.fits(b.policy) && !c.sim.cfg.UnfitNumbers {
		return answer{}, badRequest(codeBadRequest, "%s is %s, and %s takes %s", n.sid, kind, b.policy.friendlyName, b.policy.wants())
	}
	if k == trustProducts {
		profile := b.customerProfile()
		if profile == nil {
			return answer{}, badRequest(codeBadRequest, "%s has no customer profile yet", b.sid)
		}
		if on := n.uses[customerProfiles.resource]; on == nil || on.bundle != profile {
			return answer{}, badRequest(codeBadRequest, "%s is not assigned to the customer profile %s of %s", n.sid, profile.sid, b.sid)
		}
	}
	a := b.addNumber(n, c.now)
	return answer{status: http.StatusCreated, body: a.render(c.base), sid: a.sid}, nil
}

// addNumber puts a number on the bundle.
func (b *bundle) addNumber(n *phoneNumber, now time.Time) *channelAssignment {
	a := &channelAssignment{identity: b.account.sim.newIdentity(b.account.sid, "RA", now), bundle: b, number: n}
	b.channels.add(a)
	if n.uses == nil {
		n.uses = map[string]*channelAssignment{}
	}
	n.uses[b.policy.use()] = a
	b.updated = now
	return a
}

func (k *bundleKind) listChannels(c *call) (answer, *apiError) {
	b, apiErr := k.bundle(c)
	if apiErr != nil {
		return answer{}, apiErr
	}
	one, several := c.query.Get("ChannelEndpointSid"), strings.Split(c.query.Get("ChannelEndpointSids"), ",")
	match := func(a *channelAssignment) bool {
		return (one == "" || a.number.sid == one) && (several[0] == "" || slices.Contains(several, a.number.sid))
	}
	return trustHubList(c, "results", b.channels.order, match, func(a *channelAssignment) any { return a.render(c.base) })
}

func (k *bundleKind) channel(c *call) (*channelAssignment, *apiError) {
	b, apiErr := k.bundle(c)
	if apiErr != nil {
		return nil, apiErr
	}
	if a, ok := b.channels.get(c.lastSID()); ok {
		return a, nil
	}
	return nil, notFound(c.path)
}

func (k *bundleKind) fetchChannel(c *call) (answer, *apiError) {
	a, apiErr := k.channel(c)
	if apiErr != nil {
		return answer{}, apiErr
	}
	return answer{body: a.render(c.base), sid: a.sid}, nil
}

// unassignChannel takes a number off a bundle; off a customer profile only when it is on no product
// any more. A rejected product gives its numbers up even where it cannot be reopened, since they
// are to go on the one that takes its place.
func (k *bundleKind) unassignChannel(c *call) (answer, *apiError) {
	a, apiErr := k.channel(c)
	if apiErr != nil {
		return answer{}, apiErr
	}
	if apiErr := a.bundle.numbersLocked(c); apiErr != nil && a.bundle.status != StatusRejected {
		return answer{}, apiErr
	}
	if k == customerProfiles {
		for _, p := range policies {
			other := a.number.uses[p.use()]
			if other != nil && other.bundle.kind == trustProducts {
				return answer{}, badRequest(codeBadRequest, "%s is still assigned to the trust product %s", a.number.sid, other.bundle.sid)
			}
		}
	}
	a.end(c.now)
	return answer{status: http.StatusNoContent, sid: a.sid}, nil
}
