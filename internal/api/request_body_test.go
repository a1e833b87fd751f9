package api

import (
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
)

// validBody returns a request without fault or warning, to be changed by a test.
func validBody() map[string]any {
	return map[string]any{
		"subaccount_sid":      testSubaccount,
		"external_id":         "customer-1042",
		"primary_profile_sid": "BU00000000000000000000000000000002",
		"notification_email":  "trust-hub@isv.example",
		"business": map[string]any{
			"business_name":                    "Example Plumbing LLC",
			"business_identity":                "direct_customer",
			"business_type":                    "Limited Liability Corporation",
			"business_industry":                "CONSUMER",
			"business_registration_identifier": "EIN",
			"business_registration_number":     "12-3456789",
			"business_regions_of_operation":    "USA_AND_CANADA",
			"website_url":                      "https://www.example.com",
			"social_media_profile_urls":        "https://social.example.net/plumbing",
		},
		"address": map[string]any{
			"customer_name":    "Example Plumbing LLC",
			"street":           "100 Main Street",
			"street_secondary": "Suite 4",
			"city":             "Springfield",
			"region":           "IL",
			"postal_code":      "62701",
			"iso_country":      "US",
		},
		"authorized_representatives": []any{
			representativeBody("First"),
			representativeBody("Second"),
		},
		"phone_numbers": []any{"+12025550100", "PN0123456789abcdef0123456789abcdef"},
	}
}

// validRequest is the request of validBody as it is stored.
func validRequest() onboarding.Request {
	return onboarding.Request{
		SubaccountSID:     testSubaccount,
		ExternalID:        "customer-1042",
		PrimaryProfileSID: "BU00000000000000000000000000000002",
		NotificationEmail: "trust-hub@isv.example",
		Business: onboarding.Business{
			Name: "Example Plumbing LLC", Identity: "direct_customer", Type: "Limited Liability Corporation", Industry: "CONSUMER",
			RegistrationIdentifier: "EIN", RegistrationNumber: "123456789", RegionsOfOperation: "USA_AND_CANADA",
			WebsiteURL: "https://www.example.com", SocialMediaProfileURLs: "https://social.example.net/plumbing",
		},
		Address: onboarding.Address{
			CustomerName: "Example Plumbing LLC", Street: "100 Main Street", StreetSecondary: "Suite 4", City: "Springfield",
			Region: "IL", PostalCode: "62701", ISOCountry: "US",
		},
		AuthorizedRepresentatives: []onboarding.Representative{
			{FirstName: "First", LastName: "Representative", Email: "first@example.com", PhoneNumber: "+12025550143", BusinessTitle: "Owner", JobPosition: "CEO"},
			{FirstName: "Second", LastName: "Representative", Email: "second@example.com", PhoneNumber: "+12025550143", BusinessTitle: "Owner", JobPosition: "CEO"},
		},
		PhoneNumbers: []string{"+12025550100", "PN0123456789abcdef0123456789abcdef"},
	}
}

func representativeBody(name string) map[string]any {
	return map[string]any{
		"first_name":     name,
		"last_name":      "Representative",
		"email":          strings.ToLower(name) + "@example.com",
		"phone_number":   "+12025550143",
		"business_title": "Owner",
		"job_position":   "CEO",
	}
}

// set changes the member at a path such as "business/website_url", or takes it away if v is
// absent{}.
func set(body map[string]any, path string, v any) {
	names := strings.Split(path, "/")
	var at any = body
	for _, name := range names[:len(names)-1] {
		switch container := at.(type) {
		case map[string]any:
			at = container[name]
		case []any:
			at = container[name[0]-'0']
		}
	}
	last := names[len(names)-1]
	switch container := at.(type) {
	case map[string]any:
		if _, gone := v.(absent); gone {
			delete(container, last)
			return
		}
		container[last] = v
	case []any:
		container[last[0]-'0'] = v
	}
}

type absent struct{}
