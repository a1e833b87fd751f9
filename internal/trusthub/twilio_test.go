package trusthub

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	parentSID   = "AC00000000000000000000000000000001"
	parentToken = "parentsecret0000000000000000000p"
	subSID      = "AC0000000000000000000000000000000a"
	subToken    = "subsecret00000000000000000000000s"
	profileSID  = "BU0000000000000000000000000000000b"
	otherBundle = "BU0000000000000000000000000000000c"
	policySID   = "RN0000000000000000000000000000000d"
	numberSID   = "PN0000000000000000000000000000000e"
	endUserSID  = "IT0000000000000000000000000000000f"
	documentSID = "RD00000000000000000000000000000010"
	addressSID  = "AD00000000000000000000000000000011"
)

// bothKinds are the kinds of bundle, whose calls differ in their paths only.
var bothKinds = []onboarding.BundleKind{onboarding.CustomerProfile, onboarding.TrustProduct}

// twilio is a Twilio whose answers a test writes. It is a transport, so no network is needed, and
// it refuses a request that the wrong account has signed.
type twilio struct {
	http.Handler

	mu       sync.Mutex
	token    string   // the subaccount's present token
	requests []string // "METHOD /path?query", in the order of arrival
	fetches  int      // of the subaccount
}

// answering returns a twilio that answers with h. The fetch of the subaccount it answers itself.
func answering(h http.HandlerFunc) *twilio {
	tw := &twilio{token: subToken}
	tw.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tw.mu.Lock()
		tw.requests = append(tw.requests, r.Method+" "+r.URL.RequestURI())
		account, token, _ := r.BasicAuth()
		right := account == parentSID && token == parentToken || account == subSID && token == tw.token
		current := tw.token
		fetch := r.URL.Path == "/2010-04-01/Accounts/"+subSID+".json"
		if fetch {
			tw.fetches++
		}
		tw.mu.Unlock()
		switch {
		case !right:
			answer(w, 401, `{"code": 20003, "message": "Authenticate", "status": 401}`)
		case fetch && account == parentSID:
			answer(w, 200, fmt.Sprintf(
				`{"sid": %q, "owner_account_sid": %q, "status": "active", "auth_token": %q}`,
				subSID, parentSID, current))
		default:
			h(w, r)
		}
	})
	return tw
}

func (tw *twilio) seen() []string {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	return slices.Clone(tw.requests)
}

// RoundTrip implements [http.RoundTripper].
func (tw *twilio) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	recorder := httptest.NewRecorder()
	tw.ServeHTTP(recorder, r)
	response := recorder.Result()
	response.Request = r
	return response, nil
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

// always gives every request the same answer.
func always(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { answer(w, status, body) }
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// failingWith is a transport that fails as a network does.
func failingWith(err error) roundTripper {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// connect returns a client of that transport, or of the server at base if the transport is nil.
func connect(t *testing.T, transport http.RoundTripper, base string, edit ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{
		AccountSID: parentSID, AuthToken: parentToken,
		APIURL: base, TrustHubURL: base, Transport: transport, Timeout: time.Hour,
	}
	for _, e := range edit {
		e(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// remote is err as the failure that every method promises.
func remote(t *testing.T, err error) *onboarding.RemoteError {
	t.Helper()
	var r *onboarding.RemoteError
	if !errors.As(err, &r) {
		t.Fatalf("error is %v (%T), not a *onboarding.RemoteError", err, err)
	}
	return r
}

func wantClass(t *testing.T, err error, class onboarding.Class) *onboarding.RemoteError {
	t.Helper()
	r := remote(t, err)
	if r.Class != class {
		t.Fatalf("class is %q, want %q: %v", r.Class, class, err)
	}
	return r
}

func sid(prefix string, n int) string { return fmt.Sprintf("%s%032x", prefix, n) }

func anyContains(all []string, part string) bool {
	return slices.ContainsFunc(all, func(s string) bool { return strings.Contains(s, part) })
}

const endUserAnswer = `{"sid": "` + endUserSID + `", "date_created": "2026-02-03T04:05:06Z"}`

var anEndUser = onboarding.EndUser{
	FriendlyName: "tag", Type: "authorized_representative_1",
	Attributes: map[string]string{"first_name": "Secretname"},
}
