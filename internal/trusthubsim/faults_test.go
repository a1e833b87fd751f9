package trusthubsim

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// served is a way to a simulator: in memory, or over sockets.
func served(t *testing.T, sim *Simulator, sockets bool) http.RoundTripper {
	t.Helper()
	if !sockets {
		return sim.Transport()
	}
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	to, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host = to.Scheme, to.Host
		return server.Client().Transport.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// effects are all faults, each with what comes of it.
var effects = []struct {
	name        string
	fault       Fault
	status      int // 0 for a broken connection
	body        string
	contentType string
	truncated   bool
	done        bool
}{
	{"status", Fault{Effect: EffectStatus}, 503, `"code":20503`, "application/json", false, false},
	{"status with a body", Fault{Effect: EffectStatus, Status: 429, Body: "slow down", Headers: map[string]string{"Retry-After": "7"}}, 429, "slow down", "text/plain; charset=utf-8", false, false},
	{"status after", Fault{Effect: EffectStatusAfter, Status: 500}, 500, `"code":20500`, "application/json", false, true},
	{"HTML", Fault{Effect: EffectHTML}, 502, "<html>", "text/html; charset=utf-8", false, false},
	{"HTML after", Fault{Effect: EffectHTMLAfter, Status: 504}, 504, "Gateway Timeout", "text/html; charset=utf-8", false, true},
	{"delay", Fault{Effect: EffectDelay, Delay: Duration(time.Millisecond)}, 201, `"sid":"IT`, "application/json", false, true},
	{"delay after", Fault{Effect: EffectDelayAfter, Delay: Duration(time.Millisecond)}, 201, `"sid":"IT`, "application/json", false, true},
	{"drop before", Fault{Effect: EffectDropBefore}, 0, "", "", false, false},
	{"drop after", Fault{Effect: EffectDropAfter}, 0, "", "", false, true},
	{"truncate after", Fault{Effect: EffectTruncateAfter}, 201, `{"sid":"IT`, "application/json", true, true},
}

// TestEffects: what the client sees of each effect, and whether the work was done, in memory and
// over sockets.
func TestEffects(t *testing.T) {
	t.Parallel()
	for _, test := range effects {
		for _, sockets := range []bool{false, true} {
			b := setup(t, Config{})
			b.sub.transport = served(t, b.sim, sockets)
			if _, err := b.sim.AddFault(test.fault); err != nil {
				t.Fatal(err)
			}
			response, err := b.sub.send(http.MethodPost, "/v1/EndUsers", values("FriendlyName", "n", "Type", representative1))
			if test.status == 0 {
				if err == nil {
					response.Body.Close()
					t.Errorf("%s: status %d, want a broken connection", test.name, response.StatusCode)
				}
			} else {
				if err != nil {
					t.Fatalf("%s: %v", test.name, err)
				}
				body, err := io.ReadAll(response.Body)
				response.Body.Close()
				if broken := errors.Is(err, io.ErrUnexpectedEOF); broken != test.truncated {
					t.Errorf("%s: reading the body: %v", test.name, err)
				}
				if response.StatusCode != test.status || !strings.Contains(string(body), test.body) || response.Header.Get("Content-Type") != test.contentType {
					t.Errorf("%s: %d %s: %s", test.name, response.StatusCode, response.Header.Get("Content-Type"), body)
				}
				if got := response.Header.Get("Retry-After"); got != test.fault.Headers["Retry-After"] {
					t.Errorf("%s: Retry-After %q", test.name, got)
				}
			}
			if done := len(b.sim.State().Accounts[b.sub.sid].EndUsers) == 1; done != test.done {
				t.Errorf("%s: the work was done: %t, want %t", test.name, done, test.done)
			}
			records := b.sim.Requests()
			last := records[len(records)-1]
			if last.Fault != test.fault.Effect || last.Status != test.status || (last.SID != "") != test.done {
				t.Errorf("%s: logged as %+v", test.name, last)
			}
		}
	}
}

// TestWhichRequestsAFaultHits.
func TestWhichRequestsAFaultHits(t *testing.T) {
	t.Parallel()
	const bundle = "/v1/CustomerProfiles/BU00000000000000000000000000000000"
	for _, test := range []struct {
		name         string
		fault        Fault
		method, path string
		hits         bool
	}{
		{"any", Fault{}, "GET", "/v1/EndUsers", true},
		{"method", Fault{Method: "POST"}, "GET", "/v1/EndUsers", false},
		{"path", Fault{Path: "/v1/EndUsers"}, "GET", "/v1/EndUsers", true},
		{"other path", Fault{Path: "/v1/EndUsers"}, "GET", "/v1/Policies", false},
		{"longer path", Fault{Path: "/v1/CustomerProfiles"}, "GET", bundle, false},
		{"a segment", Fault{Path: "/v1/CustomerProfiles/*"}, "GET", bundle, true},
		{"a segment is one", Fault{Path: "/v1/CustomerProfiles/*"}, "GET", bundle + "/Evaluations", false},
		{"a segment within", Fault{Path: "/v1/*/*/Evaluations"}, "GET", bundle + "/Evaluations", true},
		{"part of a segment", Fault{Path: "/v1/CustomerProfiles/BU*"}, "GET", bundle, true},
		{"the rest", Fault{Path: "/v1/**"}, "GET", bundle + "/Evaluations", true},
		{"the rest of another", Fault{Path: "/2010-04-01/**"}, "GET", bundle, false},
		{"another account", Fault{Account: "AC1"}, "GET", "/v1/EndUsers", false},
	} {
		b := setup(t, Config{})
		test.fault.Effect = EffectStatus
		if _, err := b.sim.AddFault(test.fault); err != nil {
			t.Fatal(err)
		}
		if hit := b.sub.do(test.method, test.path, nil).status == 503; hit != test.hits {
			t.Errorf("%s: hit %t, want %t", test.name, hit, test.hits)
		}
	}
}

// TestHowOftenAFaultStrikes: after skipping some, a number of times, by chance drawn from the seed.
func TestHowOftenAFaultStrikes(t *testing.T) {
	t.Parallel()
	strikes := func(seed uint64, f Fault, requests int) string {
		b := setup(t, Config{Seed: seed})
		f.Effect = EffectStatus
		if _, err := b.sim.AddFault(f); err != nil {
			t.Fatal(err)
		}
		var pattern strings.Builder
		for range requests {
			if b.sub.get("/v1/EndUsers").status == 503 {
				pattern.WriteByte('x')
			} else {
				pattern.WriteByte('.')
			}
		}
		return pattern.String()
	}
	for _, test := range []struct {
		fault Fault
		want  string
	}{
		{Fault{}, "xxxxx"}, {Fault{Times: 2}, "xx..."}, {Fault{Skip: 1, Times: 2}, ".xx.."}, {Fault{Skip: 3}, "...xx"},
	} {
		if got := strikes(0, test.fault, 5); got != test.want {
			t.Errorf("%+v strikes %s, want %s", test.fault, got, test.want)
		}
	}
	half := Fault{Probability: 0.5}
	first, again, other := strikes(1, half, 200), strikes(1, half, 200), strikes(2, half, 200)
	if n := strings.Count(first, "x"); n < 70 || n > 130 {
		t.Errorf("with a probability of one half it strikes %d of 200", n)
	}
	if first != again || first == other {
		t.Error("the chance does not depend on the seed alone")
	}
}

// TestTheFirstDueFaultStrikes, and both count what they saw.
func TestTheFirstDueFaultStrikes(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	for _, f := range []Fault{{Effect: EffectStatus, Status: 500, Times: 1}, {Effect: EffectStatus, Status: 502}} {
		if _, err := b.sim.AddFault(f); err != nil {
			t.Fatal(err)
		}
	}
	b.sub.get("/v1/EndUsers").want(500)
	b.sub.get("/v1/EndUsers").want(502)
	got := b.sim.Faults()
	if got[0].Hits != 1 || got[0].Seen != 2 || got[1].Hits != 1 || got[1].Seen != 1 {
		t.Errorf("counted %+v", got)
	}
	b.sim.ClearFaults()
	b.sub.get("/v1/EndUsers").want(200)
}

func TestBadFaults(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	for _, f := range []Fault{
		{}, {Effect: "explode"}, {Effect: EffectStatus, Status: 99}, {Effect: EffectDelay, Delay: -1}, {Effect: EffectStatus, Probability: 2},
		{Effect: EffectStatus, Path: "/v1/["}, {Effect: EffectStatus, Skip: -1},
	} {
		if _, err := b.sim.AddFault(f); !errors.Is(err, ErrBadFault) {
			t.Errorf("%+v: %v, want ErrBadFault", f, err)
		}
	}
}

// TestAClientThatLeaves: what has arrived is worked on, whether or not the client waits for the
// answer.
func TestAClientThatLeaves(t *testing.T) {
	t.Parallel()
	for _, effect := range []Effect{EffectDelay, EffectDelayAfter} {
		synctest.Test(t, func(t *testing.T) {
			b := setup(t, Config{Latency: 10 * time.Millisecond})
			if _, err := b.sim.AddFault(Fault{Effect: effect, Delay: Duration(time.Minute)}); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			request := mustRequest(t, http.MethodPost, "/v1/EndUsers").WithContext(ctx)
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.Body = io.NopCloser(strings.NewReader(values("FriendlyName", "n", "Type", representative1).Encode()))
			request.SetBasicAuth(b.sub.sid, b.sub.token)
			response, err := b.sub.transport.RoundTrip(request)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: error %v, want the deadline", effect, err)
			}
			if err == nil {
				response.Body.Close()
			}
			pass(time.Hour)
			if len(b.sim.State().Accounts[b.sub.sid].EndUsers) != 1 {
				t.Errorf("%s: the work was not done", effect)
			}
		})
	}
}

// TestFaultsInJSON: the form in which programs send them.
func TestFaultsInJSON(t *testing.T) {
	t.Parallel()
	var f Fault
	const text = `{"method":"POST","path":"/v1/*","skip":1,"times":2,"probability":0.5,"account":"AC1","effect":"delay","delay":"2s"}`
	if err := json.Unmarshal([]byte(text), &f); err != nil || time.Duration(f.Delay) != 2*time.Second || f.Skip != 1 || f.Effect != EffectDelay {
		t.Errorf("%+v, %v", f, err)
	}
	if written, err := json.Marshal(f); err != nil || !strings.Contains(string(written), `"delay":"2s"`) {
		t.Errorf("%s, %v", written, err)
	}
}
