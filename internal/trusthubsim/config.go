package trusthubsim

import (
	"log/slog"
	"net/http"
	"time"
)

// The fixed defaults of the parent account, so that a program and its simulator agree without
// being told.
const (
	DefaultAccountSID        = "AC00000000000000000000000000000001"
	DefaultAuthToken         = "00000000000000000000000000000002"
	DefaultPrimaryProfileSID = "BU00000000000000000000000000000003"
)

// ReviewMode says who decides about what was submitted.
type ReviewMode string

const (
	// ReviewAuto decides after Config.ReviewDelay, by the data (see docs/simulator.md).
	ReviewAuto ReviewMode = "auto"
	// ReviewManual leaves everything in pending-review until Simulator.Review is called. Checks
	// after the submission still reject what they find.
	ReviewManual ReviewMode = "manual"
)

// ProductGate says which status of the customer profile a trust product's evaluation accepts.
type ProductGate string

const (
	// GateApproved wants twilio-approved.
	GateApproved ProductGate = "approved"
	// GateSubmitted is content with pending-review and in-review too.
	GateSubmitted ProductGate = "submitted"
)

// Config holds the switches of a Simulator. The zero value is usable and strict. What each switch
// does, and how sure it is that Twilio does so, stands in the table of switches.
type Config struct {
	// AccountSID, AuthToken and PrimaryProfileSID describe the parent account and its primary
	// profile; each defaults to the constant of the same name.
	AccountSID, AuthToken, PrimaryProfileSID string
	// PrimaryIdentity is the business_identity of the primary profile, isv_reseller_or_partner by
	// default. With any other, no secondary profile can be made.
	PrimaryIdentity string
	// PublicURL is the base of absolute URLs in answers, without a trailing slash; "" takes each
	// request's own host.
	PublicURL string

	// Review is ReviewAuto by default.
	Review ReviewMode
	// ReviewDelay is the time from submission to decision; half-way the bundle goes to in-review.
	ReviewDelay time.Duration
	// CheckDelay is the time from submission to the end of the checks of e-mail addresses and
	// addresses, 15 s by default. A review that ends earlier brings what they found.
	CheckDelay time.Duration
	// ApprovalValidity is how far valid_until lies ahead on approval, one year by default.
	ApprovalValidity time.Duration
	// ProductGate is GateApproved by default.
	ProductGate ProductGate
	// RejectedProductsFinal refuses every edit and submission of a trust product that was rejected.
	RejectedProductsFinal bool
	// NumbersDuringReview lets numbers be added to and removed from a trust product in review.
	NumbersDuringReview bool
	// AnyEmailDomain turns off the rejection with 18606.
	AnyEmailDomain bool
	// Doubts are what else is not sure about Twilio.
	Doubts

	// Latency is added to each request, before the work.
	Latency time.Duration
	// ListLag leaves out of each list what is younger than this.
	ListLag time.Duration
	// MaxConcurrent is how many requests each account's credentials may have open; one more is
	// answered 429 with code 20429 and not processed. 0 sets no limit.
	MaxConcurrent int
	// RetryAfter is sent with those 429, in whole seconds; 0 sends no such header.
	RetryAfter time.Duration
	// Seed is what SIDs, tokens and chances are drawn from: the same calls give the same SIDs.
	Seed uint64

	// Callbacks says how status callbacks are delivered.
	Callbacks Callbacks
	// CallbackClient sends them; nil is an http.Client with Twilio's limit of 15 s.
	CallbackClient interface {
		Do(*http.Request) (*http.Response, error)
	}
	// Logger gets one debug line for each request and callback, without their contents; nil
	// discards.
	Logger *slog.Logger
}

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	setDefault(&c.AccountSID, DefaultAccountSID)
	setDefault(&c.AuthToken, DefaultAuthToken)
	setDefault(&c.PrimaryProfileSID, DefaultPrimaryProfileSID)
	setDefault(&c.PrimaryIdentity, identityISV)
	setDefault(&c.Review, ReviewAuto)
	setDefault(&c.ProductGate, GateApproved)
	setDefault(&c.CheckDelay, 15*time.Second)
	setDefault(&c.ApprovalValidity, 365*24*time.Hour)
	c.Doubts = c.Doubts.withDefaults()
	c.Callbacks = c.Callbacks.withDefaults()
	if c.CallbackClient == nil {
		c.CallbackClient = &http.Client{Timeout: 15 * time.Second}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func setDefault[T comparable](to *T, value T) {
	var zero T
	if *to == zero {
		*to = value
	}
}
