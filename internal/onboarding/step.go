package onboarding

import (
	"strings"
	"time"
)

// Key names a step within its onboarding, such as "customer_profile.evaluation".
type Key string

// Sub returns the key of a step that belongs to k.
func (k Key) Sub(name string) Key { return k + "." + Key(name) }

// cut parts the key of a bundle's step, such as "customer_profile.review", into the bundle's and the rest, "" for a key without a dot.
func (k Key) cut() (bundle Key, part string) {
	b, part, _ := strings.Cut(string(k), ".")
	return Key(b), part
}

// IsReview tells whether the step waits for Twilio's reviewers.
func (k Key) IsReview() bool { return strings.HasSuffix(string(k), ".review") }

// isNumber tells whether the step puts a number on a bundle.
func (k Key) isNumber() bool { return strings.Contains(string(k), ".number.") }

// isCheck tells whether the step only looks now and then whether what was done still holds.
func (k Key) isCheck() bool { return k == keyNumbersCheck }

// under tells whether the step belongs to the bundle.
func (k Key) under(bundle Key) bool {
	return len(k) > len(bundle) && k[len(bundle)] == '.' && k[:len(bundle)] == bundle
}

// State is the state of a step.
type State string

// The states of a step. A running step whose runner is gone has an unknown outcome: it is looked up, never blindly repeated (invariant 2).
const (
	StepPending   State = "pending"
	StepRunning   State = "running"
	StepWaiting   State = "waiting"
	StepSucceeded State = "succeeded"
	StepFailed    State = "failed"
	StepCanceled  State = "canceled"
)

// Step is one line of the ledger.
type Step struct {
	Key   Key
	State State
	// SID is what Twilio answered: of the object, the assignment or the newest evaluation.
	SID string
	// RemoteStatus is Twilio's word for the object as last read, where it has one: a bundle's status, an evaluation's verdict.
	RemoteStatus string
	// Attempts counts the calls that were made for this step, lookups not included.
	Attempts int
	// Error is the newest failure; it stays to be read while the step is tried again, and goes when it succeeds.
	Error *StepError
	// Requirements say what to do about a failed step.
	Requirements []Requirement
	// WaitsFor is the step whose success makes a waiting step due; "" when it waits for NextAttemptAt.
	WaitsFor Key

	// IntentAt is when the newest intent was committed, by the ledger's clock.
	IntentAt   time.Time
	StartedAt  time.Time
	FinishedAt time.Time
	// NextAttemptAt is when the step is due by itself. One that has succeeded or failed with such a time is a read that is made again then.
	NextAttemptAt time.Time
}

// isDecided tells whether the step has come to something.
func (s *Step) isDecided() bool { return s.State == StepSucceeded || s.State == StepFailed }

// StepError is a failure as support staff are shown it. Message is Twilio's text and may repeat what it was sent: it is kept in the
// ledger and shown to those who may read the onboarding, and never logged.
type StepError struct {
	Code       int    `json:"code,omitempty"`
	Message    string `json:"message"`
	MoreInfo   string `json:"more_info,omitempty"`
	HTTPStatus int    `json:"http_status,omitempty"`
}

// Event is one line of an onboarding's history.
type Event struct {
	At time.Time
	// Kind is what happened, such as "step.succeeded" or "onboarding.created".
	Kind string
	// Step is the step it happened to, if it was one.
	Step Key
	// Actor is who did it: "key:NAME", "twilio", or "replica:NAME".
	Actor string
	// Detail is for people: SIDs, codes, states; nothing personal.
	Detail string
}
