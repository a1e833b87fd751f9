package trusthub

import (
	"encoding/json"

	"github.com/attestd/attestd/internal/onboarding"
)

// The types below are the JSON of the entries in Twilio's lists. Absent and null members stay
// empty.

// entry has the members of every kind of entry.
type entry struct {
	SID          string `json:"sid"`
	FriendlyName string `json:"friendly_name"`
	DateCreated  date   `json:"date_created"`
	DateUpdated  date   `json:"date_updated"`
}

func (e entry) common() onboarding.Remote {
	return onboarding.Remote{
		SID: e.SID, FriendlyName: e.FriendlyName,
		CreatedAt: e.DateCreated.Time, UpdatedAt: e.DateUpdated.Time,
	}
}

type numberEntry struct {
	entry
	PhoneNumber  string `json:"phone_number"`
	Capabilities struct {
		Voice bool `json:"voice"`
		SMS   bool `json:"sms"`
		MMS   bool `json:"mms"`
		Fax   bool `json:"fax"`
	} `json:"capabilities"`
	Status     string `json:"status"`
	Origin     string `json:"origin"`
	AddressSID string `json:"address_sid"`
	BundleSID  string `json:"bundle_sid"`
	TrunkSID   string `json:"trunk_sid"`
}

func (e numberEntry) number() onboarding.RemotePhoneNumber {
	return onboarding.RemotePhoneNumber{
		Remote: e.common(), PhoneNumber: e.PhoneNumber,
		Voice: e.Capabilities.Voice, SMS: e.Capabilities.SMS,
		MMS: e.Capabilities.MMS, Fax: e.Capabilities.Fax,
		Status: e.Status, Origin: e.Origin,
		AddressSID: e.AddressSID, BundleSID: e.BundleSID, TrunkSID: e.TrunkSID,
	}
}

type addressEntry struct {
	entry
	CustomerName     string `json:"customer_name"`
	Street           string `json:"street"`
	StreetSecondary  string `json:"street_secondary"`
	City             string `json:"city"`
	Region           string `json:"region"`
	PostalCode       string `json:"postal_code"`
	ISOCountry       string `json:"iso_country"`
	Validated        bool   `json:"validated"`
	Verified         bool   `json:"verified"`
	EmergencyEnabled bool   `json:"emergency_enabled"`
}

func (e addressEntry) address() onboarding.RemoteAddress {
	return onboarding.RemoteAddress{
		Remote: e.common(), CustomerName: e.CustomerName,
		Street: e.Street, StreetSecondary: e.StreetSecondary, City: e.City,
		Region: e.Region, PostalCode: e.PostalCode, ISOCountry: e.ISOCountry,
		Validated: e.Validated, Verified: e.Verified, EmergencyEnabled: e.EmergencyEnabled,
	}
}

type bundleEntry struct {
	entry
	PolicySID  string          `json:"policy_sid"`
	Status     string          `json:"status"`
	Email      string          `json:"email"`
	ValidUntil date            `json:"valid_until"`
	Errors     json.RawMessage `json:"errors"`
}

func (e bundleEntry) bundle() onboarding.RemoteBundle {
	return onboarding.RemoteBundle{
		Remote: e.common(), PolicySID: e.PolicySID, Status: hyphenated(e.Status), Email: e.Email,
		ValidUntil: e.ValidUntil.Time, Errors: bundleErrors(e.Errors),
	}
}

type objectEntry struct {
	entry
	Type       string         `json:"type"`
	Status     string         `json:"status"`
	MIMEType   string         `json:"mime_type"`
	Attributes map[string]any `json:"attributes"`
}

func (e objectEntry) object() onboarding.RemoteObject {
	return onboarding.RemoteObject{
		Remote: e.common(), Type: e.Type, Status: hyphenated(e.Status), MIMEType: e.MIMEType,
		Attributes: e.Attributes,
	}
}
