package trusthub

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestFailuresAreSortedByWhatMayBeDoneAboutThem(t *testing.T) {
	t.Parallel()
	const (
		repeatable  = onboarding.ClassRepeatable
		unknown     = onboarding.ClassUnknown
		permanent   = onboarding.ClassPermanent
		exists      = onboarding.ClassExists
		credentials = onboarding.ClassCredentials
	)
	on := func(bundle string) string { return "PN is already assigned to " + bundle }
	for _, c := range []struct {
		name  string
		o     outcome
		class onboarding.Class
		other string
	}{
		// Refused before anything was done.
		{name: "too many requests", o: outcome{status: 429, code: 20429}, class: repeatable},
		{name: "too many requests, no body", o: outcome{status: 429}, class: repeatable},
		{name: "too many requests under another status", o: outcome{status: 503, code: 20429}, class: repeatable},
		{name: "unprocessable", o: outcome{status: 422}, class: repeatable},
		{name: "unprocessable, some code", o: outcome{status: 422, code: 70001}, class: repeatable},
		{name: "unavailable, come again", o: outcome{status: 503, retryAfter: true}, class: repeatable},
		{name: "never sent", o: outcome{neverSent: true}, class: repeatable},

		// Perhaps done.
		{name: "no answer", o: outcome{}, class: unknown},
		{name: "unreadable answer", o: outcome{status: 201, unreadable: true}, class: unknown},
		{name: "unavailable", o: outcome{status: 503}, class: unknown},
		{name: "internal error", o: outcome{status: 500, code: 20500}, class: unknown},
		{name: "internal error, come again", o: outcome{status: 500, retryAfter: true}, class: unknown},
		{name: "bad gateway", o: outcome{status: 502}, class: unknown},
		{name: "gateway timeout", o: outcome{status: 504}, class: unknown},
		{name: "request timeout", o: outcome{status: 408}, class: unknown},
		{name: "bad request that is not Twilio's", o: outcome{status: 400}, class: unknown},
		{name: "redirect", o: outcome{status: 302}, class: unknown},
		{name: "an outdated entity in a server's error", o: outcome{status: 500, code: 70003}, class: unknown},

		// For a person.
		{name: "bad request", o: outcome{status: 400, code: 21628}, class: permanent},
		{name: "not found", o: outcome{status: 404, code: 20404}, class: permanent},
		{name: "not found, HTML", o: outcome{status: 404}, class: permanent},
		{name: "forbidden", o: outcome{status: 403, code: 20403}, class: permanent},
		{name: "gone", o: outcome{status: 410}, class: permanent},
		{name: "invalid parameter", o: outcome{status: 422, code: 20422}, class: permanent},
		{name: "account suspended", o: outcome{status: 401, code: 20005}, class: permanent},
		{name: "redirect of a read", o: outcome{method: "GET", status: 302}, class: permanent},

		// Conflicts.
		{name: "same bundle", o: outcome{status: 409, code: 20409, text: on(profileSID), bundle: profileSID}, class: exists},
		{name: "same bundle, other case", o: outcome{status: 409, text: on("BU0000000000000000000000000000000B"), bundle: profileSID}, class: exists},
		{name: "same bundle, under 400", o: outcome{status: 400, code: 20409, text: on(profileSID), bundle: profileSID}, class: exists},
		{name: "same bundle, outdated entity", o: outcome{status: 400, code: 70003, text: on(profileSID), bundle: profileSID}, class: exists},
		{name: "another bundle", o: outcome{status: 409, code: 20409, text: on(otherBundle), bundle: profileSID}, class: permanent, other: otherBundle},
		{name: "no bundle named", o: outcome{status: 409, code: 20409, text: "Conflict", bundle: profileSID}, class: exists},
		{name: "both named", o: outcome{status: 409, text: on(otherBundle) + ", not " + profileSID, bundle: profileSID}, class: exists, other: otherBundle},
		{name: "no text", o: outcome{status: 409, bundle: profileSID}, class: exists},
		{name: "conflict of a creation", o: outcome{status: 409}, class: exists},
		{name: "conflict of a deletion", o: outcome{method: "DELETE", status: 409}, class: permanent},
		{name: "conflict of a read", o: outcome{method: "GET", status: 409}, class: permanent},
		{name: "something like a SID", o: outcome{status: 409, text: "XBU0000000000000000000000000000000c1", bundle: profileSID}, class: exists},

		// Credentials.
		{name: "unauthorized", o: outcome{status: 401}, class: credentials},
		{name: "permission denied", o: outcome{status: 401, code: 20003}, class: credentials},
		{name: "permission denied under 403", o: outcome{status: 403, code: 20003}, class: credentials},
	} {
		t.Run(c.name, func(t *testing.T) {
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

func TestAConnectionThatWasNeverMadeCarriedNothing(t *testing.T) {
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
