package trusthubsim

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// mailbox is where callbacks go; the first ones may fail.
type mailbox struct {
	mu       sync.Mutex
	failing  int
	attempts int
	got      []received
}

type received struct {
	at     time.Time
	url    string
	header http.Header
	body   string
}

func (m *mailbox) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.attempts++; m.attempts <= m.failing {
		return nil, errors.New("connection refused")
	}
	m.got = append(m.got, received{at: time.Now(), url: r.URL.String(), header: r.Header, body: string(body)})
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}, nil
}

func (m *mailbox) received() []received {
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.got)
}

const callbackURL = "https://example.com/webhooks?token=secret"

// called submits a profile that calls back and has it decided: rejected, or approved.
func called(t *testing.T, callbacks Callbacks, m *mailbox, status Status) (*testBundle, parts) {
	t.Helper()
	b := setup(t, Config{Review: ReviewManual, CallbackClient: m, Callbacks: callbacks})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID, "StatusCallback", callbackURL+"#rc=5&rp=all")
	b.sub.submit(p.path)
	synctest.Wait()
	b.decide(t, p.profile, StatusInReview)
	b.decide(t, p.profile, status, 18602)
	return b, p
}

// TestCallbacks come on every change but that to in-review, as a signed form.
func TestCallbacks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &mailbox{}
		b, p := called(t, Callbacks{}, m, StatusRejected)
		got := m.received()
		if len(got) != 2 {
			t.Fatalf("%d callbacks, want 2", len(got))
		}
		tokens := map[string]bool{}
		for i, want := range []url.Values{
			values("AccountSid", b.sub.sid, "BundleSid", p.profile, "Status", "pending-review"),
			values("AccountSid", b.sub.sid, "BundleSid", p.profile, "Status", "twilio-rejected", "FailureReason", wordsByCode[18602]),
		} {
			if got[i].body != want.Encode() || got[i].url != callbackURL {
				t.Errorf("callback %d: %s to %s, want %s to %s", i, got[i].body, got[i].url, want.Encode(), callbackURL)
			}
			if signature := got[i].header.Get("X-Twilio-Signature"); signature != Sign(b.sub.token, callbackURL, want) {
				t.Errorf("callback %d has the signature %q", i, signature)
			}
			tokens[got[i].header.Get("I-Twilio-Idempotency-Token")] = true
		}
		if len(tokens) != 2 {
			t.Errorf("idempotency tokens: %v, want two", tokens)
		}
	})
}

// callbackSwitches are ways of delivery, with how many callbacks come of a submission and an
// approval.
var callbackSwitches = []struct {
	name      string
	callbacks Callbacks
	want      int
	check     func(t *testing.T, b *testBundle, got []received)
}{
	{"lost", Callbacks{Lost: 1}, 0, func(t *testing.T, b *testBundle, _ []received) {
		t.Helper()
		if records := b.sim.CallbackRecords(); len(records) != 2 || !records[0].Lost {
			t.Errorf("records %+v", records)
		}
	}},
	{"duplicated", Callbacks{Duplicated: 1}, 4, func(t *testing.T, _ *testBundle, got []received) {
		t.Helper()
		if a, b := got[0].header.Get("I-Twilio-Idempotency-Token"), got[1].header.Get("I-Twilio-Idempotency-Token"); a != b {
			t.Errorf("two deliveries of one callback have the tokens %s and %s", a, b)
		}
	}},
	{"repeated", Callbacks{Repeats: 2}, 6, func(t *testing.T, _ *testBundle, got []received) {
		t.Helper()
		bodies, tokens := map[string]int{}, map[string]bool{}
		for _, one := range got {
			bodies[one.body]++
			tokens[one.header.Get("I-Twilio-Idempotency-Token")] = true
		}
		if len(bodies) != 2 || bodies[got[0].body] != 3 || len(tokens) != 6 {
			t.Errorf("bodies %v, tokens %v", bodies, tokens)
		}
	}},
	{"of the review's beginning too", Callbacks{InReview: true}, 3, func(t *testing.T, _ *testBundle, got []received) {
		t.Helper()
		if !slices.ContainsFunc(got, func(one received) bool { return strings.HasSuffix(one.body, "&Status=in-review") }) {
			t.Errorf("none of %v says so", got)
		}
	}},
	{"unsigned", Callbacks{Unsigned: 1}, 2, func(t *testing.T, _ *testBundle, got []received) {
		t.Helper()
		if _, signed := got[0].header["X-Twilio-Signature"]; signed {
			t.Error("it is signed")
		}
	}},
	{"the parent's token", Callbacks{ParentSigns: true}, 2, func(t *testing.T, b *testBundle, got []received) {
		t.Helper()
		form, _ := url.ParseQuery(got[0].body)
		if got[0].header.Get("X-Twilio-Signature") != Sign(b.parent.token, callbackURL, form) {
			t.Error("it is not signed with the parent's token")
		}
	}},
	{"JSON", Callbacks{JSON: true}, 2, func(t *testing.T, b *testBundle, got []received) {
		t.Helper()
		var fields map[string]string
		if err := json.Unmarshal([]byte(got[0].body), &fields); err != nil || fields["Status"] != "pending-review" {
			t.Errorf("body %s: %v", got[0].body, err)
		}
		if !strings.Contains(got[0].url, "&bodySHA256=") || got[0].header.Get("X-Twilio-Signature") != Sign(b.sub.token, got[0].url, nil) {
			t.Errorf("URL %s, signature %s", got[0].url, got[0].header.Get("X-Twilio-Signature"))
		}
	}},
}

