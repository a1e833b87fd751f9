package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5/middleware"
)

// wrapped gives the handler the writer that accessLog gives it.
func wrapped(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(middleware.NewWrapResponseWriter(w, r.ProtoMajor), r)
	})
}

func TestTheAccessLogNamesTheRouteTheKeyAndTheDuration(t *testing.T) {
	t.Parallel()
	asked := 0
	b := setup(t, func(c *Config) {
		c.Now = func() time.Time {
			asked++
			return testNow.Add(time.Duration(asked) * time.Second)
		}
	})
	b.call(http.MethodGet, "/onboardings/"+string(testID), nil)
	log := b.log.String()
	for _, want := range []string{`"route":"/onboardings/{id}"`, `"method":"GET"`, `"status":404`, `"key":"backend"`, `"duration":1000000000`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %s: %s", want, log)
		}
	}
}

func TestNothingThatARequestSaysIsLogged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.verifier.err = io.ErrUnexpectedEOF
	faulty := validBody()
	set(faulty, "business/website_url", "plumbing.example.org")

	b.call(http.MethodPost, "/onboardings", validBody())
	b.call(http.MethodPost, "/onboardings", faulty)
	b.call(http.MethodGet, "/onboardings?external_id=customer-1042", nil)
	b.call(http.MethodGet, "/nowhere/customer-1042?a=customer-1042", nil)
	b.do(callbackRequest("/webhooks/twilio/"+testToken+"?a=customer-1042", "application/x-www-form-urlencoded", "FailureReason=Plumbing", "bad-signature"))
	b.do(callbackRequest("/webhooks/twilio/wrong-token", "application/x-www-form-urlencoded", "FailureReason=Plumbing", "good"))

	log := b.log.String()
	for _, secret := range []string{
		"Plumbing", "plumbing", "customer-1042", "12-3456789", "123456789", "+1202555", "@example.com", "@isv.example", "Springfield",
		testToken, "wrong-token", "bad-signature", b.operator, "Bearer",
	} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %q:\n%s", secret, log)
		}
	}
}

func TestProbesAreLoggedForDebuggingOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.call(http.MethodGet, "/livez", nil)
	if log := b.log.String(); !strings.Contains(log, `"level":"DEBUG"`) || strings.Contains(log, `"level":"INFO"`) {
		t.Errorf("log %s", log)
	}
}

// An answer of 503 is expected now and then, for instance in every stop. It is no fault of ours.
func TestOnlyOurOwnFaultsAreLoggedAsErrors(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) { c.Ready = func(context.Context) error { return errors.New("stopping") } })
	b.call(http.MethodGet, "/readyz", nil)
	if log := b.log.String(); !strings.Contains(log, `"status":503`) || strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("log %s", log)
	}
}
