package trusthub

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

const (
	repeatable  = onboarding.ClassRepeatable
	unknown     = onboarding.ClassUnknown
	permanent   = onboarding.ClassPermanent
	exists      = onboarding.ClassExists
	credentials = onboarding.ClassCredentials

	sameText  = "PN is already assigned to " + profileSID
	upperText = "PN is already assigned to BU0000000000000000000000000000000B"
	otherText = "PN is already assigned to " + otherBundle
)

// classified are failures of a POST, unless they name another method.
var classified = []struct {
	name  string
	o     outcome
	class onboarding.Class
	other string
}{
	// Refused before anything was done.
	{"too many requests", outcome{status: 429, code: 20429}, repeatable, ""},
	{"too many requests, no body", outcome{status: 429}, repeatable, ""},
	{"too many requests, other status", outcome{status: 503, code: 20429}, repeatable, ""},
	{"unprocessable", outcome{status: 422}, repeatable, ""},
	{"unprocessable, some code", outcome{status: 422, code: 70001}, repeatable, ""},
	{"unavailable, with a wait", outcome{status: 503, retryAfter: true}, repeatable, ""},
	{"never sent", outcome{neverSent: true}, repeatable, ""},

	// Perhaps done.
	{"no answer", outcome{}, unknown, ""},
	{"unreadable answer", outcome{status: 201, unreadable: true}, unknown, ""},
	{"unavailable", outcome{status: 503}, unknown, ""},
	{"internal error", outcome{status: 500, code: 20500}, unknown, ""},
	{"internal error, with a wait", outcome{status: 500, retryAfter: true}, unknown, ""},
	{"internal error, account not active", outcome{status: 500, code: 20005}, unknown, ""},
	{"internal error, outdated entity", outcome{status: 500, code: 70003}, unknown, ""},
	{"bad gateway", outcome{status: 502}, unknown, ""},
	{"gateway timeout", outcome{status: 504}, unknown, ""},
	{"request timeout", outcome{status: 408}, unknown, ""},
	{"bad request without a code", outcome{status: 400}, unknown, ""},
	{"redirect", outcome{status: 302}, unknown, ""},

	// For a person.
	{"bad request", outcome{status: 400, code: 21628}, permanent, ""},
	{"not found", outcome{status: 404, code: 20404}, permanent, ""},
	{"not found, HTML", outcome{status: 404}, permanent, ""},
	{"forbidden", outcome{status: 403, code: 20403}, permanent, ""},
	{"gone", outcome{status: 410}, permanent, ""},
	{"invalid parameter", outcome{status: 422, code: 20422}, permanent, ""},
	{"account suspended", outcome{status: 401, code: 20005}, permanent, ""},
	{"redirect of a read", outcome{method: "GET", status: 302}, permanent, ""},

	// Conflicts.
	{"same bundle", outcome{status: 409, code: 20409, text: sameText, bundle: profileSID}, exists, ""},
	{"same bundle, capitals", outcome{status: 409, text: upperText, bundle: profileSID}, exists, ""},
	{"same bundle, under 400", outcome{status: 400, code: 20409, text: sameText, bundle: profileSID}, exists, ""},
	{"same bundle, outdated", outcome{status: 400, code: 70003, text: sameText, bundle: profileSID}, exists, ""},
	{"another bundle", outcome{status: 409, code: 20409, text: otherText, bundle: profileSID}, permanent, otherBundle},
	{"no bundle named", outcome{status: 409, code: 20409, text: "Conflict", bundle: profileSID}, exists, ""},
	{"both named", outcome{status: 409, text: otherText + ", not " + profileSID, bundle: profileSID}, exists, otherBundle},
	{"no text", outcome{status: 409, bundle: profileSID}, exists, ""},
	{"conflict of a creation", outcome{status: 409}, exists, ""},
	{"conflict of a creation, a bundle named", outcome{status: 409, text: otherText}, exists, ""},
	{"conflict of a deletion", outcome{method: "DELETE", status: 409}, permanent, ""},
	{"conflict of a read", outcome{method: "GET", status: 409}, permanent, ""},
	{"not quite a SID", outcome{status: 409, text: "X" + otherBundle + "1", bundle: profileSID}, exists, ""},

	// Credentials.
	{"unauthorized", outcome{status: 401}, credentials, ""},
	{"permission denied", outcome{status: 401, code: 20003}, credentials, ""},
	{"permission denied under 403", outcome{status: 403, code: 20003}, credentials, ""},
}

func TestFailuresAreSortedByWhatMayBeDoneAboutThem(t *testing.T) {
	t.Parallel()
	for _, c := range classified {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.o.method == "" {
				c.o.method = "POST"
			}
			class, other := classify(c.o)
			if class != c.class || other != c.other {
				t.Errorf("classify(%+v) = %q, %q; want %q, %q", c.o, class, other, c.class, c.other)
			}
		})
	}
}

func TestAFailedDialSentNothing(t *testing.T) {
	t.Parallel()
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	read := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	for err, want := range map[error]bool{
		dial:                            true,
		fmt.Errorf("wrapped: %w", dial): true,
		&net.DNSError{Err: "no such host", Name: "trusthub.example.com"}: true,
		read:              false,
		errors.New("EOF"): false,
	} {
		if got := neverConnected(err); got != want {
			t.Errorf("neverConnected(%v) = %v, want %v", err, got, want)
		}
	}
}
