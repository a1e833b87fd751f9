package api

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
)

var (
	einForm  = regexp.MustCompile(`^[0-9]{2}-?[0-9]{7}$`)
	dunsForm = regexp.MustCompile(`^[0-9]{9}$`)
)

// regions are the values of business_regions_of_operation that any document of Twilio has.
var regions = []string{"AFRICA", "ASIA", "AUSTRALIA", "EUROPE", "LATIN_AMERICA", "USA_AND_CANADA"}

// outsideGuide are the values that other documents of Twilio have, and its SHAKEN/STIR guide for
// ISVs has not.
var outsideGuide = map[string][]string{
	"business_type":                    {"Non-profit Corporation"},
	"business_industry":                {"CONSTRUCTION", "PROFESSIONAL_SERVICES"},
	"business_registration_identifier": {"CBN", "CCN", "CN", "ACN", "CIN", "VAT", "VATRN", "RN", "Other"},
	"business_regions_of_operation":    {"AUSTRALIA"},
	"job_position":                     {"Other"},
}

// warnIfUnusual warns of a value that the SHAKEN/STIR guide does not have.
func warnIfUnusual(f *findings, pointer, attribute, value string) {
	if slices.Contains(outsideGuide[attribute], value) {
		f.warn(pointer, "unusual_value", fmt.Sprintf(
			"Twilio's SHAKEN/STIR guide does not have %s among the values of %s, though other documents of Twilio's do.", value, attribute))
	}
}

func checkBusiness(f *findings, b *onboarding.Business) {
	warnIfUnusual(f, "/business/business_type", "business_type", b.Type)
	warnIfUnusual(f, "/business/business_industry", "business_industry", b.Industry)
	warnIfUnusual(f, "/business/business_registration_identifier", "business_registration_identifier", b.RegistrationIdentifier)
	checkRegistrationNumber(f, b)
	checkRegions(f, b)
	if b.WebsiteURL != "" {
		checkURL(f, "/business/website_url", b.WebsiteURL)
	}
	checkSocialMedia(f, b)
}

// checkRegistrationNumber checks the numbers of the USA. It takes the dash out of an EIN, because
// the guide asks for digits.
func checkRegistrationNumber(f *findings, b *onboarding.Business) {
	const pointer = "/business/business_registration_number"
	if b.RegistrationNumber == "" {
		return
	}
	switch b.RegistrationIdentifier {
	case "EIN":
		if !einForm.MatchString(b.RegistrationNumber) {
			f.fault(pointer, "format", "An EIN has 9 digits, with or without a dash after the second, such as 12-3456789.")
			return
		}
		b.RegistrationNumber = strings.ReplaceAll(b.RegistrationNumber, "-", "")
	case "DUNS":
		if !dunsForm.MatchString(b.RegistrationNumber) {
			f.fault(pointer, "format", "A DUNS number has 9 digits and nothing else, such as 123456789.")
		}
	}
}

// checkRegions takes one region, or several with commas between them. Twilio documents one value;
// lists were seen in use.
func checkRegions(f *findings, b *onboarding.Business) {
	const pointer = "/business/business_regions_of_operation"
	if b.RegionsOfOperation == "" {
		return
	}
	given := splitList(b.RegionsOfOperation)
	for i, region := range given {
		switch {
		case !slices.Contains(regions, region):
			f.fault(pointer, "not_allowed", "Each region must be one of: "+strings.Join(regions, ", ")+".")
			return
		case slices.Contains(given[:i], region):
			f.fault(pointer, "duplicate", "Name each region once.")
			return
		}
		warnIfUnusual(f, pointer, "business_regions_of_operation", region)
	}
	if len(given) > 1 {
		f.warn(pointer, "several_regions", "Twilio documents one region. If the profile is rejected for it, name only the main one.")
	}
	b.RegionsOfOperation = strings.Join(given, ",")
}

// checkSocialMedia takes any number of URLs with commas between them.
func checkSocialMedia(f *findings, b *onboarding.Business) {
	if b.SocialMediaProfileURLs == "" {
		return
	}
	given := splitList(b.SocialMediaProfileURLs)
	for _, u := range given {
		if !checkURL(f, "/business/social_media_profile_urls", u) {
			return
		}
	}
	b.SocialMediaProfileURLs = strings.Join(given, ",")
}

// splitList returns the parts of a list with commas, trimmed.
func splitList(s string) []string {
	parts := strings.Split(s, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// checkURL reports a URL that a reviewer could not open, and tells whether it is good.
func checkURL(f *findings, pointer, s string) bool {
	u, err := url.Parse(s)
	switch {
	case err != nil, strings.ContainsAny(s, " \t\n"):
		f.fault(pointer, "format", "This is not a URL. Write it as https://www.example.com.")
	case u.Scheme != "http" && u.Scheme != "https":
		f.fault(pointer, "format", "Begin the URL with https:// or http://.")
	case !isPublicHost(u.Hostname()):
		f.fault(pointer, "format", "The URL needs the full name of a host, such as www.example.com.")
	case u.User != nil:
		f.fault(pointer, "format", "Leave user name and password out of the URL.")
	default:
		return true
	}
	return false
}

// isPublicHost tells whether name could be a host on the Internet: labels with a dot between them.
func isPublicHost(name string) bool {
	for label := range strings.SplitSeq(name, ".") {
		if label == "" {
			return false
		}
	}
	return strings.Contains(name, ".")
}
