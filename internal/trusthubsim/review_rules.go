package trusthubsim

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// reviewRule is one thing that a reviewer looks for.
type reviewRule struct {
	code          int
	object, field string // to blame: the machine name of a type, "" for the bundle itself
	value         string // that breaks the rule, in words for the manual
	broken        func(dossier) bool
}

// profileRules are what a customer profile's reviewer looks for.
var profileRules = []reviewRule{
	{
		18601, businessInformation, "business_name", "contains `Unverified`",
		func(d dossier) bool { return strings.Contains(d.business("business_name"), "Unverified") },
	},
	{
		18602, businessInformation, "business_registration_number", "ends in `0000`",
		func(d dossier) bool { return strings.HasSuffix(d.business("business_registration_number"), "0000") },
	},
	{
		18602, businessInformation, "business_registration_identifier", "`DUNS`, with an address in the USA (switch `us_duns`)",
		func(d dossier) bool {
			return !d.cfg.USDUNS && d.business("business_registration_identifier") == "DUNS" && d.anyAddress(inUSA)
		},
	},
	{
		18603, profileAddress, "address_sids", "the address has a street that contains `Unverified`",
		func(d dossier) bool {
			return d.anyAddress(func(a *address) bool { return strings.Contains(strings.ToLower(a.street), "unverified") })
		},
	},
	{
		18604, representative1, "last_name", "`Unverified`",
		func(d dossier) bool { return d.representative(1, "last_name") == "Unverified" },
	},
	{
		18605, representative2, "last_name", "`Unverified`",
		func(d dossier) bool { return d.representative(2, "last_name") == "Unverified" },
	},
	{
		18606, representative1, "email", "in another domain than `website_url` (switch `any_email_domain`)",
		func(d dossier) bool { return !d.cfg.AnyEmailDomain && d.foreign(d.representative(1, "email")) },
	},
	{
		18606, representative2, "email", "in another domain than `website_url` (switch `any_email_domain`)",
		func(d dossier) bool { return !d.cfg.AnyEmailDomain && d.foreign(d.representative(2, "email")) },
	},
	{
		18606, "", "email", "in another domain than `website_url`, with the switch `bundle_email_domain`",
		func(d dossier) bool { return d.cfg.BundleEmailDomain && d.foreign(d.profile.email) },
	},
	{
		18609, businessInformation, "business_registration_number", "ends in `8609`",
		func(d dossier) bool { return strings.HasSuffix(d.business("business_registration_number"), "8609") },
	},
}

// registrationForUS is what Voice Integrity and CNAM ask of the business alike.
var registrationForUS = reviewRule{
	18609, businessInformation, "business_registration_identifier", "neither `EIN` nor `DUNS`",
	func(d dossier) bool {
		authority := d.business("business_registration_identifier")
		return authority != "EIN" && authority != "DUNS"
	},
}

// voiceIntegrityRules are what a Voice Integrity product's reviewer looks for.
var voiceIntegrityRules = []reviewRule{
	{
		11001, businessInformation, "website_url", "does not begin with `https://`",
		func(d dossier) bool { return !strings.HasPrefix(d.business("website_url"), "https://") },
	},
	{
		11002, representative1, "phone_number", "does not begin with `+1`",
		func(d dossier) bool { return !strings.HasPrefix(d.representative(1, "phone_number"), "+1") },
	},
	{
		11002, representative2, "phone_number", "does not begin with `+1`",
		func(d dossier) bool {
			number := d.representative(2, "phone_number")
			return number != "" && !strings.HasPrefix(number, "+1")
		},
	},
	{
		11003, profileAddress, "address_sids", "the address has another `IsoCountry` than `US`",
		func(d dossier) bool { return d.anyAddress(func(a *address) bool { return !inUSA(a) }) },
	},
	{
		11004, businessInformation, "business_registration_number", "ends in `1004`",
		func(d dossier) bool { return strings.HasSuffix(d.business("business_registration_number"), "1004") },
	},
	registrationForUS,
}

