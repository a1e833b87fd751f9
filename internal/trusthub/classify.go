package trusthub

import (
	"errors"
	"net"
	"net/http"
	"regexp"
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
)

// Twilio's error codes that decide a class by themselves (https://www.twilio.com/docs/api/errors).
const (
	codePermissionDenied = 20003
	codeAccountNotActive = 20005
	codeConflict         = 20409
	codeInvalidParameter = 20422
	codeTooManyRequests  = 20429
	codeOutdatedEntity   = 70003
)

// outcome is all that a failure's class depends on.
type outcome struct {
	method string
	// status is 0 if no answer came.
	status int
	code   int
	// neverSent: there was no answer because nothing was asked: no connection, or the request was held back.
	neverSent bool
	// unreadable: the answer says that it went well, but what it says of the result cannot be read.
	unreadable bool
	// retryAfter: the answer says when to come again.
	retryAfter bool
	// text is Twilio's message.
	text string
	// bundle is the bundle that the call assigns something to, "" if it assigns nothing.
	bundle string
}

// classify sorts a failure by what may be done about it. It is the only place that does. other is the other bundle that a conflict names.
//
// Where an answer leaves room for doubt it says unknown: that costs a lookup, where the opposite mistake costs a duplicate.
func classify(o outcome) (class onboarding.Class, other string) {
	switch {
	case o.neverSent:
		return onboarding.ClassRepeatable, ""
	case o.status == 0, o.unreadable:
		return onboarding.ClassUnknown, ""
	case o.status < 500 && o.code == codeAccountNotActive:
		// It comes with 401, but no other token would help.
		return onboarding.ClassPermanent, ""
	case o.status == http.StatusUnauthorized, o.code == codePermissionDenied:
		return onboarding.ClassCredentials, ""
	case o.status == http.StatusTooManyRequests, o.code == codeTooManyRequests:
		return onboarding.ClassRepeatable, ""
	case o.status == http.StatusConflict, o.code == codeConflict, o.code == codeOutdatedEntity && o.status < 500:
		return classifyConflict(o)
	case o.status == http.StatusUnprocessableEntity && o.code == codeInvalidParameter:
		return onboarding.ClassPermanent, ""
	case o.status == http.StatusUnprocessableEntity:
		return onboarding.ClassRepeatable, ""
	case o.status == http.StatusServiceUnavailable && o.retryAfter:
		return onboarding.ClassRepeatable, ""
	case o.status >= 500:
		return onboarding.ClassUnknown, ""
	case o.status == http.StatusRequestTimeout:
		// Whoever stands between may have waited for Twilio in vain.
		return onboarding.ClassUnknown, ""
	case o.status == http.StatusBadRequest && o.code == 0:
		// Twilio gives a code with every 400: this is someone else's, or one that was cut off.
		return onboarding.ClassUnknown, ""
	case o.status < 400 && o.method == http.MethodPost:
		// A redirect, which Twilio does not use. Some are given after the work is done (303, in practice 302).
		return onboarding.ClassUnknown, ""
	default:
		return onboarding.ClassPermanent, ""
	}
}

// isTooMany says that the account had too many requests under way.
func isTooMany(e *onboarding.RemoteError) bool {
	return e.HTTPStatus == http.StatusTooManyRequests || e.Code == codeTooManyRequests
}

// classifyConflict reads a 409. Twilio gives it for an assignment that is there already, with the bundle in the text ("already assigned
// to BU…"):
//
//   - that very bundle: it is done, look it up;
//   - another one only: a person must free the object;
//   - none, or both: the words do not say which it is, so the lookup must. The class is "exists", and a caller whose lookup then finds
//     nothing has a failure for a person; other is still filled in if the text names one.
//
// A conflict of a read or a deletion has nothing to look up.
func classifyConflict(o outcome) (class onboarding.Class, other string) {
	same := false
	for _, sid := range bundleSIDs.FindAllString(o.text, -1) {
		if strings.EqualFold(sid, o.bundle) {
			same = true
		} else if other == "" {
			other = sid
		}
	}
	if o.bundle == "" {
		other = "" // Nothing was to be assigned, so the text is about the bundle's status, and nothing holds anything.
	}
	if o.method != http.MethodPost || other != "" && !same {
		return onboarding.ClassPermanent, other
	}
	return onboarding.ClassExists, other
}

var bundleSIDs = regexp.MustCompile(`\bBU[0-9a-fA-F]{32}\b`)

// neverConnected says that err is about reaching Twilio at all, so that nothing was sent: a name that does not resolve, a refused
// connection, a dial that took too long.
func neverConnected(err error) bool {
	var name *net.DNSError
	if errors.As(err, &name) {
		return true
	}
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
