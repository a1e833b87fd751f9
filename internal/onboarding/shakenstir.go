package onboarding

import "fmt"

// Gate says when the trust product is evaluated and submitted. Twilio's documents do not settle whether a product may be submitted before
// the profile under it is approved.
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
	// SecondaryProfilePolicySID and ShakenStirPolicySID are Twilio's policies (RN…), the same for all accounts.
	SecondaryProfilePolicySID string
	ShakenStirPolicySID       string
	Gate                      Gate
	// CallbackURL returns the URL for an onboarding's status callbacks; "" means none.
	CallbackURL func(token string) string
}

// The policies as Twilio publishes them. The guide says that they never change, the API's overview that they should not be built in:
// hence defaults that configuration can override.
const (
	DefaultSecondaryProfilePolicySID = "RNdfbf3fae0e1107f8aded0e7cead80bf5"
	DefaultShakenStirPolicySID       = "RN7a97559effdf62d00f4298208492a5ea"
)

// keyPreflight is the step that everything else needs.
const keyPreflight Key = "preflight"

// ShakenStir is the plan that ends in A-level attestation: a secondary customer profile in the subaccount, connected to the ISV's primary
// one and reviewed, then a SHAKEN/STIR trust product on top of it, reviewed as well.
//
// Steps that do not need each other run at the same time. The longest chain is eight calls: preflight, address, document, its assignment,
// and evaluation and submission of profile and product.
//
// Source: Twilio's guide "SHAKEN/STIR Onboarding with the Trust Hub REST API (ISVs/Resellers using Subaccounts)".
func ShakenStir(c PlanConfig) Plan {
	return func(o *Onboarding) []Node {
		profile := bundle{kind: CustomerProfile, key: "customer_profile", policySID: c.SecondaryProfilePolicySID}
		product := bundle{kind: TrustProduct, key: "trust_product", policySID: c.ShakenStirPolicySID}

		nodes := []Node{
			{Key: keyPreflight, Effect: preflight},
			profile.create(c.CallbackURL),
			profile.assignPrimary(),
			address(o.Request.Address),
			addressDocument(),
			profile.assign("address_document"),
			businessInformation(),
			profile.assign("business_information"),
		}
		for i := range o.Request.AuthorizedRepresentatives {
			representative := authorizedRepresentative(i)
			nodes = append(nodes, representative, profile.assign(representative.Key))
		}
		for _, number := range o.Numbers {
			nodes = append(nodes, profile.assignNumber(number, profile.key))
		}
		nodes = append(nodes,
			profile.evaluation(keysUnder(nodes, profile.key)),
			profile.submission(),
			profile.review(),
		)

		productNodes := []Node{
			product.create(c.CallbackURL),
			product.assign(profile.key),
		}
		for _, number := range o.Numbers {
			productNodes = append(productNodes, product.assignNumber(number,
				product.key.Sub("customer_profile"), numberKey(profile.key, number)))
		}
		assigned := keysUnder(productNodes, product.key)
		switch c.Gate {
		case GateApproved:
			productNodes = append(productNodes, product.evaluation(append(assigned, profile.key.Sub("review"))))
		case GateSubmitted:
			productNodes = append(productNodes, product.evaluation(append(assigned, profile.key.Sub("submission"))))
		default:
			productNodes = append(productNodes,
				product.evaluation(append(assigned, profile.key.Sub("submission"))).unlessOnlyStatus(profile.key.Sub("review")))
		}
		productNodes = append(productNodes, product.submission(), product.review())

		return append(nodes, productNodes...)
	}
}

// keysUnder returns the keys of the nodes that belong to the bundle: all that must be on it before it is evaluated.
func keysUnder(nodes []Node, bundle Key) []Key {
	var keys []Key
	for _, n := range nodes {
		if len(n.Key) > len(bundle) && n.Key[:len(bundle)+1] == bundle+"." {
			keys = append(keys, n.Key)
		}
	}
	return keys
}

// numberKey is the key of the step that puts a number on a bundle.
func numberKey(bundle Key, n PhoneNumber) Key { return bundle.Sub("number").Sub(n.SID) }

// NumberAssignmentKeys returns the keys of the two steps that put the number of that SID on the profile and on the product.
func NumberAssignmentKeys(numberSID string) (profile, product Key) {
	n := PhoneNumber{SID: numberSID}
	return numberKey("customer_profile", n), numberKey("trust_product", n)
}

// tag is the FriendlyName of what a step makes: by it the object is found again after a crash. It has at most 64 characters and no dot
// before a digit, because twilio-go cuts such digits out of a query.
func tag(id ID, key Key) string { return fmt.Sprintf("%s/%s", id, key) }
