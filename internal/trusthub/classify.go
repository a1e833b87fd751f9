package trusthub

import (
	"errors"
	"net"
	"net/http"
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

// outcome is everything that the class of a failure depends on.
type outcome struct {
	method string
	// status is 0 without an answer.
	status int
	code   int
	// neverSent: there is no answer because no byte of the request was sent.
	neverSent bool
	// unreadable: the status says success, but the result cannot be read.
	unreadable bool
	// retryAfter: the answer asks for a wait.
	retryAfter bool
	// text is Twilio's message.
	text string
	// bundle is the bundle that the call assigns an object to, or "".
	bundle string
}

// classify sorts a failure by what may be done about it. No other place does. other is the other
// bundle that a conflict names.
//
// In doubt the class is unknown. That costs a lookup; the opposite mistake costs a duplicate.
func classify(o outcome) (class onboarding.Class, other string) {
	switch {
	case o.neverSent:
		return onboarding.ClassRepeatable, ""
	case o.status == 0, o.unreadable:
		return onboarding.ClassUnknown, ""
	case o.status < 500 && o.code == codeAccountNotActive:
		// Its status is 401, but no other token would help.
		return onboarding.ClassPermanent, ""
	case o.status == http.StatusUnauthorized, o.code == codePermissionDenied:
		return onboarding.ClassCredentials, ""
	case o.status == http.StatusTooManyRequests, o.code == codeTooManyRequests:
		return onboarding.ClassRepeatable, ""
	case o.status == http.StatusConflict, o.code == codeConflict,
		o.code == codeOutdatedEntity && o.status < 500:
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
		// A proxy may have waited for Twilio in vain.
		return onboarding.ClassUnknown, ""
	case o.status == http.StatusBadRequest && o.code == 0:
		// Every 400 of Twilio's has a code: this one is a proxy's, or incomplete.
		return onboarding.ClassUnknown, ""
	case o.status < 400 && o.method == http.MethodPost:
		// A redirect. Twilio sends none, and some (303, in practice 302) follow finished work.
		return onboarding.ClassUnknown, ""
	default:
		return onboarding.ClassPermanent, ""
	}
}

// isTooManyRequests says that the account had too many requests in flight.
func isTooManyRequests(e *onboarding.RemoteError) bool {
	return e.HTTPStatus == http.StatusTooManyRequests || e.Code == codeTooManyRequests
}

// classifyConflict reads a 409. Twilio sends it for an assignment that exists, and names the bundle
// in the text ("already assigned to BU…"):
//
//   - the bundle of the call: the assignment exists, and a lookup finds it;
//   - only another bundle: a person must free the object;
//   - none, or both: the words do not tell, so a lookup must. The class is "exists"; if the lookup
//     finds nothing, the failure is a matter for a person. other names the other bundle even so.
//
// A conflict of a read or a deletion has nothing to look up.
func classifyConflict(o outcome) (class onboarding.Class, other string) {
	same := false
	for _, sid := range onboarding.SIDsIn("BU", o.text) {
		if strings.EqualFold(sid, o.bundle) {
			same = true
		} else if other == "" {
			other = sid
		}
	}
	if o.bundle == "" {
		other = "" // The call assigns nothing: the text is about the bundle's own status.
	}
	if o.method != http.MethodPost || other != "" && !same {
		return onboarding.ClassPermanent, other
	}
	return onboarding.ClassExists, other
}

// neverConnected says of a transport's error that there was no connection, so that nothing was
// sent: an unknown host name, a refused connection, a dial that took too long.
func neverConnected(err error) bool {
	var name *net.DNSError
	if errors.As(err, &name) {
		return true
	}
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
