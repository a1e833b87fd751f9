package trusthub_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// faultCase is a fault in the answer to a POST: its class, and how many objects it leaves behind.
type faultCase struct {
	fault trusthubsim.Fault
	class onboarding.Class
	made  int
}

var (
	retryAfter = map[string]string{"Retry-After": "3"}
	faultCases = []faultCase{
		{trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: 401}, onboarding.ClassCredentials, 0},
		{trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: 429, Headers: retryAfter},
			onboarding.ClassRepeatable, 0},
		{trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: 503, Headers: retryAfter},
			onboarding.ClassRepeatable, 0},
		{trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: 503}, onboarding.ClassUnknown, 0},
		{trusthubsim.Fault{Effect: trusthubsim.EffectHTML}, onboarding.ClassUnknown, 0},
		{trusthubsim.Fault{Effect: trusthubsim.EffectDropBefore}, onboarding.ClassUnknown, 0},
		{trusthubsim.Fault{Effect: trusthubsim.EffectStatusAfter, Status: 500}, onboarding.ClassUnknown, 1},
		{trusthubsim.Fault{Effect: trusthubsim.EffectHTMLAfter}, onboarding.ClassUnknown, 1},
		{trusthubsim.Fault{Effect: trusthubsim.EffectDropAfter}, onboarding.ClassUnknown, 1},
		{trusthubsim.Fault{Effect: trusthubsim.EffectTruncateAfter}, onboarding.ClassUnknown, 1},
	}
)

// A class says what a failed creation has left behind: nothing, or what only a lookup can tell.
func TestTheClassOfAFaultSaysWhatItLeavesBehind(t *testing.T) {
	t.Parallel()
	for path, create := range map[string]func(*testing.T, *world) error{
		"/v1/EndUsers": func(t *testing.T, w *world) error {
			t.Helper()
			_, err := w.hub.CreateEndUser(t.Context(), w.account, representative)
			return err
		},
		"/2010-04-01/Accounts.json": func(t *testing.T, w *world) error {
			t.Helper()
			_, err := w.hub.CreateSubaccount(t.Context(), representative.FriendlyName)
			return err
		},
	} {
		for _, c := range faultCases {
			t.Run(fmt.Sprintf("%s %s %d", path, c.fault.Effect, c.fault.Status), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, trusthubsim.Config{})
				c.fault.Method, c.fault.Path, c.fault.Times = http.MethodPost, path, 1
				if c.class == onboarding.ClassCredentials {
					c.fault.Times = 2 // After the first, the client fetches another token.
				}
				fault(t, w.sim, c.fault)
				r := wantClass(t, create(t, w), c.class)
				if c.fault.Headers != nil && r.RetryAfter != 3*time.Second {
					t.Errorf("RetryAfter is %v", r.RetryAfter)
				}
				if n := posts(w.sim); n != 1 && c.class != onboarding.ClassCredentials {
					t.Errorf("the POST was sent %d times", n)
				}
				if n := w.count(t, path); n != c.made {
					t.Errorf("%d objects are there, want %d", n, c.made)
				}
			})
		}
	}
}

// count looks up, with a client of its own, how many objects a creation at that path has left.
func (w *world) count(t *testing.T, path string) int {
	t.Helper()
	if path == "/v1/EndUsers" {
		return len(must[[]onboarding.Object](t)(w.connect(t).FindEndUsers(
			t.Context(), w.account, representative.FriendlyName, representative.Type)))
	}
	return len(must[[]onboarding.Account](t)(w.connect(t).FindSubaccounts(
		t.Context(), representative.FriendlyName)))
}

func TestAConflictNamesTheOtherBundle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	bundle := must[onboarding.Bundle](t)
	first := bundle(w.hub.CreateBundle(t.Context(), w.account, newBundle(profile, "1")))
	second := bundle(w.hub.CreateBundle(t.Context(), w.account, newBundle(profile, "2")))
	number := w.numbers[0].SID
	must[onboarding.Object](t)(w.hub.AssignNumber(t.Context(), w.account, profile, first.SID, number))
	_, err := w.hub.AssignNumber(t.Context(), w.account, profile, second.SID, number)
	if r := wantClass(t, err, onboarding.ClassPermanent); r.BundleSID != first.SID {
		t.Errorf("the conflict names %q, want %s", r.BundleSID, first.SID)
	}
}

func TestARefusalOfTwiliosIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	unknown := "AC" + strings.Repeat("9", 32)
	_, err := w.hub.CreateEndUser(t.Context(), w.account, onboarding.EndUser{
		FriendlyName: "x", Type: representative.Type, Attributes: map[string]string{"shoe_size": "44"},
	})
	if r := wantClass(t, err, onboarding.ClassPermanent); r.Code == 0 || r.Message == "" || r.HTTPStatus != 400 {
		t.Errorf("the refusal says %+v", r)
	}
	_, err = w.hub.FetchAccount(t.Context(), unknown)
	wantClass(t, err, onboarding.ClassPermanent)
	_, err = w.hub.CreateEndUser(t.Context(), unknown, representative)
	wantClass(t, err, onboarding.ClassPermanent)
}
