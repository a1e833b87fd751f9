package ledgertest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// at is a time with all the digits that the ledger stores.
func at(minutes int) time.Time {
	return time.Date(2026, time.March, 14, 15, 9, 26, 535897000, time.UTC).Add(time.Duration(minutes) * time.Minute)
}

// sid is a SID with that prefix. No other test has it.
func sid(prefix string) string {
	return prefix + fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64())
}

func newID() onboarding.ID {
	return onboarding.ID("onb_" + strings.ToLower(sid("")))
}

// fresh is a new onboarding.
func fresh() *onboarding.Onboarding {
	return &onboarding.Onboarding{
		ID:            newID(),
		SubaccountSID: sid("AC"),
		CallbackToken: sid("token"),
		Version:       1,
		CreatedAt:     at(0),
		UpdatedAt:     at(0),
		Request: onboarding.Request{
			ExternalID:        sid("customer-"),
			PrimaryProfileSID: sid("BU"),
			NotificationEmail: "trust@example.com",
			Business: onboarding.Business{
				Name:                   "Example Plumbing LLC",
				Identity:               "direct_customer",
				Type:                   "Limited Liability Corporation",
				Industry:               "CONSTRUCTION",
				RegistrationIdentifier: "EIN",
				RegistrationNumber:     "00-0000000",
				RegionsOfOperation:     "USA_AND_CANADA",
				WebsiteURL:             "https://plumbing.example.com",
			},
			Address: onboarding.Address{
				CustomerName: "Example Plumbing LLC",
				Street:       "1 Example Street",
				City:         "Exampleville",
				Region:       "CA",
				PostalCode:   "90001",
				ISOCountry:   "US",
			},
			AuthorizedRepresentatives: []onboarding.Representative{{
				FirstName:     "First",
				LastName:      "Representative",
				Email:         "first@example.com",
				PhoneNumber:   "+12025550123",
				BusinessTitle: "Owner",
				JobPosition:   "CEO",
			}},
			PhoneNumbers: []string{"+12025550100", "PN0123456789abcdef0123456789abcdef"},
		},
	}
}

func created(o *onboarding.Onboarding) onboarding.Event {
	return onboarding.Event{At: o.CreatedAt, Kind: "onboarding.created", Actor: "key:test"}
}

// everyField is a step with something in each field that is stored.
func everyField(key onboarding.Key) onboarding.Step {
	return onboarding.Step{
		Key:          key,
		State:        onboarding.StepFailed,
		SID:          sid("BU"),
		RemoteStatus: onboarding.BundleRejected,
		Attempts:     3,
		Error: &onboarding.StepError{
			Code:       18602,
			Message:    `a message with "quotes", \ and Ünicode`,
			MoreInfo:   "https://www.twilio.com/docs/errors/18602",
			HTTPStatus: 400,
		},
		Requirements: []onboarding.Requirement{
			{Pointer: "/business/business_registration_number", Code: "18602", Message: "not found", Source: onboarding.SourceReview},
			{Code: "22214", Message: "missing", Source: onboarding.SourceEvaluation},
		},
		WaitsFor:      "preflight",
		IntentAt:      at(1),
		StartedAt:     at(2),
		FinishedAt:    at(3),
		NextAttemptAt: at(4),
	}
}
