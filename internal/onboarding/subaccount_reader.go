package onboarding

import (
	"context"
	"errors"
	"time"
)

// ErrNoSubaccount means that the account is no subaccount of the one that attestd is configured
// with, or does not exist.
var ErrNoSubaccount = errors.New("no such subaccount")

// SubaccountReader reads what a subaccount holds at Twilio, whoever put it there, for people who
// look into it: a page at a time, in Twilio's order and words. The state machine has no part in it.
//
// Each method is one call; the first about an account is preceded by one that reads whose account
// it is. size is how many entries to ask for, 1 to 1000. Errors: ErrNoSubaccount, *RemoteError.
type SubaccountReader interface {
	PagePhoneNumbers(ctx context.Context, account string, f PhoneNumberFilter, at PageAt, size int) (Page[RemotePhoneNumber], error)
	PageAddresses(ctx context.Context, account string, f AddressFilter, at PageAt, size int) (Page[RemoteAddress], error)
	PageBundles(ctx context.Context, account string, kind BundleKind, f BundleFilter, at PageAt, size int) (Page[RemoteBundle], error)
	PageEndUsers(ctx context.Context, account string, at PageAt, size int) (Page[RemoteObject], error)
	PageSupportingDocuments(ctx context.Context, account string, at PageAt, size int) (Page[RemoteObject], error)
}

// PageAt is a place in one of Twilio's lists; the zero value is its beginning. It is made of what
// Twilio's link to the next page says, and is no link: which list it is a place in, its user knows.
type PageAt struct {
	Number string
	Token  string
}

// Page is a page of a list. Next is where the next one begins, zero on the last.
type Page[T any] struct {
	Items []T
	Next  PageAt
}

// PhoneNumberFilter selects numbers; an empty field selects all, here and below. How closely a text
// must match is Twilio's to say.
type PhoneNumberFilter struct {
	// PhoneNumber is in E.164, or a part of it with * for any digit.
	PhoneNumber string
}

// AddressFilter selects addresses.
type AddressFilter struct {
	CustomerName string
	FriendlyName string
	ISOCountry   string
}

// BundleFilter selects customer profiles or trust products.
type BundleFilter struct {
	// Status is one of Twilio's, in lower case.
	Status       string
	FriendlyName string
	PolicySID    string
}

// Remote is what every object at Twilio has. A time that Twilio does not say is zero.
type Remote struct {
	SID          string
	FriendlyName string
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// RemotePhoneNumber is an incoming phone number.
type RemotePhoneNumber struct {
	Remote
	// PhoneNumber is in E.164.
	PhoneNumber          string
	Voice, SMS, MMS, Fax bool
	Status               string
	Origin               string
	AddressSID           string
	BundleSID            string
	TrunkSID             string
}

// RemoteAddress is an address.
type RemoteAddress struct {
	Remote
	CustomerName     string
	Street           string
	StreetSecondary  string
	City             string
	Region           string
	PostalCode       string
	ISOCountry       string
	Validated        bool
	Verified         bool
	EmergencyEnabled bool
}

// RemoteBundle is a customer profile or trust product. Its StatusCallback is left out: it holds a
// secret of the onboarding that it is of.
type RemoteBundle struct {
	Remote
	PolicySID  string
	Status     string
	Email      string
	ValidUntil time.Time
	Errors     []BundleError
}

// RemoteObject is an end user or a supporting document.
type RemoteObject struct {
	Remote
	Type string
	// Status and MIMEType are a document's.
	Status   string
	MIMEType string
	// Attributes are whatever Twilio has: text, mostly.
	Attributes map[string]any
}