// cnamRules are what a CNAM product's reviewer looks for.
var cnamRules = []reviewRule{
	{
		11018, cnam, "cnam_display_name", "a phone number: seven digits or more, and no letter",
		func(d dossier) bool { return isPhoneNumber(d.product(cnam, "cnam_display_name")) },
	},
	{
		11009, cnam, "cnam_display_name",
		"longer than 15 characters, not beginning with a letter, or with another character than letters, digits, periods, commas and spaces",
		func(d dossier) bool {
			name := d.product(cnam, "cnam_display_name")
			return !isPhoneNumber(name) && !callerNameForm.MatchString(name)
		},
	},
	{
		11008, cnam, "cnam_display_name", "has one of the words `FBI`, `Social Security`, `Government`, `Police`, `Medicare`",
		func(d dossier) bool { return hasProhibitedWord(d.product(cnam, "cnam_display_name")) },
	},
	{
		11007, cnam, "cnam_display_name", "has no word in common with `business_name` (switch `any_caller_name`)",
		func(d dossier) bool {
			name := d.product(cnam, "cnam_display_name")
			return !d.cfg.AnyCallerName && !isPhoneNumber(name) && !hasProhibitedWord(name) && !namesBusiness(name, d.business("business_name"))
		},
	},
	registrationForUS,
}

// reviewRules are what is looked for in bundles of the policy. SHAKEN/STIR has no data of its own.
func (p *policy) reviewRules() []reviewRule {
	switch {
	case p.kind == customerProfiles:
		return profileRules
	case p.sid == PolicyVoiceIntegrity:
		return voiceIntegrityRules
	case p.sid == PolicyCNAM:
		return cnamRules
	}
	return nil
}

// review is what a reviewer finds in a bundle, each code once.
func (s *Simulator) review(b *bundle) []finding {
	rules := b.policy.reviewRules()
	if len(rules) == 0 {
		return nil
	}
	d := dossier{cfg: &s.cfg, bundle: b, profile: b}
	if b.kind == trustProducts {
		d.profile = b.customerProfile()
	}
	var found []finding
	for _, r := range rules {
		known := slices.ContainsFunc(found, func(f finding) bool { return f.code == r.code })
		if !known && r.broken(d) {
			found = append(found, finding{r.code, r.object, r.field, wordsByCode[r.code]})
		}
	}
	return found
}

// profileNotApproved is why a product whose profile was rejected is rejected too.
func profileNotApproved(product *bundle) finding {
	switch product.policy.sid {
	case PolicyVoiceIntegrity:
		return product.coded(11005)
	case PolicyCNAM:
		return product.coded(11006)
	}
	return finding{words: "The customer profile of this trust product was rejected."}
}

// rejectionTag is what the Email of a bundle asks for: "+reject-18602" rejects every bundle that
// has it, "+reject-product-18602" products alone; "-callback" or "-evaluation" behind it says where
// the reason is, whatever the switch says.
var rejectionTag = regexp.MustCompile(`\+reject(?:-(profile|product))?-(\d{5})(?:-(callback|evaluation))?@`)

// tagged is the finding that the bundle's own Email asks for.
func (b *bundle) tagged() (found []finding, where RejectionReason) {
	if !strings.Contains(b.email, "+reject-") {
		return nil, ""
	}
	tag := rejectionTag.FindStringSubmatch(b.email)
	if tag == nil || tag[1] == "profile" && b.kind != customerProfiles || tag[1] == "product" && b.kind != trustProducts {
		return nil, ""
	}
	code, _ := strconv.Atoi(tag[2])
	return []finding{b.coded(code)}, RejectionReason(tag[3])
}

// sameDomain reports whether an e-mail address is of a website's domain, or one of them of a
// subdomain of the other.
func sameDomain(site, email string) bool {
	u, err := url.Parse(site)
	if err != nil {
		return false
	}
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	domain := strings.ToLower(email[strings.LastIndex(email, "@")+1:])
	return host == domain || strings.HasSuffix(host, "."+domain) || strings.HasSuffix(domain, "."+host)
}
