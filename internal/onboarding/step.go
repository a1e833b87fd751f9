package onboarding

import (
	"fmt"
	"time"
)

// State is the state of a step.
type State string

// The states of a step. A running step whose runner is gone has an unknown outcome: it is looked
// up, never blindly repeated (invariant 2).
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
	Key Key
	// Role comes from the plan and is not stored. It is empty before [Plan.Arrange] and for a step
	// that the plan does not have.
	Role
	State State
	// SID is what Twilio answered: of the object, the assignment or the newest evaluation.
	SID string
	// RemoteStatus is Twilio's word for the object as last read, where it has one: a bundle's
	// status, an evaluation's result.
	RemoteStatus string
	// Attempts counts the calls that were made for this step, lookups not included.
	Attempts int
	// Error is the newest failure. It stays to be read while the step is tried again, and goes when
	// the step succeeds.
	Error *StepError
	// Requirements say what to do about a failed step.
	Requirements []Requirement
	// WaitsFor is the step whose success makes a waiting step due; "" when it waits for
	// NextAttemptAt.
	WaitsFor Key

	// IntentAt is when the newest intent was committed, by the ledger's clock.
	IntentAt  time.Time
	StartedAt time.Time
	// FinishedAt is when the step came to its end: succeeded, failed or canceled.
	FinishedAt time.Time
	// NextAttemptAt is when the step is due by itself. One that has succeeded or failed with such a
	// time is a read that is made again then.
	NextAttemptAt time.Time
}

// IsDecided tells whether the step has come to something.
func (s *Step) IsDecided() bool { return s.State == StepSucceeded || s.State == StepFailed }

// Enter puts the step into a state, or into its own anew. It ends every wait, and drops what
// belongs to the state before: the requirements, the end, and with success the error. It tells
// whether the charts have that way; nobody else changes State.
func (s *Step) Enter(to State, now time.Time) (charted bool) {
	charted = mayGo(s.Kind, s.State, to)
	from := s.State
	s.State = to
	s.WaitsFor, s.NextAttemptAt = "", time.Time{}
	if s.StartedAt.IsZero() && to != StepPending {
		s.StartedAt = now
	}
	if to != StepFailed {
		s.Requirements = nil
	}
	switch to {
	case StepSucceeded:
		s.Error = nil
		if from != StepSucceeded { // Or else it is only found to be so still.
			s.FinishedAt = now
		}
	case StepFailed, StepCanceled:
		s.FinishedAt = now
	case StepPending, StepRunning, StepWaiting:
		s.FinishedAt = time.Time{}
	}
	return charted
}

// StepError is a failure as support staff are shown it. Message is Twilio's text and may repeat
// what it was sent: it is kept in the ledger and shown to those who may read the onboarding, and
// never logged.
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
	// Step is the step it happened to, if it was one. StepKind and Bundle are of its role then.
	Step     Key
	StepKind Kind
	Bundle   Key
	// Actor is who did it: "key:NAME", "twilio", or "replica:NAME".
	Actor string
	// Detail is for people: SIDs, codes, states; nothing personal.
	Detail string
}

// StepEvent is the event of a step that has just come into its state.
func StepEvent(step *Step, at time.Time, actor string) Event {
	e := Event{
		At: at, Kind: "step." + string(step.State), Step: step.Key, StepKind: step.Kind, Bundle: step.Bundle, Actor: actor, Detail: step.SID,
	}
	if step.Error != nil && step.State != StepSucceeded && step.Error.Code != 0 {
		e.Detail = fmt.Sprintf("code %d", step.Error.Code)
	}
	return e
}

// ReplacedStep records what the step has made, when another object is about to take its place.
func ReplacedStep(step *Step, remoteStatus string, now time.Time) Step {
	return Step{Key: step.Key.Replaced(step.SID), State: StepSucceeded, SID: step.SID, RemoteStatus: remoteStatus,
		StartedAt: step.StartedAt, FinishedAt: now}
}
