package trusthubsim

import (
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// TestSettingsChangeWhatIsInThePatchOnly, inside the callbacks too.
func TestSettingsChangeWhatIsInThePatchOnly(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{ReviewDelay: time.Minute, NumbersDuringReview: true, Callbacks: Callbacks{Lost: 0.5, JSON: true}})
	before := b.sim.Settings()
	status, answered := b.control(t, http.MethodPatch, "/_sim/settings",
		`{"review": "manual", "rejected_products_final": true, "latency": "2ms", "callbacks": {"duplicated": 1, "delay": "3s"}}`)
	want := before
	want.Review, want.RejectedProductsFinal, want.Latency = ReviewManual, true, Duration(2*time.Millisecond)
	want.Callbacks.Duplicated, want.Callbacks.Delay = 1, Duration(3*time.Second)
	if got := b.sim.Settings(); status != 200 || got != want {
		t.Errorf("answered %d, the settings are %+v, want %+v", status, got, want)
	}
	for _, got := range []map[string]any{answered, second(b.control(t, http.MethodGet, "/_sim/settings", ""))} {
		text, err := json.Marshal(got)
		var read Settings
		if err != nil || json.Unmarshal(text, &read) != nil || read != want {
			t.Errorf("answered %s, want %+v", text, want)
		}
	}
}

func second[A, B any](_ A, b B) B { return b }

// TestSettingsThatMakeNoSenseChangeNothing.
func TestSettingsThatMakeNoSenseChangeNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	before := b.sim.Settings()
	for _, body := range []string{
		`{"review": "never"}`, `{"product_gate": "open"}`, `{"latency": "-1s"}`, `{"review_delay": "soon"}`, `{"seed": 7}`,
		`{"max_concurrent": -1}`, `{"callbacks": {"lost": 2}}`, `{"callbacks": {"unsigned": -1}}`, `{"callbacks": {"late": true}}`, `[]`, ``,
		`{"any_email_domain": true, "callbacks": {"delay": "-1s"}}`,
	} {
		if status, _ := b.control(t, http.MethodPatch, "/_sim/settings", body); status != 400 {
			t.Errorf("%s is answered %d", body, status)
		}
	}
	if got := b.sim.Settings(); got != before {
		t.Errorf("the settings are %+v, want %+v", got, before)
	}
}

// TestSettingsAreInForceAtOnce: each switch is set while the simulator runs, and seen to work.
func TestSettingsAreInForceAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &mailbox{}
		b := setup(t, Config{Review: ReviewManual, CallbackClient: m})
		set := func(body string) {
			t.Helper()
			if status, answered := b.control(t, http.MethodPatch, "/_sim/settings", body); status != 200 {
				t.Fatalf("%s is answered %d: %v", body, status, answered)
			}
		}
		p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID, "StatusCallback", callbackURL)

		set(`{"callbacks": {"lost": 1}}`)
		b.sub.submit(p.path)
		pass(time.Minute)
		if got := len(m.received()); got != 0 || b.sub.status(p.path) != "pending-review" {
			t.Errorf("%d callbacks, and the profile is %s", got, b.sub.status(p.path))
		}
		set(`{"callbacks": {"lost": 0, "duplicated": 1, "unsigned": 1, "delay": "1m"}}`)
		b.decide(t, p.profile, StatusRejected, 18601)
		if got := len(m.received()); got != 0 {
			t.Errorf("%d callbacks at once", got)
		}
		pass(time.Minute)
		if got := m.received(); len(got) != 2 || got[0].header.Get("X-Twilio-Signature") != "" {
			t.Errorf("callbacks %+v, want two of one, unsigned", got)
		}

		set(`{"review": "auto", "review_delay": "5s", "approval_validity": "2h", "product_gate": "submitted", "numbers_during_review": true}`)
		b.sub.submit(p.path)
		sid := b.sub.draftProduct(PolicyShakenStir)
		product := productPath(sid)
		b.sub.assign(product, p.profile).want(201)
		if got := b.sub.submit(product); got != "pending-review" {
			t.Errorf("with the gate at submitted the product is %s", got)
		}
		b.sub.addNumber(product, p.number).want(201)
		pass(5 * time.Second)
		synctest.Wait()
		until, err := time.Parse(time.RFC3339, b.sub.get(p.path).text("valid_until"))
		if err != nil || time.Until(until) > 2*time.Hour || time.Until(until) < 2*time.Hour-time.Minute {
			t.Errorf("approved until %v (%v), want two hours", until, err)
		}

		set(`{"rejected_products_final": true}`)
		b.decide(t, sid, StatusRejected, 18602)
		b.sub.post(product, "Status", "pending-review").refused(409, codeConflict)
		set(`{"rejected_products_final": false}`)
		b.sub.post(product, "Status", "pending-review").want(200)
	})
}

// TestTimeIsInForceAtOnce: the lag of lists and the latency of requests.
func TestTimeIsInForceAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, Config{})
		set := func(body string) {
			t.Helper()
			if status, answered := b.control(t, http.MethodPatch, "/_sim/settings", body); status != 200 {
				t.Fatalf("%s is answered %d: %v", body, status, answered)
			}
		}
		set(`{"list_lag": "1h"}`)
		b.sub.draftProfile()
		if got := b.sub.get("/v1/CustomerProfiles?Status=draft").sids(); len(got) != 0 {
			t.Errorf("despite the lag the list shows %v", got)
		}
		set(`{"latency": "7s"}`)
		began := time.Now()
		b.sub.get("/v1/EndUsers").want(200)
		if took := time.Since(began); took != 7*time.Second {
			t.Errorf("a request took %v, want 7 s", took)
		}
	})
}

// TestSettingsChangeWhileACallbackIsOnItsWay: the race detector sees that they share nothing.
func TestSettingsChangeWhileACallbackIsOnItsWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := &slow{} // takes a minute for each
		b := setup(t, Config{Review: ReviewManual, CallbackClient: client})
		p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID, "StatusCallback", callbackURL)
		b.sub.submit(p.path)
		pass(30 * time.Second)
		settings := b.sim.Settings()
		settings.ListLag = Duration(time.Second)
		if err := b.sim.SetSettings(settings); err != nil {
			t.Fatal(err)
		}
		if err := b.sim.Set("callbacks.repeats", "1"); err != nil {
			t.Fatal(err)
		}
		pass(30 * time.Second)
		if got := client.received(); len(got) != 1 {
			t.Errorf("%d callbacks, want the one that was on its way", len(got))
		}
	})
}
