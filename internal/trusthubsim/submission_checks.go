package trusthubsim

import (
	"slices"
	"strings"
)

// check is what the checks of e-mail addresses and addresses will find in a profile that is
// submitted. What is checked cannot change before they are done, so they are made at once and told
// later: a submission with nothing to find costs no timer.
//
// The words are those that Twilio documents for starter profiles. Which object they are about they
// do not say.
func (s *Simulator) check(b *bundle) []finding {
	if s.cfg.SkipChecks || b.kind != customerProfiles {
		return nil
	}
	var found []finding
	add := func(object, field, words string) {
		if words != "" {
			found = append(found, finding{object: object, field: field, words: words})
		}
	}
	add("", "email", emailFault(b.email))
	for _, object := range []string{representative1, representative2} {
		if email := attributeOf(b, object, "email"); email != b.email {
			add(object, "email", emailFault(email))
		}
	}
	for _, a := range (dossier{profile: b}).addresses() {
		add(profileAddress, "address_sids", a.fault())
	}
	return found
}

// disposable are domains that hand out addresses for some minutes.
var disposable = []string{
	"10minutemail.com", "guerrillamail.com", "mailinator.com", "sharklasers.com", "temp-mail.org", "trashmail.com", "yopmail.com",
}

// The rejection reasons of the check of e-mail addresses.
const (
	emailSyntax     = "Email domain has an invalid address syntax."
	emailUnknown    = "Unknown email domain."
	emailDisposable = "Email is a suspected disposable address."
	emailInvalid    = "Email is invalid."
)

// emailFault is what the check says about an e-mail address, "" for a good one or none.
func emailFault(email string) string {
	local, domain, _ := strings.Cut(strings.ToLower(email), "@")
	labels := strings.Split(domain, ".")
	syntax := slices.ContainsFunc(labels, func(label string) bool {
		return label == "" || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool { return r < 0x80 && r != '-' && !isLetterOrDigit(r) })
	})
	switch {
	case email == "":
		return ""
	case syntax:
		return emailSyntax
	case labels[len(labels)-1] == "invalid":
		return emailUnknown
	case slices.ContainsFunc(disposable, func(d string) bool { return domain == d || strings.HasSuffix(domain, "."+d) }):
		return emailDisposable
	case local == "undeliverable":
		return emailInvalid
	}
	return ""
}

func isLetterOrDigit(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// addressNowhere is said about an address that cannot be found at all.
const addressNowhere = "The provided address is not a valid US or Canada address"

// fault is what the check says about an address in the USA or Canada, "" for a good one. Other
// countries are not checked.
func (a *address) fault() string {
	if a.isoCountry != "US" && a.isoCountry != "CA" {
		return ""
	}
	street, better := strings.ToLower(a.street), *a
	switch region := regionOf(a.isoCountry, a.region); {
	case strings.Contains(street, "nowhere"):
		return addressNowhere
	case region == nil:
		better.region = regionByPostalCode(a.isoCountry, a.postalCode)
		return better.suggestion("Region")
	case !region.has(a.postalCode):
		better.postalCode = region.example()
		return better.suggestion("Postal Code")
	case strings.HasPrefix(street, "10000 "):
		return "[address_sids] - Invalid House Number"
	case strings.HasSuffix(street, " str"):
		better.street = a.street[:len(a.street)-1]
		return better.suggestion("Street")
	case strings.EqualFold(a.city, "Bostun"):
		better.city = "Boston"
		return better.suggestion("Locality")
	}
	return ""
}

// suggestion says which part of an address is wrong, and how the whole of it ought to be. The
// secondary street repeats the last line, as in Twilio's examples.
func (a *address) suggestion(part string) string {
	return "[address_sids] - Invalid " + part + ". Address suggestion -> Street: " + a.street +
		". Secondary Street: " + a.city + ", " + a.region + " " + a.postalCode +
		". Locality: " + a.city + ". Region: " + a.region + ". Postal Code: " + a.postalCode + ". Country: " + a.isoCountry + ";"
}