func TestCallbackSwitches(t *testing.T) {
	t.Parallel()
	for _, test := range callbackSwitches {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := &mailbox{}
				b, _ := called(t, test.callbacks, m, StatusApproved)
				got := m.received()
				if len(got) != test.want {
					t.Fatalf("%d callbacks, want %d", len(got), test.want)
				}
				test.check(t, b, got)
			})
		})
	}
}

// TestNamesInACallback are those that were seen, of which the switch takes one.
func TestNamesInACallback(t *testing.T) {
	t.Parallel()
	for field, want := range map[string][]string{
		"":                   {"AccountSid", "BundleSid", "BundleSid"},
		"BundleSid":          {"AccountSid", "BundleSid", "BundleSid"},
		"BundleSID":          {"AccountSID", "BundleSID", "BundleSID"},
		"Sid":                {"AccountSid", "Sid", "Sid"},
		"CustomerProfileSid": {"AccountSid", "CustomerProfileSid", "TrustProductSid"},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := &mailbox{}
			b := setup(t, Config{Review: ReviewManual, ProductGate: GateSubmitted, CallbackClient: m, Callbacks: Callbacks{BundleField: field}})
			p, _ := b.customer(flaw{})
			product := b.product(PolicyShakenStir, p, flaw{})
			b.sub.submit(p.path)
			synctest.Wait()
			b.sub.submit(productPath(product))
			got := m.received()
			for i, sid := range []string{p.profile, product} {
				form := values(want[0], b.sub.sid, want[1+i], sid, "Status", "pending-review")
				if len(got) != 2 || got[i].body != form.Encode() || got[i].header.Get("X-Twilio-Signature") != Sign(b.sub.token, callbackURL, form) {
					t.Errorf("%q: callback %d of %v, want %s", field, i, got, form.Encode())
				}
			}
		})
	}
}

// TestACallbackIsRepeatedOnDemand with the same body, as often as it is asked for.
func TestACallbackIsRepeatedOnDemand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &mailbox{}
		b, p := called(t, Callbacks{}, m, StatusRejected)
		before := m.received()
		for range 2 {
			if status, _ := b.control(t, http.MethodPost, "/_sim/callbacks/"+p.profile, ""); status != 204 {
				t.Fatalf("answered %d", status)
			}
		}
		got := m.received()[len(before):]
		if last := before[len(before)-1]; len(got) != 2 || got[0].body != last.body || got[1].body != last.body {
			t.Errorf("repeated as %v, want %s twice", got, last.body)
		}
		if status, _ := b.control(t, http.MethodPost, "/_sim/callbacks/BU1", ""); status != 404 {
			t.Errorf("of no bundle: %d", status)
		}
	})
}

func TestLateCallbacks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &mailbox{}
		started := time.Now()
		called(t, Callbacks{Delay: Duration(time.Minute), Spread: Duration(time.Minute)}, m, StatusApproved)
		if got := m.received(); len(got) != 0 {
			t.Fatalf("%d callbacks at once", len(got))
		}
		pass(2 * time.Minute)
		got := m.received()
		if len(got) != 2 || got[0].at.Sub(started) < time.Minute || got[0].at.Equal(got[1].at) {
			t.Errorf("callbacks %+v after %v", got, started)
		}
	})
}

// TestCallbackRetries: once, after a connection that failed, with the same token.
func TestCallbackRetries(t *testing.T) {
	t.Parallel()
	for failing, delivered := range map[int]int{1: 2, 2: 1, 4: 0} {
		synctest.Test(t, func(t *testing.T) {
			m := &mailbox{failing: failing}
			b, _ := called(t, Callbacks{}, m, StatusApproved)
			if got := m.received(); len(got) != delivered {
				t.Errorf("with %d failures %d callbacks came, want %d", failing, len(got), delivered)
			}
			if first := b.sim.CallbackRecords()[0]; first.Attempts != 2 {
				t.Errorf("%d attempts, want 2", first.Attempts)
			}
		})
	}
}

// TestCloseStopsCallbacks that have not begun.
func TestCloseStopsCallbacks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &mailbox{}
		b, _ := called(t, Callbacks{Delay: Duration(time.Minute)}, m, StatusApproved)
		b.sim.Close()
		pass(time.Hour)
		if got := m.received(); len(got) != 0 {
			t.Errorf("%d callbacks after Close", len(got))
		}
	})
}

// slow takes a minute for each callback.
type slow struct{ mailbox }

func (s *slow) Do(r *http.Request) (*http.Response, error) {
	pass(time.Minute)
	return s.mailbox.Do(r)
}

// TestCloseWaitsForCallbacksInFlight.
func TestCloseWaitsForCallbacksInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := &slow{}
		b := setup(t, Config{Review: ReviewManual, CallbackClient: client})
		p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID, "StatusCallback", callbackURL)
		b.sub.submit(p.path)
		synctest.Wait()
		b.sim.Close()
		if got := client.received(); len(got) != 1 {
			t.Errorf("%d callbacks had come when Close returned, want 1", len(got))
		}
	})
}
