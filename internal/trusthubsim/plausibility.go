package trusthubsim

import (
	"regexp"
	"slices"
	"strings"
)

// accepted are the values of an attribute with a fixed choice. Twilio's pages differ: the first
// list is that of the onboarding guide, the second has what other pages have beyond it.
type accepted struct{ guide, elsewhere []string }

var (
	businessTypes = accepted{
		[]string{
			"Sole Proprietorship", "Partnership", "Limited Liability Corporation", "Corporation", "Co-operative",
			"Limited Liability Partnership", "Non-profit",
		},
		[]string{"Non-profit Corporation"},
	}
	businessIndustries = accepted{
		[]string{
			"AUTOMOTIVE", "AGRICULTURE", "BANKING", "CONSUMER", "EDUCATION", "ENGINEERING", "ENERGY", "OIL_AND_GAS",
			"FAST_MOVING_CONSUMER_GOODS", "FINANCIAL", "FINTECH", "FOOD_AND_BEVERAGE", "GOVERNMENT", "HEALTHCARE",
			"HOSPITALITY", "INSURANCE", "LEGAL", "MANUFACTURING", "MEDIA", "ONLINE", "RAW_MATERIALS", "REAL_ESTATE",
			"RELIGION", "RETAIL", "JEWELRY", "TECHNOLOGY", "TELECOMMUNICATIONS", "TRANSPORTATION", "TRAVEL",
			"ELECTRONICS", "NOT_FOR_PROFIT",
		},
		[]string{"CONSTRUCTION", "PROFESSIONAL_SERVICES"},
	}
	registrationIdentifiers = accepted{
		[]string{"EIN", "DUNS"},
		[]string{"CBN", "CCN", "CN", "ACN", "CIN", "VAT", "VATRN", "RN", "Other"},
	}
	operationRegions = accepted{
		[]string{"AFRICA", "ASIA", "EUROPE", "LATIN_AMERICA", "USA_AND_CANADA"},
		[]string{"AUSTRALIA"},
	}
	jobPositions = accepted{
		[]string{"Director", "GM", "VP", "CEO", "CFO", "General Counsel"},
		[]string{"Other"},
	}
)

// has says whether a value is one of the accepted.
func (a accepted) has(value string, cfg *Config) bool {
	return slices.Contains(a.guide, value) || !cfg.GuideLists && slices.Contains(a.elsewhere, value)
}

// check is the check of an attribute that must be one of the accepted values.
func (a accepted) check(value string, in checked) string {
	if a.has(value, in.cfg) {
		return ""
	}
	all := a.guide
	if !in.cfg.GuideLists {
		all = append(all[:len(all):len(all)], a.elsewhere...)
	}
	return in.oneOf(all)
}

// among is the check of an attribute whose values nobody doubts.
func among(values ...string) check {
	return func(value string, in checked) string {
		if slices.Contains(values, value) {
			return ""
		}
		return in.oneOf(values)
	}
}

func email(value string, _ checked) string {
	if !isEmail(value) {
		return "Email is invalid."
	}
	return ""
}

var northAmerican = regexp.MustCompile(`^\+1[2-9]\d{2}[2-9]\d{6}$`)

func phone(value string, _ checked) string {
	form := e164
	if strings.HasPrefix(value, "+1") {
		form = northAmerican
	}
	if !form.MatchString(value) {
		return "Phone number is invalid."
	}
	return ""
}

func website(value string, in checked) string {
	if !isURL(value) {
		return in.field.friendlyName + " is invalid."
	}
	return ""
}

// regionsOfOperation accepts one region or, unless the switch says otherwise, several with commas
// between them.
func regionsOfOperation(value string, in checked) string {
	values := []string{value}
	if !in.cfg.SingleRegion {
		values = strings.Split(value, ",")
	}
	for _, one := range values {
		if fault := operationRegions.check(strings.TrimSpace(one), in); fault != "" {
			return fault
		}
	}
	return ""
}

var (
	einNumber  = regexp.MustCompile(`^\d{2}-?\d{7}$`)
	dunsNumber = regexp.MustCompile(`^\d{9}$`)
)

func registrationNumber(number string, in checked) string {
	switch attributeText(in.attributes, "business_registration_identifier") {
	case "EIN":
		if !einNumber.MatchString(number) {
			return in.field.friendlyName + " is not an Employer Identification Number."
		}
	case "DUNS":
		if !dunsNumber.MatchString(number) {
			return in.field.friendlyName + " is not a DUNS number."
		}
	}
	return ""
}
