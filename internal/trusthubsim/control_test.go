package trusthubsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// control calls one of the simulator's own paths.
func (b *testBundle) control(t *testing.T, method, path, body string) (status int, answer map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	b.sim.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
	if w.Body.Len() > 0 && strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return w.Code, answer
}

func TestControlReviews(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Review: ReviewManual})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	const rejection = `{"status": "twilio-rejected", "errors": [{"code": 18602, "note": "not found"}]}`
	for _, test := range []struct {
		name, bundle, body string
		submit             bool
		status             int
	}{
		{"a draft", p.profile, rejection, false, 409},
		{"unknown", "BU1", rejection, false, 404},
		{"no JSON", p.profile, "status=approved", false, 400},
		{"unknown field", p.profile, `{"state": "twilio-approved"}`, false, 400},
		{"rejected", p.profile, rejection, true, 204},
	} {
		if test.submit {
			b.sub.submit(p.path)
		}
		if status, _ := b.control(t, http.MethodPost, "/_sim/reviews/"+test.bundle, test.body); status != test.status {
			t.Errorf("%s: %d, want %d", test.name, status, test.status)
		}
	}
	r := b.sub.get(p.path)
	if got := fmt.Sprint(r.body["errors"]); r.text("status") != "twilio-rejected" || got != "[map[code:18602 note:not found]]" {
		t.Errorf("the profile is %s with %s", r.text("status"), got)
	}
}

func TestControlFaultsAndRequests(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	status, made := b.control(t, http.MethodPost, "/_sim/faults", `{"method": "GET", "path": "/v1/EndUsers", "times": 1, "effect": "status", "status": 500}`)
	if status != 201 || made["id"] != 1.0 {
		t.Fatalf("added: %d %v", status, made)
	}
	if status, _ := b.control(t, http.MethodPost, "/_sim/faults", `{"effect": "none"}`); status != 400 {
		t.Errorf("a bad fault is answered %d", status)
	}
	b.sub.get("/v1/EndUsers").refused(500, codeServerError)
	_, listed := b.control(t, http.MethodGet, "/_sim/faults", "")
	if f := listed["faults"].([]any)[0].(map[string]any); f["hits"] != 1.0 || f["seen"] != 1.0 {
		t.Errorf("listed: %v", f)
	}
	if status, _ := b.control(t, http.MethodDelete, "/_sim/faults", ""); status != 204 || len(b.sim.Faults()) != 0 {
		t.Errorf("deleted: %d, left %v", status, b.sim.Faults())
	}

	_, log := b.control(t, http.MethodGet, "/_sim/requests", "")
	if got := len(log["requests"].([]any)); got != 2 {
		t.Errorf("%d requests, want the account's creation and the list", got)
	}
	_, log = b.control(t, http.MethodGet, "/_sim/requests?since=1", "")
	if requests := log["requests"].([]any); len(requests) != 1 || requests[0].(map[string]any)["fault"] != "status" {
		t.Errorf("since the first: %v", requests)
	}
	b.control(t, http.MethodDelete, "/_sim/requests", "")
	if got := b.sim.Requests(); len(got) != 0 {
		t.Errorf("after the deletion: %v", got)
	}
}

func TestControlState(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	_, state := b.control(t, http.MethodGet, "/_sim/state", "")
	account := state["accounts"].(map[string]any)[b.sub.sid].(map[string]any)
	if account["auth_token"] != b.sub.token || account["owner_account_sid"] != b.parent.sid {
		t.Errorf("account %v", account)
	}
	profile := account["customer_profiles"].([]any)[0].(map[string]any)
	if profile["sid"] != p.profile || len(profile["entity_assignments"].([]any)) != 4 || len(profile["channel_endpoint_assignments"].([]any)) != 1 {
		t.Errorf("profile %v", profile)
	}
	for _, list := range []string{"trust_products", "end_users", "supporting_documents", "addresses", "incoming_phone_numbers"} {
		if _, ok := account[list].([]any); !ok {
			t.Errorf("no list %s", list)
		}
	}
}

func TestControlCallbacks(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Review: ReviewManual})
	for _, body := range []string{`{"lost": 2}`, `{"unsigned": -0.1}`, `{"spread": "-1s"}`} {
		if status, _ := b.control(t, http.MethodPost, "/_sim/callbacks", body); status != 400 {
			t.Errorf("%s is answered %d", body, status)
		}
	}
	if status, _ := b.control(t, http.MethodPost, "/_sim/callbacks", `{"lost": 1, "delay": "1s"}`); status != 204 {
		t.Fatalf("set: %d", status)
	}
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID, "StatusCallback", callbackURL)
	b.sub.submit(p.path)
	_, got := b.control(t, http.MethodGet, "/_sim/callbacks", "")
	if records := got["callbacks"].([]any); len(records) != 1 || records[0].(map[string]any)["lost"] != true {
		t.Errorf("callbacks %v", records)
	}
	if status, _ := b.control(t, http.MethodGet, "/_sim/nothing", ""); status != 404 {
		t.Errorf("an unknown path is answered %d", status)
	}
}

// TestTheListsOfWhatThereIs: the paths, which are all there, the switches and the magic data.
func TestTheListsOfWhatThereIs(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	_, index := b.control(t, http.MethodGet, "/_sim/", "")
	listed := index["paths"].([]any)
	if len(listed) != len(ControlPaths()) {
		t.Errorf("%d paths are listed, want %d", len(listed), len(ControlPaths()))
	}
	for _, item := range listed {
		one := item.(map[string]any)
		w := httptest.NewRecorder()
		b.sim.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), one["method"].(string), one["path"].(string), strings.NewReader("{")))
		if w.Code == http.StatusMethodNotAllowed || w.Code == http.StatusNotFound && !strings.Contains(w.Body.String(), "no such") {
			t.Errorf("%s %s is answered %d", one["method"], one["path"], w.Code)
		}
	}
	_, magic := b.control(t, http.MethodGet, "/_sim/magic", "")
	_, switched := b.control(t, http.MethodGet, "/_sim/switches", "")
	if got, want := len(magic["magic"].([]any)), len(MagicData()); got != want {
		t.Errorf("%d pieces of magic data, want %d", got, want)
	}
	if got := len(switched["switches"].([]any)); got != len(switches) {
		t.Errorf("%d switches, want %d", got, len(switches))
	}
}
