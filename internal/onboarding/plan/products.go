package plan

import (
	"cmp"

	"github.com/attestd/attestd/internal/onboarding"
)

// product is what a plan must know of a product. All are made, filled, evaluated, submitted and
// reviewed alike, so another one is another value.
type product struct {
	name      onboarding.Product
	policySID func(Config) string
	// user is the end user that describes the product's use; none without a key.
	user endUser
	// givenBy is where the request can name a bundle to take over; "" if it cannot.
	givenBy string
	given   func(onboarding.Request) string
}

// products are the products in the order in which they are shown.
var products = []product{
	{
		name:      onboarding.ProductShakenStir,
		policySID: func(c Config) string { return cmp.Or(c.ShakenStirPolicySID, DefaultShakenStirPolicySID) },
		givenBy:   "/trust_product_sid",
		given:     func(r onboarding.Request) string { return r.TrustProductSID },
	},
	{
		name:      onboarding.ProductVoiceIntegrity,
		policySID: func(c Config) string { return cmp.Or(c.VoiceIntegrityPolicySID, DefaultVoiceIntegrityPolicySID) },
		user: endUser{
			key: onboarding.VoiceIntegrityUserKey, kind: "voice_integrity_information", bundle: onboarding.VoiceIntegrityKey, pointer: "/voice_integrity",
			attributes: func(r onboarding.Request) map[string]string { return r.VoiceIntegrity.Attributes() },
		},
	},
	{
		name:      onboarding.ProductCNAM,
		policySID: func(c Config) string { return cmp.Or(c.CNAMPolicySID, DefaultCNAMPolicySID) },
		user: endUser{
			key: onboarding.CNAMUserKey, kind: "cnam_information", bundle: onboarding.CNAMKey, pointer: "/cnam",
			attributes: func(r onboarding.Request) map[string]string { return r.CNAM.Attributes() },
		},
	},
}
