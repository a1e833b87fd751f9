package server_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/pgdev/pgtest"
	"github.com/attestd/attestd/internal/trusthubsim"
)

func TestKeysDecideWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
	w.serve()
	customer := w.subaccount(1)
	id := w.post(customer.request(nil)).ID
	operator := w.key

	_, out := w.command("keys", "create", "-name", "reader", "-role", "viewer")
	w.key = strings.TrimSpace(out)
	if status, _ := w.call(http.MethodGet, "/onboardings/"+id, nil, nil); status != http.StatusOK {
		t.Errorf("a viewer's GET answered %d", status)
	}
	if status, _ := w.call(http.MethodPost, "/onboardings/"+id+"/resume", nil, nil); status != http.StatusForbidden {
		t.Errorf("a viewer's POST answered %d, want 403", status)
	}
	_, list := w.command("keys", "list")
	if !strings.Contains(list, "reader") || !strings.Contains(list, "viewer") || strings.Contains(list, w.key) {
		t.Errorf("keys list printed:\n%s", list)
	}
	if status, out := w.command("keys", "revoke", "reader"); status != 0 {
		t.Errorf("keys revoke ended with %d: %s", status, out)
	}
	if status, _ := w.call(http.MethodGet, "/onboardings/"+id, nil, nil); status != http.StatusUnauthorized {
		t.Errorf("a revoked key's GET answered %d, want 401", status)
	}
	w.key = operator
	if status, _ := w.call(http.MethodGet, "/onboardings/"+id, nil, nil); status != http.StatusOK {
		t.Errorf("the other key's GET answered %d", status)
	}
	for _, args := range [][]string{{"keys", "create", "-role", "viewer"}, {"keys", "create", "-name", "x", "-role", "admin"}, {"keys", "create", "-name", "test", "-role", "viewer"}, {"keys", "revoke", "nobody"}} {
		if status, out := w.command(args...); status == 0 || out == "" {
			t.Errorf("%v ended with %d: %q", args, status, out)
		}
	}
}

func TestASecondOnboardingOfASubaccountNamesTheFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
	w.serve()
	customer := w.subaccount(1)
	first := w.post(customer.request(nil)).ID
	status, raw := w.call(http.MethodPost, "/onboardings", customer.request(nil), nil)
	if status != http.StatusConflict || !strings.Contains(raw, first) {
		t.Errorf("the second answered %d: %s", status, raw)
	}
}

func TestMigrateGoesUpAndDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.environ["DATABASE_URL"] = pgtest.Empty(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"migrate", "version"}, "0"},
		{[]string{"migrate", "up"}, "2"},
		{[]string{"migrate", "up"}, "2"},
		{[]string{"migrate", "down"}, "1"},
		{[]string{"migrate", "down"}, "0"},
		{[]string{"migrate", "up"}, "2"},
	} {
		if status, out := w.command(tt.args...); status != 0 || strings.TrimSpace(out) != tt.want {
			t.Errorf("%v ended with %d and printed %q, want %q", tt.args, status, out, tt.want)
		}
	}
}

func TestAStopFinishesTheCallsInFlight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	stop := w.serve()
	customer := w.subaccount(1)
	w.sim.ResetRequests()
	held := []*hold{
		w.hold(beforeWork, http.MethodPost, "/2010-04-01/Accounts/*/Addresses.json"), w.hold(beforeAnswer, http.MethodPost, "/v1/CustomerProfiles"),
		w.hold(beforeAnswer, http.MethodPost, "/v1/EndUsers"),
	}
	id := w.post(customer.request(nil)).ID
	for _, h := range held {
		h.await()
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop()
	}()
	eventually(w.t, "the stop to begin", func() bool {
		status, _ := w.call(http.MethodGet, "/readyz", nil, nil)
		return status == http.StatusServiceUnavailable
	})
	for _, h := range held {
		h.letGo()
	}
	waitFor(t, stopped, "the stop")
	status, log := stop()
	if status != 0 || strings.Contains(log, "cutting them short") {
		t.Fatalf("serve ended with %d:\n%s", status, log)
	}
	for _, r := range w.sim.Requests() {
		if r.Status == 0 || r.FinishedAt.IsZero() {
			t.Errorf("%s %s was cut off", r.Method, r.Path)
		}
	}
	w.serve()
	w.await(id, "approved")
	for path, count := range calls(w.sim.Requests()) {
		if strings.HasPrefix(path, "GET") && strings.HasSuffix(path, "s") {
			t.Errorf("%s was made %d times: something had to be looked up", path, count)
		}
	}
	wantEachOnce(t, w.held(customer), 1, 1)
}

// A client that never finishes its request does not delay a stop for long, and the stop is no
// failure.
func TestAStopCutsOffAClientThatIsTooSlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	stop := w.serve()
	client, err := new(net.Dialer).DialContext(t.Context(), "tcp", w.environ["LISTEN_ADDR"])
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	head := "POST /onboardings HTTP/1.1\r\nHost: attestd\r\nAuthorization: Bearer " + w.key +
		"\r\nContent-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n"
	if _, err := io.WriteString(client, head); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Read(make([]byte, 1)); err != nil { // The server reads the body.
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop()
	}()
	waitFor(t, stopped, "the stop, though the client goes on")
	if status, log := stop(); status != 0 || !strings.Contains(log, "cutting them off") {
		t.Errorf("serve ended with %d:\n%s", status, log)
	}
}

func TestAKeysNameIsOneLineOfText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	for _, name := range []string{"", " ", " padded ", "two\nlines", "tab\there", "\xff", strings.Repeat("x", 65)} {
		if status, out := w.command("keys", "create", "-name", name, "-role", "viewer"); status == 0 || !strings.Contains(out, "-name") {
			t.Errorf("%q: ended with %d and printed %q", name, status, out)
		}
	}
	if status, out := w.command("keys", "create", "-name", "Zoë's laptop "+strings.Repeat("ї", 50), "-role", "viewer"); status != 0 {
		t.Errorf("an ordinary name: %s", out)
	}
}

func TestAFaultyConfigurationStopsTheStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	delete(w.environ, "TWILIO_AUTH_TOKEN")
	w.environ["TRUST_PRODUCT_GATE"] = "sometimes"
	status, out := w.command("serve")
	if status != 1 || !strings.Contains(out, "TWILIO_AUTH_TOKEN") || !strings.Contains(out, "TRUST_PRODUCT_GATE") {
		t.Errorf("serve ended with %d and printed:\n%s", status, out)
	}
	if status, out := w.command("launch"); status != 2 || !strings.Contains(out, "serve [-migrate]") {
		t.Errorf("an unknown command ended with %d and printed:\n%s", status, out)
	}
}
