package api

import (
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/text/language"

	"github.com/attestd/attestd/internal/onboarding"
)

// maxCustomerName is how many bytes Twilio takes for the CustomerName of an address.
const maxCustomerName = 64

var (
	usStateForm  = regexp.MustCompile(`^[A-Z]{2}$`)
	usPostalForm = regexp.MustCompile(`^[0-9]{5}(-?[0-9]{4})?$`)
	countryForm  = regexp.MustCompile(`^[A-Z]{2}$`)
)

// checkAddress takes either the SID of an address that the subaccount has, or a whole new address.
func checkAddress(f *findings, a *onboarding.Address) {
	a.SID = lowerSID(a.SID)
	needed := []text{
		{"customer_name", a.CustomerName},
		{"street", a.Street},
		{"city", a.City},
		{"region", a.Region},
		{"postal_code", a.PostalCode},
		{"iso_country", a.ISOCountry},
	}
	switch {
	case *a == (onboarding.Address{}):
		f.fault("/address", "required",
			"Give either the sid of an address that the subaccount has, or customer_name, street, city, region, postal_code and iso_country.")
		return
	case a.SID != "":
		if *a != (onboarding.Address{SID: a.SID}) {
			f.fault("/address", "exclusive", "Give either sid alone, or the address without it.")
		}
		return
	}
	for _, member := range needed {
		if member.value == "" {
			f.fault("/address/"+member.pointer, "required", "A new address needs this member. To use one that the subaccount has, give its sid alone.")
		}
	}
	if len(a.CustomerName) > maxCustomerName {
		f.fault("/address/customer_name", "too_long", fmt.Sprintf("Twilio takes %d bytes of UTF-8 at most. Shorten the name.", maxCustomerName))
	}
	checkCountry(f, a)
}

// checkCountry checks the country, and for the USA the members that Twilio is known to insist on.
func checkCountry(f *findings, a *onboarding.Address) {
	a.ISOCountry = strings.ToUpper(a.ISOCountry)
	if a.ISOCountry == "" {
		return
	}
	if region, err := language.ParseRegion(a.ISOCountry); err != nil || !region.IsCountry() || !countryForm.MatchString(a.ISOCountry) {
		f.fault("/address/iso_country", "format", "Give the two letters that ISO 3166-1 has for the country, such as US.")
		return
	}
	if a.ISOCountry != "US" {
		return
	}
	if a.Region != "" {
		a.Region = strings.ToUpper(a.Region)
		if !usStateForm.MatchString(a.Region) {
			f.fault("/address/region", "format", "Give the two letters of the state, such as IL.")
		}
	}
	if a.PostalCode != "" && !usPostalForm.MatchString(a.PostalCode) {
		f.fault("/address/postal_code", "format", "Give the ZIP code as 5 digits, or as 9 such as 62701-1234.")
	}
}

// warnOfCountry warns if the register and the address are of different countries. EIN and DUNS are
// identifiers for the USA.
func warnOfCountry(f *findings, r *onboarding.Request) {
	identifier, country := r.Business.RegistrationIdentifier, r.Address.ISOCountry
	if identifier == "" || country == "" {
		return
	}
	american := identifier == "EIN" || identifier == "DUNS"
	switch {
	case american && country != "US":
		f.warn("/business/business_registration_identifier", "country_mismatch",
			"Twilio's guide has EIN and DUNS for businesses in the USA, and the address is in another country.")
	case !american && country == "US":
		f.warn("/business/business_registration_identifier", "country_mismatch",
			"The address is in the USA, where Twilio's guide wants an EIN or a DUNS number.")
	}
}
