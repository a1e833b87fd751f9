package trusthub

import (
	"encoding/json"

	"github.com/attestd/attestd/internal/onboarding"
)

// The types below are entries of Twilio's lists as they are on the wire. Absent and null members stay empty.

type heldPart struct {
	SID          string `json:"sid"`
	FriendlyName string `json:"friendly_name"`
	DateCreated  moment `json:"date_created"`
	DateUpdated  moment `json:"date_updated"`
}

func (h heldPart) part() onboarding.Held {
	return onboarding.Held{SID: h.SID, FriendlyName: h.FriendlyName, CreatedAt: h.DateCreated.Time, UpdatedAt: h.DateUpdated.Time}
}

type heldPhoneNumber struct {
	heldPart
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

func (n heldPhoneNumber) held() onboarding.HeldPhoneNumber {
	return onboarding.HeldPhoneNumber{
		Held: n.part(), PhoneNumber: n.PhoneNumber,
		Voice: n.Capabilities.Voice, SMS: n.Capabilities.SMS, MMS: n.Capabilities.MMS, Fax: n.Capabilities.Fax,
		Status: n.Status, Origin: n.Origin, AddressSID: n.AddressSID, BundleSID: n.BundleSID, TrunkSID: n.TrunkSID,
	}
}

type heldAddress struct {
	heldPart
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

func (a heldAddress) held() onboarding.HeldAddress {
	return onboarding.HeldAddress{
		Held: a.part(), CustomerName: a.CustomerName, Street: a.Street, StreetSecondary: a.StreetSecondary, City: a.City, Region: a.Region,
		PostalCode: a.PostalCode, ISOCountry: a.ISOCountry, Validated: a.Validated, Verified: a.Verified, EmergencyEnabled: a.EmergencyEnabled,
	}
}

type heldBundle struct {
	heldPart
	PolicySID  string          `json:"policy_sid"`
	Status     string          `json:"status"`
	Email      string          `json:"email"`
	ValidUntil moment          `json:"valid_until"`
	Errors     json.RawMessage `json:"errors"`
}

func (b heldBundle) held() onboarding.HeldBundle {
	return onboarding.HeldBundle{
		Held: b.part(), PolicySID: b.PolicySID, Status: hyphenated(b.Status), Email: b.Email, ValidUntil: b.ValidUntil.Time,
		Errors: bundleErrors(b.Errors),
	}
}

type heldObject struct {
	heldPart
	Type       string         `json:"type"`
	Status     string         `json:"status"`
	MIMEType   string         `json:"mime_type"`
	Attributes map[string]any `json:"attributes"`
}

func (o heldObject) held() onboarding.HeldObject {
	return onboarding.HeldObject{
		Held: o.part(), Type: o.Type, Status: hyphenated(o.Status), MIMEType: o.MIMEType, Attributes: o.Attributes,
	}
}
