package trusthubsim

import (
	"regexp"
	"strings"
)

// The values that Twilio's pages name for the attributes with a fixed choice; pages differ, this is what any of them has.
var (
	businessTypes = []string{
		"Sole Proprietorship", "Partnership", "Limited Liability Corporation", "Corporation", "Co-operative",
		"Limited Liability Partnership", "Non-profit", "Non-profit Corporation",
	}
	businessIndustries = []string{
		"AUTOMOTIVE", "AGRICULTURE", "BANKING", "CONSTRUCTION", "CONSUMER", "EDUCATION", "ENGINEERING", "ENERGY",
		"OIL_AND_GAS", "FAST_MOVING_CONSUMER_GOODS", "FINANCIAL", "FINTECH", "FOOD_AND_BEVERAGE", "GOVERNMENT",
		"HEALTHCARE", "HOSPITALITY", "INSURANCE", "LEGAL", "MANUFACTURING", "MEDIA", "ONLINE", "PROFESSIONAL_SERVICES",
		"RAW_MATERIALS", "REAL_ESTATE", "RELIGION", "RETAIL", "JEWELRY", "TECHNOLOGY", "TELECOMMUNICATIONS",
		"TRANSPORTATION", "TRAVEL", "ELECTRONICS", "NOT_FOR_PROFIT",
	}
	registrationIdentifiers = []string{"EIN", "DUNS", "CBN", "CCN", "CN", "ACN", "CIN", "VAT", "VATRN", "RN", "Other"}
	operationRegions        = []string{"AFRICA", "ASIA", "EUROPE", "LATIN_AMERICA", "USA_AND_CANADA", "AUSTRALIA"}
)

func among(values ...string) check {
	known := oneOf(values...)
	return func(value string, _ func(string) string) string {
		if !known(value) {
			return "is not one of the accepted values"
		}
		return ""
	}
}

func email(value string, _ func(string) string) string {
	if !isEmail(value) {
		return "is not an e-mail address"
	}
	return ""
}

func phone(value string, _ func(string) string) string {
	if !e164.MatchString(value) {
		return "is not in E.164 format"
	}
	return ""
}

func website(value string, _ func(string) string) string {
	if !isURL(value) {
		return "is not a URL"
	}
	return ""
}

func callerName(value string, _ func(string) string) string {
	if len(value) > 15 {
		return "is longer than 15 characters"
	}
	return ""
}

// regions accepts one region or several with commas between them.
func regions(value string, _ func(string) string) string {
	for region := range strings.SplitSeq(value, ",") {
		if !oneOf(operationRegions...)(strings.TrimSpace(region)) {
			return "is not one of the accepted values"
		}
	}
	return ""
}

var (
	einNumber  = regexp.MustCompile(`^\d{2}-?\d{7}$`)
	dunsNumber = regexp.MustCompile(`^\d{9}$`)
)

func registrationNumber(number string, other func(string) string) string {
	switch other("business_registration_identifier") {
	case "EIN":
		if !einNumber.MatchString(number) {
			return "is not an Employer Identification Number"
		}
	case "DUNS":
		if !dunsNumber.MatchString(number) {
			return "is not a DUNS number"
		}
	}
	return ""
}
