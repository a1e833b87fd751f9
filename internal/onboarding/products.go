package onboarding

// Product is one of Twilio's trust products that attestd can put on top of the customer profile, under the request's name for it.
type Product string

// The products.
const (
	// ProductShakenStir lets calls be signed with A-level attestation.
	ProductShakenStir Product = "shaken_stir"
	// ProductVoiceIntegrity registers the numbers with the carriers' analytics, against spam labels.
	ProductVoiceIntegrity Product = "voice_integrity"
	// ProductCNAM shows a name with the calls.
	ProductCNAM Product = "cnam"
)

// The keys of the products' bundles.
const (
	shakenStirKey     Key = "trust_product"
	voiceIntegrityKey Key = "voice_integrity"
	cnamKey           Key = "cnam"
)

// The keys of the products' end users: Twilio's types of them, shortened because a tag has room for no more.
const (
	voiceIntegrityUserKey Key = "voice_integrity_user"
	cnamUserKey           Key = "cnam_user"
)

// product is what a plan must know of a product. All are made, filled, evaluated, submitted and reviewed alike, so another one is
// another value.
type product struct {
	name      Product
	key       Key
	policySID func(PlanConfig) string
	// user is the end user that describes the product's use; none without a key.
	user endUser
}

// knownProducts are the products in the order in which they are shown.
var knownProducts = []product{
	{
		name: ProductShakenStir, key: shakenStirKey,
		policySID: func(c PlanConfig) string { return orDefault(c.ShakenStirPolicySID, DefaultShakenStirPolicySID) },
	},
	{
		name: ProductVoiceIntegrity, key: voiceIntegrityKey,
		policySID: func(c PlanConfig) string { return orDefault(c.VoiceIntegrityPolicySID, DefaultVoiceIntegrityPolicySID) },
		user: endUser{
			key: voiceIntegrityUserKey, kind: "voice_integrity_information", pointer: "/voice_integrity", product: voiceIntegrityKey,
			attributes: func(r Request) map[string]string { return r.VoiceIntegrity.Attributes() },
		},
	},
	{
		name: ProductCNAM, key: cnamKey,
		policySID: func(c PlanConfig) string { return orDefault(c.CNAMPolicySID, DefaultCNAMPolicySID) },
		user: endUser{
			key: cnamUserKey, kind: "cnam_information", pointer: "/cnam", product: cnamKey,
			attributes: func(r Request) map[string]string { return r.CNAM.Attributes() },
		},
	},
}

// ProductBundles returns the products that the onboarding has, in the order in which they are shown, with the keys of their bundles.
func (o *Onboarding) ProductBundles() (products []Product, keys []Key) {
	wanted := wantedProducts(o.Request)
	for _, p := range knownProducts {
		if wanted[p.name] {
			products, keys = append(products, p.name), append(keys, p.key)
		}
	}
	return products, keys
}

// wantedProducts are the products that the request asks for: SHAKEN/STIR if it does not say.
func wantedProducts(r Request) map[Product]bool {
	if len(r.Products) == 0 {
		return map[Product]bool{ProductShakenStir: true}
	}
	wanted := make(map[Product]bool, len(r.Products))
	for _, p := range r.Products {
		wanted[p] = true
	}
	return wanted
}
