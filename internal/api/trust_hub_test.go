package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/reconcile"
)

// fakeComparer answers every comparison with report and err.
type fakeComparer struct {
	report reconcile.Report
	err    error
}

func (c fakeComparer) Compare(context.Context, onboarding.ID) (reconcile.Report, error) {
	return c.report, c.err
}

// notCompared is the report of a comparison with one lookup that failed with err.
func notCompared(err error) reconcile.Report {
	return reconcile.Report{ID: testID, Findings: []reconcile.Finding{{
		Step: "customer_profile", State: onboarding.StepSucceeded, SID: testPrimary, Verdict: reconcile.VerdictNotCompared, Err: err,
	}}}
}

func TestEveryVerdictHasAWord(t *testing.T) {
	t.Parallel()
	report := reconcile.Report{ID: testID}
	for _, v := range []reconcile.Verdict{
		reconcile.VerdictSame, reconcile.VerdictNotBegun, reconcile.VerdictMissing, reconcile.VerdictUnrecorded, reconcile.VerdictSurplus,
		reconcile.VerdictOtherStatus, reconcile.VerdictUnknown, reconcile.VerdictNotCompared,
	} {
		report.Findings = append(report.Findings, reconcile.Finding{Step: "customer_profile", State: onboarding.StepSucceeded, Verdict: v, Note: "a note"})
	}
	b := setup(t, func(c *Config) { c.Comparer = fakeComparer{report: report} })
	r := b.request(http.MethodGet, "/onboardings/"+string(testID)+"/trust-hub", nil)
	r.Header.Set("Authorization", "Bearer "+b.viewer)
	got := b.do(r) // which checks the words against the contract
	var shown Comparison
	got.decode(t, &shown)
	if got.status != http.StatusOK || shown.Differences != 6 || len(shown.Findings) != 8 || !shown.ComparedAt.Equal(testNow) {
		t.Errorf("answered %d: %s", got.status, got.body)
	}
}

func TestAFailureOfTwilioIsAnsweredByWhatMayBeDoneAboutIt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		failure    onboarding.RemoteError
		status     int
		retryAfter string
		said       bool
	}{
		"the circuit is open": {
			onboarding.RemoteError{Class: onboarding.ClassRepeatable, NotSent: true, Outage: true, RetryAfter: 1500 * time.Millisecond},
			http.StatusServiceUnavailable, "2", false,
		},
		"too many calls": {
			onboarding.RemoteError{Class: onboarding.ClassRepeatable, HTTPStatus: 429, Code: 20429, Message: "Too Many Requests", RetryAfter: 30 * time.Second},
			http.StatusServiceUnavailable, "30", true,
		},
		"no answer":   {onboarding.RemoteError{Class: onboarding.ClassUnknown, Err: context.DeadlineExceeded}, http.StatusServiceUnavailable, "5", false},
		"broken":      {onboarding.RemoteError{Class: onboarding.ClassUnknown, HTTPStatus: 500}, http.StatusBadGateway, "", true},
		"refused":     {onboarding.RemoteError{Class: onboarding.ClassPermanent, HTTPStatus: 400, Code: 20001, Message: "secret of Twilio's"}, http.StatusBadGateway, "", true},
		"credentials": {onboarding.RemoteError{Class: onboarding.ClassCredentials, HTTPStatus: 401, Code: 20003}, http.StatusBadGateway, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(c *Config) { c.Comparer = fakeComparer{report: notCompared(&test.failure)} })
			got := b.call(http.MethodGet, "/onboardings/"+string(testID)+"/trust-hub", nil)
			p := got.problem(t)
			if got.status != test.status || got.header.Get("Retry-After") != test.retryAfter {
				t.Errorf("answered %d, Retry-After %q, want %d, %q", got.status, got.header.Get("Retry-After"), test.status, test.retryAfter)
			}
			if (p.Twilio != nil) != test.said || test.said && value(p.Twilio.Code) != test.failure.Code {
				t.Errorf("what Twilio said: %+v", p.Twilio)
			}
			if strings.Contains(b.log.String(), "secret of Twilio's") {
				t.Error("Twilio's text is in the log")
			}
		})
	}
}
