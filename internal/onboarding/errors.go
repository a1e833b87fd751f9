package onboarding

import (
	"errors"
	"fmt"
	"time"
)

// Errors of a [Ledger] and of a [Repository].
var (
	// ErrNotFound: there is no such onboarding.
	ErrNotFound = errors.New("no such onboarding")
	// ErrLostPlace: another runner has claimed the onboarding since. Nothing was written, and the
	// one who gets this must stop.
	ErrLostPlace = errors.New("another runner has claimed this onboarding")
)

// ConflictError is a request that another onboarding stands in the way of.
type ConflictError struct {
	// Field is the request's field that both share: "subaccount_sid" or "external_id".
	Field string
	// ID is the onboarding that was there first.
	ID ID
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("onboarding %s already has this %s", e.ID, e.Field)
}

// Class sorts Twilio's failures by what may be done about them.
type Class int

// The classes of a [RemoteError].
const (
	// ClassRepeatable: refused before anything was done; the same call may be made again later.
	ClassRepeatable Class = iota + 1
	// ClassUnknown: a POST whose answer never came or cannot be read; it may have been applied. For
	// a read, the same as repeatable.
	ClassUnknown
	// ClassPermanent: refused for a reason that only a person can take away.
	ClassPermanent
	// ClassExists: the same effect was applied before; look it up and adopt it.
	ClassExists
	// ClassCredentials: the credentials were refused, freshly fetched ones too.
	ClassCredentials
)

func (c Class) String() string {
	switch c {
	case ClassRepeatable:
		return "repeatable"
	case ClassUnknown:
		return "unknown outcome"
	case ClassPermanent:
		return "permanent"
	case ClassExists:
		return "exists already"
	case ClassCredentials:
		return "credentials"
	default:
		return "unclassified"
	}
}

// RemoteError is a call to Twilio that failed.
type RemoteError struct {
	Class Class
	// Code is Twilio's error code, 0 if it gave none.
	Code int
	// HTTPStatus is 0 if there was no answer.
	HTTPStatus int
	// Message is Twilio's text. It may repeat personal data, so Error leaves it out.
	Message  string
	MoreInfo string
	// RetryAfter is how long to wait before the call is worth making again, as Twilio asked or as
	// the TrustHub makes of it for all who share the trouble; 0 if neither says.
	RetryAfter time.Duration
	// Outage says that the failure is not this call's: Twilio as a whole does not work. RetryAfter
	// then tells when it is worth trying again, and how often this call has failed before has
	// nothing to do with it.
	Outage bool
	// NotSent says of a repeatable failure that the call did not leave: it stood no chance or would
	// have done harm, because Twilio is down or the account has too many calls under way. It says
	// nothing about this call, which may be made as ever after RetryAfter.
	NotSent bool
	// BundleSID is the other bundle that a conflict names, if it names one.
	BundleSID string
	// Err is the failure underneath, such as a timeout; nil when Twilio answered. It names no URL
	// with personal data in it.
	Err error
}

// Error says what kind of failure it was, without Twilio's text: that may hold a name or a number,
// and errors are logged.
func (e *RemoteError) Error() string {
	text := "twilio: " + e.Class.String()
	if e.HTTPStatus != 0 {
		text += fmt.Sprintf(", HTTP %d", e.HTTPStatus)
	}
	if e.Code != 0 {
		text += fmt.Sprintf(", code %d", e.Code)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *RemoteError) Unwrap() error { return e.Err }

// StepError is the failure as the ledger keeps it.
func (e *RemoteError) StepError() *StepError {
	message := e.Message
	if message == "" {
		message = e.Error()
	}
	return &StepError{Code: e.Code, Message: message, MoreInfo: e.MoreInfo, HTTPStatus: e.HTTPStatus}
}

// AsRemote returns err as a *RemoteError. One that is not is treated as unknown: nothing is known
// of what it left behind.
func AsRemote(err error) *RemoteError {
	var remote *RemoteError
	if errors.As(err, &remote) {
		return remote
	}
	return &RemoteError{Class: ClassUnknown, Err: err}
}

// IsNotFound tells whether Twilio said that it has no such thing.
func IsNotFound(err error) bool {
	var remote *RemoteError
	return errors.As(err, &remote) && remote.Class == ClassPermanent && remote.HTTPStatus == 404
}
