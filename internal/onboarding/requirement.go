package onboarding

// Source says who asks for something.
type Source string

// The sources of a requirement.
const (
	SourcePreflight  Source = "preflight"
	SourceEvaluation Source = "evaluation"
	SourceReview     Source = "review"
	SourceTwilio     Source = "twilio"
)

// Requirement is something that a person must do before the onboarding can go on. It has the same
// shape whoever asks for it.
type Requirement struct {
	// Pointer is a JSON pointer (RFC 6901) into the request; "" is the request as a whole, or
	// nothing in it.
	Pointer string `json:"pointer"`
	// Code is Twilio's error code in decimal, or a word of ours for what the preflight finds.
	Code    string `json:"code"`
	Message string `json:"message"`
	Source  Source `json:"source"`
}

// CodeApprovalEnding is asked for while an approval still holds, and so says nothing against the
// attestation.
const CodeApprovalEnding = "approval_ending"
