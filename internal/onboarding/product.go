package onboarding

// Product is one of Twilio's trust products that attestd can put on top of the customer profile,
// under the request's name for it.
type Product string

// The products.
const (
	// ProductShakenStir lets calls be signed with A-level attestation.
	ProductShakenStir Product = "shaken_stir"
	// ProductVoiceIntegrity registers the numbers with the carriers' analytics, against spam
	// labels.
	ProductVoiceIntegrity Product = "voice_integrity"
	// ProductCNAM shows a name with the calls.
	ProductCNAM Product = "cnam"
)

// products are the products with the keys of their bundles, in the order in which they are shown.
var products = []struct {
	name   Product
	bundle Key
}{
	{ProductShakenStir, ShakenStirKey},
	{ProductVoiceIntegrity, VoiceIntegrityKey},
	{ProductCNAM, CNAMKey},
}

// WantsProduct tells whether the request asks for the product. One that names none asks for
// SHAKEN/STIR.
func (r Request) WantsProduct(p Product) bool {
	for _, wanted := range r.Products {
		if wanted == p {
			return true
		}
	}
	return len(r.Products) == 0 && p == ProductShakenStir
}

// WantedProducts are the products that the request asks for, in the order in which they are shown.
func (r Request) WantedProducts() []Product {
	var wanted []Product
	for _, p := range products {
		if r.WantsProduct(p.name) {
			wanted = append(wanted, p.name)
		}
	}
	return wanted
}

// Bundle is the key of the product's bundle; "" for a product that nobody knows.
func (p Product) Bundle() Key {
	for _, known := range products {
		if known.name == p {
			return known.bundle
		}
	}
	return ""
}
