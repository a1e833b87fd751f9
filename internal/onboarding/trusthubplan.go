package onboarding

import (
	"fmt"
	"time"
)

// Gate says when a product is evaluated and submitted. Twilio's documents do not settle whether a product may be submitted before the
// profile under it is approved.
type Gate string

// The gates.
const (
	// GateAuto evaluates the product once the profile is submitted, and waits for the approval only if that is all the evaluation asks for.
	GateAuto Gate = "auto"
	// GateSubmitted goes on as soon as the profile is submitted.
	GateSubmitted Gate = "submitted"
	// GateApproved waits until the profile is approved.
	GateApproved Gate = "approved"
)

// PlanConfig is what a plan takes from the configuration of the service.
type PlanConfig struct {
	// SecondaryProfilePolicySID and the products' policies (RN…) are Twilio's, the same for all accounts. Empty means the published one.
	SecondaryProfilePolicySID string
	ShakenStirPolicySID       string
	VoiceIntegrityPolicySID   string
	CNAMPolicySID             string
	Gate                      Gate
	// CallbackURL returns the URL for an onboarding's status callbacks; "" means none.
	CallbackURL func(token string) string
	// LeaveLostNumbers leaves a number that has vanished from a bundle to a person; otherwise it is put there again.
	LeaveLostNumbers bool
	// ListsLag is how long Twilio's lists may lack what was put on them.
	ListsLag time.Duration
	// EndingNotice is how long before an approval ends somebody is asked to act; 0 means when it has ended.
	EndingNotice time.Duration
}

// The policies as Twilio publishes them. The guide says that they never change, the API's overview that they should not be built in:
// hence defaults that configuration can override.
const (
	DefaultSecondaryProfilePolicySID = "RNdfbf3fae0e1107f8aded0e7cead80bf5"
	DefaultShakenStirPolicySID       = "RN7a97559effdf62d00f4298208492a5ea"
	DefaultVoiceIntegrityPolicySID   = "RN5b3660f9598883b1df4e77f77acefba0"
	DefaultCNAMPolicySID             = "RNf3db3cd1fe25fcfd3c3ded065c8fea53"
)

// The keys of the steps that others know by name.
const (
	keyPreflight    Key = "preflight"
	keySubaccount   Key = "subaccount"
	keyNumbersCheck Key = "numbers_check"
	// profileKey is the secondary customer profile.
	profileKey Key = "customer_profile"
)

// TrustHubPlan is the plan for everything that a request can ask for: a secondary customer profile in the subaccount, connected to the ISV's
// primary one and reviewed, then the products on top of it, each reviewed as well. The SHAKEN/STIR trust product ends in A-level
// attestation.
//
// Steps that do not need each other run at the same time. The longest chain is eight calls: preflight, address, document, its assignment,
// and evaluation and submission of profile and product.
//
// What was made for an earlier version of the request and is not wanted any more is taken back in the reverse order; so is everything, if
// the onboarding was canceled and is to be cleaned up.
//
// Source: Twilio's guide "SHAKEN/STIR Onboarding with the Trust Hub REST API (ISVs/Resellers using Subaccounts)".
func TrustHubPlan(c PlanConfig) Plan {
	return func(o *Onboarding) []Node {
		wanted, held := wantedParts(o), heldParts(o)
		nodes := c.nodes(o, wanted)
		if !o.CanceledAt.IsZero() {
			nodes = c.nodes(o, wanted.with(held))
			if !o.Cleanup {
				return settled(nodes, func(Key) bool { return false })
			}
			ours := madeByUs(o)
			return append(takenBack(withReplaced(o, nodes), ours), settled(nodes, ours)...)
		}
		if len(wanted.numbers) == 0 {
			held.numbers = nil // They are not resolved (yet): that takes none away.
		}
		if wanted.include(held) {
			return nodes
		}
		return withLeaving(o, nodes, c.nodes(o, wanted.with(held)))
	}
}

