package server_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/pgdev/pgtest"
	"github.com/attestd/attestd/internal/store"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// world is all that a test has: a simulated Twilio over real HTTP, a database, the program with its
// environment, and a client of its API.
type world struct {
	t *testing.T
	*console
	*database
	*program
	*watcher
}

// newWorld makes a world in which nothing runs yet.
func newWorld(t *testing.T, sim trusthubsim.Config) *world {
	t.Helper()
	return newWorldOn(t, sim, pgtest.New(t, store.Migrate))
}

// newWorldOn makes a world on a database that is migrated.
func newWorldOn(t *testing.T, sim trusthubsim.Config, databaseURL string) *world {
	t.Helper()
	twilio := newTwilio(t, sim)
	addr := freeAddr(t)
	url := "http://" + addr
	w := &world{
		t:        t,
		console:  &console{twilio},
		database: &database{t, databaseURL},
		program: &program{t, map[string]string{
			"DATABASE_URL":               withFewConns(t, databaseURL),
			"LISTEN_ADDR":                addr,
			"PUBLIC_URL":                 url,
			"TWILIO_ACCOUNT_SID":         trusthubsim.DefaultAccountSID,
			"TWILIO_AUTH_TOKEN":          trusthubsim.DefaultAuthToken,
			"TWILIO_PRIMARY_PROFILE_SID": trusthubsim.DefaultPrimaryProfileSID,
			"TWILIO_API_URL":             twilio.twilioURL,
			"TWILIO_TRUSTHUB_URL":        twilio.twilioURL,
			"LOOKUP_SETTLE":              "300ms",
		}},
		watcher: &watcher{&client{t: t, url: url}},
	}
	status, out := w.command("keys", "create", "-name", "test", "-role", "operator")
	if status != 0 {
		t.Fatalf("keys create ended with %d: %s", status, out)
	}
	w.key = strings.TrimSpace(out)
	return w
}

// in is the world for a subtest. A failure is that of the subtest.
func (w *world) in(t *testing.T) *world {
	twilio, database, program, client := *w.twilio, *w.database, *w.program, *w.client
	twilio.t, database.t, program.t, client.t = t, t, t, t
	return &world{t: t, console: &console{&twilio}, database: &database, program: &program, watcher: &watcher{&client}}
}

// withFewConns limits a program to four connections. Many programs share the server, and opening a
// connection costs a good part of an onboarding.
func withFewConns(t *testing.T, databaseURL string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	parameters := u.Query()
	parameters.Set("pool_max_conns", "4")
	u.RawQuery = parameters.Encode()
	return u.String()
}
