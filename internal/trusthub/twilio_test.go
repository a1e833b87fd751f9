package trusthub

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

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
)

// twilio is an in-memory Twilio that a test writes the answers of. It knows the subaccount's token and checks who signed.
type twilio struct {
	http.Handler

	mu       sync.Mutex
	token    string   // the subaccount's, now
	requests []string // "METHOD /path?query", in the order they came
	fetches  int      // of the subaccount
}

// answering returns a twilio that answers everything but the fetch of the subaccount with h, if the right account has signed.
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
			answer(w, 200, fmt.Sprintf(`{"sid": %q, "owner_account_sid": %q, "status": "active", "auth_token": %q}`, subSID, parentSID, current))
		default:
			h(w, r)
		}
	})
	return tw
}

func (tw *twilio) seen() []string {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	return append([]string(nil), tw.requests...)
}

// RoundTrip serves a request without a network.
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

// always answers every request the same.
func always(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { answer(w, status, body) }
}

// connect returns a client of that transport, or of the server at base if the transport is nil.
func connect(t *testing.T, transport http.RoundTripper, base string, edit ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{AccountSID: parentSID, AuthToken: parentToken, APIURL: base, TrustHubURL: base, Transport: transport}
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

func contains(all []string, part string) bool {
	for _, s := range all {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}
