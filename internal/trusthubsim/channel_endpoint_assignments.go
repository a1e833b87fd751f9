package trusthubsim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// channelAssignment puts a phone number on a bundle.
type channelAssignment struct {
	identity
	bundle *bundle
	number string // PN SID
}

// useOf is the place that a number takes on bundles of a policy.
func useOf(number string, p *policy) endpointUse {
	if p.kind == customerProfiles {
		return endpointUse{number: number, kind: customerProfiles}
	}
	return endpointUse{number: number, kind: trustProducts, policy: p.sid}
}

// end takes the number off its bundle.
func (a *channelAssignment) end(now time.Time) {
	delete(a.bundle.account.endpointUses, useOf(a.number, a.bundle.policy))
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
		AccountSID: b.account.sid, ChannelEndpointType: "phone-number", ChannelEndpointSID: a.number,
		DateCreated: iso8601(a.created), URL: b.url(base) + "/ChannelEndpointAssignments/" + a.sid,
	}
}

// numbersLocked refuses a change of the bundle's numbers while it is in review. Unlike everything else, the numbers of
// an approved bundle may change.
func (b *bundle) numbersLocked(c *call) *apiError {
	if b.status == StatusApproved || b.inReview() && b.kind == trustProducts && c.sim.cfg.NumbersDuringReview {
		return nil
	}
	return b.locked()
}

// assignChannel puts a number on a bundle: on one customer profile, and on one product of each policy. A product takes
// only numbers that are on the profile that is assigned to it.
func (k *bundleKind) assignChannel(c *call) (answer, *apiError) {
	b, apiErr := k.bundle(c)
	if apiErr != nil {
		return answer{}, apiErr
	}
	number := c.form.Get("ChannelEndpointSid")
	if _, ok := c.account.numbers.get(number); !ok {
		return answer{}, badRequest(codeInvalidObject, "%s is not a phone number of %s", number, c.account.sid)
	}
	use := useOf(number, b.policy)
	if other := c.account.endpointUses[use]; other != nil {
		return answer{}, alreadyAssigned(number, other.bundle.sid)
	}
	if apiErr := b.numbersLocked(c); apiErr != nil {
		return answer{}, apiErr
	}
	if k == trustProducts {
		profile := b.customerProfile()
		if profile == nil {
			return answer{}, badRequest(codeBadRequest, "%s has no customer profile yet", b.sid)
		}
		on := c.account.endpointUses[endpointUse{number: number, kind: customerProfiles}]
		if on == nil || on.bundle != profile {
			return answer{}, badRequest(codeBadRequest, "%s is not assigned to the customer profile %s of %s", number, profile.sid, b.sid)
		}
	}
	a := &channelAssignment{identity: c.sim.newIdentity(c.account.sid, "RA", c.now), bundle: b, number: number}
	b.channels.add(a)
	if c.account.endpointUses == nil {
		c.account.endpointUses = map[endpointUse]*channelAssignment{}
	}
	c.account.endpointUses[use] = a
	b.updated = c.now
	return answer{status: http.StatusCreated, body: a.render(c.base), sid: a.sid}, nil
}

func (k *bundleKind) listChannels(c *call) (answer, *apiError) {
	b, apiErr := k.bundle(c)
	if apiErr != nil {
		return answer{}, apiErr
	}
	one, several := c.query.Get("ChannelEndpointSid"), strings.Split(c.query.Get("ChannelEndpointSids"), ",")
	match := func(a *channelAssignment) bool {
		return (one == "" || a.number == one) && (several[0] == "" || slices.Contains(several, a.number))
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

// unassignChannel takes a number off a bundle; off a customer profile only when it is on no product any more. A rejected
// product gives its numbers up even where it cannot be reopened, since they are to go on the one that takes its place.
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
			other := c.account.endpointUses[useOf(a.number, p)]
			if other != nil && other.bundle.kind == trustProducts {
				return answer{}, badRequest(codeBadRequest, "%s is still assigned to the trust product %s", a.number, other.bundle.sid)
			}
		}
	}
	a.end(c.now)
	return answer{status: http.StatusNoContent, sid: a.sid}, nil
}
