package plan

import (
	"cmp"
	"fmt"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// Gate says when a product is evaluated and submitted. Twilio's documents do not settle whether a
// product may be submitted before the profile under it is approved.
type Gate string

// The gates.
const (
	// GateAuto evaluates the product once the profile is submitted, and waits for the approval only
	// if that is all the evaluation asks for.
	GateAuto Gate = "auto"
	// GateSubmitted goes on as soon as the profile is submitted.
	GateSubmitted Gate = "submitted"
	// GateApproved waits until the profile is approved.
	GateApproved Gate = "approved"
)

// Config is what a plan takes from the configuration of the service.
type Config struct {
	// SecondaryProfilePolicySID and the products' policies (RN…) are Twilio's, the same for all
	// accounts. Empty means the published one.
	SecondaryProfilePolicySID string
	ShakenStirPolicySID       string
	VoiceIntegrityPolicySID   string
	CNAMPolicySID             string
	// Gate is [GateAuto] if empty.
	Gate Gate
	// CallbackURL returns the URL for an onboarding's status callbacks; nil, or "", means none.
	CallbackURL func(token string) string
	// LeaveLostNumbers leaves a number that has vanished from a bundle to a person; otherwise it is
	// put there again.
	LeaveLostNumbers bool
	// ListsLag is how long Twilio's lists may lack what was put on them.
	ListsLag time.Duration
	// EndingNotice is how long before an approval ends somebody is asked to act; 0 means when it
	// has ended.
	EndingNotice time.Duration
	// Now is the clock that Twilio's dates are compared with.
	Now func() time.Time
}

// The policies as Twilio publishes them. The guide says that they never change, the API's overview
// that they should not be built in: hence defaults that configuration can override.
const (
	DefaultSecondaryProfilePolicySID = "RNdfbf3fae0e1107f8aded0e7cead80bf5"
	DefaultShakenStirPolicySID       = "RN7a97559effdf62d00f4298208492a5ea"
	DefaultVoiceIntegrityPolicySID   = "RN5b3660f9598883b1df4e77f77acefba0"
	DefaultCNAMPolicySID             = "RNf3db3cd1fe25fcfd3c3ded065c8fea53"
)

// TrustHub is the plan for everything that a request can ask for: a secondary customer profile in
// the subaccount, connected to the ISV's primary one and reviewed, then the products on top of it,
// each reviewed as well. The SHAKEN/STIR trust product ends in A-level attestation.
//
// Steps that do not need each other run at the same time. The longest chain is eight calls:
// preflight, address, document, its assignment, and evaluation and submission of profile and
// product.
//
// What was made for an earlier version of the request and is not wanted any more is taken back in
// the reverse order. So is everything, if the onboarding was canceled and is to be cleaned up.
//
// Source: Twilio's guide "SHAKEN/STIR Onboarding with the Trust Hub REST API (ISVs/Resellers using
// Subaccounts)".
func TrustHub(c Config) onboarding.Plan {
	return onboarding.Plan{Nodes: c.nodes, Explain: explain}
}

// nodes lays out the steps forward, and the steps back.
func (c Config) nodes(o *onboarding.Onboarding) []onboarding.Node {
	wanted, made := wantedShape(o), madeShape(o)
	switch {
	case !o.CanceledAt.IsZero() && o.Cleanup:
		return cleanedUp(o, c.forward(o, wanted.with(made)))
	case !o.CanceledAt.IsZero():
		return settled(c.forward(o, wanted.with(made)), func(*onboarding.Node) bool { return true })
	}
	if len(wanted.numbers) == 0 {
		made.numbers = nil // They are not resolved (yet): that takes none away.
	}
	nodes := c.forward(o, wanted)
	if wanted.includes(made) {
		return nodes
	}
	return withTakenBack(o, nodes, c.forward(o, wanted.with(made)))
}

// forward lays out the steps for a request of that shape.
func (c Config) forward(o *onboarding.Onboarding, s shape) []onboarding.Node {
	r := o.Request
	profile := c.profile(o)
	var nodes []onboarding.Node
	var before []onboarding.Key
	if r.Subaccount != nil {
		nodes = append(nodes, subaccount(), subaccountName())
		before = []onboarding.Key{onboarding.SubaccountKey}
	}
	nodes = append(nodes,
		preflight(before),
		profile.create(c.CallbackURL),
		profile.assignPrimary(),
		address(r),
		addressDocument(r),
		profile.assign(onboarding.AddressDocumentKey),
		businessInformation(r),
		profile.assign(onboarding.BusinessInformationKey),
	)
	for i := range s.representatives {
		representative := authorizedRepresentative(r, i)
		nodes = append(nodes, representative, profile.assign(representative.Key))
	}
	numbers := pointedAt(r, s.numbers)
	for _, n := range numbers {
		nodes = append(nodes, profile.assignNumber(n, profile.key))
	}
	nodes = append(nodes, profile.reviewed(o, madeFor(nodes, profile.key), "")...)

	for _, p := range products {
		if s.products[p.name] {
			nodes = append(nodes, c.onTop(o, p, profile, numbers)...)
		}
	}
	return append(nodes, c.numbersCheck(onboarding.Bundles(nodes)))
}

// profile is the secondary customer profile.
func (c Config) profile(o *onboarding.Onboarding) bundle {
	return bundle{
		kind: onboarding.CustomerProfile, key: onboarding.CustomerProfileKey,
		policySID:    cmp.Or(c.SecondaryProfilePolicySID, DefaultSecondaryProfilePolicySID),
		given:        given(o, onboarding.CustomerProfileKey, o.Request.CustomerProfileSID),
		givenBy:      "/customer_profile_sid",
		endingNotice: c.EndingNotice, now: c.Now,
	}
}

// onTop lays out the steps of one product on the profile.
func (c Config) onTop(o *onboarding.Onboarding, p product, profile bundle, numbers []pointedNumber) []onboarding.Node {
	b := bundle{kind: onboarding.TrustProduct, key: p.name.Bundle(), policySID: p.policySID(c), endingNotice: c.EndingNotice, now: c.Now}
	if p.givenBy != "" {
		b.given, b.givenBy = given(o, b.key, p.given(o.Request)), p.givenBy
	}
	nodes := []onboarding.Node{
		b.create(c.CallbackURL),
		b.assign(profile.key),
	}
	if p.user.key != "" {
		nodes = append(nodes, p.user.node(o.Request, onboarding.PreflightKey), b.assign(p.user.key))
	}
	for _, n := range numbers {
		nodes = append(nodes, b.assignNumber(n, b.key.Assignment(profile.key), profile.key.Number(n.SID)))
	}
	needs, waitsFor := madeFor(nodes, b.key), onboarding.Key("")
	switch c.Gate {
	case GateApproved:
		needs = append(needs, profile.key.Review())
	case GateSubmitted:
		needs = append(needs, profile.key.Submission())
	default:
		needs, waitsFor = append(needs, profile.key.Submission()), profile.key.Review()
	}
	return append(nodes, b.reviewed(o, needs, waitsFor)...)
}

// madeFor returns all that must be done before the bundle is evaluated: what is put on it, and what
// that is made of, however far back. An assignment stays while its object is amended, and neither
// an evaluation nor a reviewer may see the object of before.
func madeFor(nodes []onboarding.Node, bundle onboarding.Key) []onboarding.Key {
	needs := make(map[onboarding.Key][]onboarding.Key, len(nodes))
	seen := make(map[onboarding.Key]bool, len(nodes))
	var keys []onboarding.Key
	for i := range nodes {
		n := &nodes[i]
		needs[n.Key] = n.Needs
		if n.Kind == onboarding.KindAssignment && n.Bundle == bundle {
			seen[n.Key] = true
			keys = append(keys, n.Key)
		}
	}
	for i := 0; i < len(keys); i++ {
		for _, need := range needs[keys[i]] {
			if !seen[need] {
				seen[need] = true
				keys = append(keys, need)
			}
		}
	}
	return keys
}

// tag is the FriendlyName of what a step makes: by it the object is found again after a crash. It
// has at most 64 characters and no dot before a digit, because twilio-go cuts such digits out of a
// query.
func tag(id onboarding.ID, key onboarding.Key) string { return fmt.Sprintf("%s/%s", id, key) }
