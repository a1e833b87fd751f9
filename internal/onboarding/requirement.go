package onboarding

import "time"

// Source says by which channel a requirement came.
type Source string

// The sources of a requirement.
const (
	SourcePreflight  Source = "preflight"
	SourceEvaluation Source = "evaluation"
	SourceReview     Source = "review"
	SourceTwilio     Source = "twilio"
	SourceCallback   Source = "callback"
	SourceComparison Source = "comparison"
)

// Responsible says who can do what is required.
type Responsible string

// Those who can be responsible.
const (
	// ResponsibleCustomer is the business behind the subaccount.
	ResponsibleCustomer Responsible = "customer"
	// ResponsibleOperator is the ISV that runs attestd.
	ResponsibleOperator Responsible = "operator"
	// ResponsibleTwilio is Twilio: there is nothing to do but to wait or to ask.
	ResponsibleTwilio Responsible = "twilio"
)

// Action says by which means a requirement is met.
type Action string

// The actions.
const (
	// ActionCorrect: correct the member that the pointer leads to, by PATCH.
	ActionCorrect Action = "correct"
	// ActionResume: mend the cause outside of the request, then resume.
	ActionResume Action = "resume"
	// ActionDropProduct: take the product out of the request's products.
	ActionDropProduct Action = "drop_product"
	// ActionResubmitUnchanged: hand the same data in again, by a PATCH that changes nothing.
	ActionResubmitUnchanged Action = "resubmit_unchanged"
	// ActionWaitUntil: it goes on by itself.
	ActionWaitUntil Action = "wait_until"
	// ActionContactTwilio: only Twilio's support can help.
	ActionContactTwilio Action = "contact_twilio"
)

// Requirement is something that must be done before the onboarding can go on. It has the same shape
// whoever asks for it.
type Requirement struct {
	// Pointer is a JSON pointer (RFC 6901) into the request; "" is the request as a whole, or
	// nothing in it.
	Pointer string `json:"pointer"`
	// Code is Twilio's error code in decimal, or a word of ours.
	Code string `json:"code"`
	// Message says what is wrong and what to do. It is ours and holds no value of the request.
	Message string `json:"message"`
	// TwilioMessage is Twilio's own text, at most [MostTwilioMessage] characters; "" if there is
	// none. It may repeat personal data.
	TwilioMessage string      `json:"twilio_message,omitempty"`
	Source        Source      `json:"source"`
	Responsible   Responsible `json:"responsible,omitempty"`
	Action        Action      `json:"action,omitempty"`
	// At is when it was found, by the ledger's clock.
	At time.Time `json:"at,omitzero"`
}

// MostTwilioMessage is how many characters of Twilio's text a requirement keeps.
const MostTwilioMessage = 500

// CodeApprovalEnding is asked for while an approval still holds, and so says nothing against the
// attestation.
const CodeApprovalEnding = "approval_ending"

// IsSame tells whether two requirements ask for the same, whenever they were found.
func (r Requirement) IsSame(other Requirement) bool {
	r.At, other.At = time.Time{}, time.Time{}
	return r == other
}
