package trusthubsim

import (
	"net/http"
	"strings"
	"testing"
)

// TestCountries: the codes of ISO 3166-1, and those that are taken for one.
func TestCountries(t *testing.T) {
	t.Parallel()
	if got := len(strings.Fields(countries)); got != 249 {
		t.Errorf("%d countries, want 249", got)
	}
	for code, want := range map[string]bool{
		"US": true, "CA": true, "GB": true, "PR": true, "BB": true, "UK": false, "EU": false, "XK": false, "us": false, "U1": false, " A": false, "A ": false,
		"USA": false, "": false,
	} {
		if got := isCountry(code); got != want {
			t.Errorf("%q is a country: %t", code, got)
		}
	}
	b := setup(t, Config{})
	b.sub.do(http.MethodPost, b.sub.v2010("/Addresses.json"), addressForm("IsoCountry", "UK", "PostalCode", "EC1A 1BB")).refused(400, codeInvalidParameter)
}

// addressForm is a good address; changes are names and values in turn.
func addressForm(changes ...string) map[string][]string {
	return values(append([]string{
		"CustomerName", "Example Plumbing LLC", "Street", "100 Main St", "City", "San Francisco", "Region", "CA",
		"PostalCode", "94105", "IsoCountry", "US",
	}, changes...)...)
}

// TestPostalCodesAreHeldAgainstTheirCountry where Twilio's documents say that addresses are
// validated.
func TestPostalCodesAreHeldAgainstTheirCountry(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	for _, test := range []struct{ country, right, wrong string }{
		{"US", "94105-1234", "9410"},
		{"CA", "M5V 2T6", "M5V 2TT"},
		{"AT", "1010", "10100"},
		{"AU", "2000", "200"},
		{"LU", "1111", "L-1111"},
		{"DE", "10115", "1011"},
		{"ES", "28001", "2800A"},
		{"FR", "75001", "750 01"},
		{"IT", "00118", "118"},
		{"MX", "01000", "1000"},
		{"BR", "01310-100", "01310"},
		{"GB", "EC1A 1BB", "EC1A"},
		{"IE", "D02 AF30", "Dublin 2"},
		{"NL", "1012 AB", "1012"},
		{"PL", "00-001", "00-01"},
	} {
		path := b.sub.v2010("/Addresses.json")
		b.sub.do(http.MethodPost, path, addressForm("IsoCountry", test.country, "PostalCode", test.right)).want(201)
		b.sub.do(http.MethodPost, path, addressForm("IsoCountry", test.country, "PostalCode", test.wrong)).refused(400, codeAddressInvalid)
	}
	b.sub.do(http.MethodPost, b.sub.v2010("/Addresses.json"), addressForm("IsoCountry", "BB", "PostalCode", "none")).want(201)
}

// TestUncheckedAddresses: with the switch the USA and Canada take anything as it is, but for
// emergency use.
func TestUncheckedAddresses(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Doubts: Doubts{USAddressesUnchecked: true}})
	path := b.sub.v2010("/Addresses.json")
	r := b.sub.do(http.MethodPost, path, addressForm("PostalCode", "9410", "Street", "1 Unknown Rd")).want(201)
	if r.text("street") != "1 Unknown Rd" || r.body["validated"] != false {
		t.Errorf("kept as %v", r.body)
	}
	b.sub.do(http.MethodPost, path, addressForm("PostalCode", "1", "IsoCountry", "CA")).want(201)
	b.sub.do(http.MethodPost, path, addressForm("PostalCode", "9410", "EmergencyEnabled", "true")).refused(400, codeAddressInvalid)
	b.sub.do(http.MethodPost, path, addressForm("PostalCode", "1011", "IsoCountry", "DE")).refused(400, codeAddressInvalid)
}