// nodes lays out the steps for those parts.
func (c PlanConfig) nodes(o *Onboarding, p parts) []Node {
	profile := bundle{kind: CustomerProfile, key: profileKey, policySID: orDefault(c.SecondaryProfilePolicySID, DefaultSecondaryProfilePolicySID),
		given: o.given(profileKey, o.Request.CustomerProfileSID), givenPointer: "/customer_profile_sid", endingNotice: c.EndingNotice}

	var nodes []Node
	before := []Key(nil)
	if o.Request.Subaccount != nil {
		nodes = append(nodes, subaccount(), subaccountName())
		before = []Key{keySubaccount}
	}
	nodes = append(nodes,
		Node{Key: keyPreflight, Needs: before, Effect: preflight},
		profile.create(c.CallbackURL),
		profile.assignPrimary(),
		address(o.Request),
		addressDocument(o.Request),
		profile.assign("address_document"),
		businessInformation(o.Request),
		profile.assign(businessInformationKey),
	)
	for i := range p.representatives {
		representative := authorizedRepresentative(o.Request, i)
		nodes = append(nodes, representative, profile.assign(representative.Key))
	}
	for _, number := range p.numbers {
		nodes = append(nodes, profile.assignNumber(number, profile.key))
	}
	nodes = append(nodes, profile.reviewed(o, madeOf(nodes, profile.key), nil)...)

	for _, known := range knownProducts {
		if p.products[known.name] {
			nodes = append(nodes, c.productNodes(o, known, profile, p.numbers)...)
		}
	}
	return append(nodes, c.numbersCheck(p.products))
}

// productNodes lays out the steps of one product on the profile.
func (c PlanConfig) productNodes(o *Onboarding, known product, profile bundle, numbers []PhoneNumber) []Node {
	b := bundle{kind: TrustProduct, key: known.key, policySID: known.policySID(c), endingNotice: c.EndingNotice}
	if known.name == ProductShakenStir {
		b.given, b.givenPointer = o.given(b.key, o.Request.TrustProductSID), "/trust_product_sid"
	}
	nodes := []Node{
		b.create(c.CallbackURL),
		b.assign(profile.key),
	}
	if known.user.key != "" {
		nodes = append(nodes, known.user.node(keyPreflight), b.assign(known.user.key))
	}
	for _, number := range numbers {
		nodes = append(nodes, b.assignNumber(number, b.key.Sub(string(profile.key)), numberKey(profile.key, number)))
	}
	assigned := madeOf(nodes, b.key)
	review := profile.key.Sub("review")
	gate := func(evaluation Node) Node { return evaluation.unlessOnlyStatus(review) }
	switch {
	case c.Gate == GateApproved:
		assigned, gate = append(assigned, review), nil
	case c.Gate == GateSubmitted:
		assigned, gate = append(assigned, profile.key.Sub("submission")), nil
	default:
		assigned = append(assigned, profile.key.Sub("submission"))
	}
	return append(nodes, b.reviewed(o, assigned, gate)...)
}

func orDefault(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// madeOf returns all that must be done before the bundle is evaluated: what is put on it, and what that is made of, however far back. An
// assignment stays while its object is corrected, and neither an evaluation nor a reviewer may see the object of before.
func madeOf(nodes []Node, bundle Key) []Key {
	needs := make(map[Key][]Key, len(nodes))
	for _, n := range nodes {
		needs[n.Key] = n.Needs
	}
	keys := keysUnder(nodes, bundle)
	seen := make(map[Key]bool, len(nodes))
	for _, k := range keys {
		seen[k] = true
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

// keysUnder returns the keys of the nodes that belong to the bundle.
func keysUnder(nodes []Node, bundle Key) []Key {
	var keys []Key
	for _, n := range nodes {
		if n.Key.under(bundle) {
			keys = append(keys, n.Key)
		}
	}
	return keys
}

// numberKey is the key of the step that puts a number on a bundle.
func numberKey(bundle Key, n PhoneNumber) Key { return bundle.Sub("number").Sub(n.SID) }

// NumberAssignmentKeys returns the keys of the two steps that put the number of that SID on the profile and on the trust product.
func NumberAssignmentKeys(numberSID string) (profile, product Key) {
	n := PhoneNumber{SID: numberSID}
	return numberKey(profileKey, n), numberKey(shakenStirKey, n)
}

// tag is the FriendlyName of what a step makes: by it the object is found again after a crash. It has at most 64 characters and no dot
// before a digit, because twilio-go cuts such digits out of a query.
func tag(id ID, key Key) string { return fmt.Sprintf("%s/%s", id, key) }
