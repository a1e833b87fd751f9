package server_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"sync"
	"testing"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// gate stands between the service and the simulated Twilio. It holds calls until a test lets them
// go. A test that delayed calls instead would be right only on a machine that is fast enough.
type gate struct {
	twilio http.Handler

	mu    sync.Mutex
	holds []*hold
	conns map[net.Conn]bool // open ones
}

// moment is when a call is held.
type moment int

const (
	// beforeWork: the call has reached Twilio, which has done nothing yet.
	beforeWork moment = iota
	// beforeAnswer: Twilio has done its work, and nobody knows.
	beforeAnswer
)

// hold holds one call, the first that matches.
type hold struct {
	t       *testing.T
	matches func(twilioCall) bool
	moment  moment

	// arrived is closed when the call is held. over is closed when Twilio has answered it.
	// callerLeft is closed when nobody waits for the answer any more. It may be read once the call
	// is held.
	arrived, over chan struct{}
	callerLeft    <-chan struct{}

	letGoOnce sync.Once
	released  chan struct{}
}

// twilioCall is a call to Twilio, by the account whose credentials it has.
type twilioCall struct {
	account, method, path string
	form                  url.Values
}

// serve puts the gate in front of a simulated Twilio, and serves both until the test ends.
func (g *gate) serve(t *testing.T, sim *trusthubsim.Simulator) *httptest.Server {
	t.Helper()
	g.twilio, g.conns = sim, make(map[net.Conn]bool)
	s := httptest.NewUnstartedServer(g)
	s.Config.ConnState = g.count
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// hold holds the next call with that method and with a path that matches the pattern of
// [path.Match]. The end of the test lets it go at the latest.
func (tw *twilio) hold(at moment, method, pattern string) *hold {
	tw.t.Helper()
	return tw.holdCall(at, func(c twilioCall) bool {
		matched, err := path.Match(pattern, c.path)
		return c.method == method && matched && err == nil
	})
}

// holdCall holds the next call that matches. It may be called from any goroutine, and so may
// matches.
func (tw *twilio) holdCall(at moment, matches func(twilioCall) bool) *hold {
	tw.t.Helper()
	h := &hold{
		t: tw.t, matches: matches, moment: at,
		arrived: make(chan struct{}), over: make(chan struct{}), released: make(chan struct{}),
	}
	tw.t.Cleanup(h.letGo)
	tw.gate.mu.Lock()
	defer tw.gate.mu.Unlock()
	tw.gate.holds = append(tw.gate.holds, h)
	return h
}

// await waits until the call is held.
func (h *hold) await() {
	h.t.Helper()
	waitFor(h.t, h.arrived, "the call to come")
}

// letGo lets the call go on.
func (h *hold) letGo() { h.letGoOnce.Do(func() { close(h.released) }) }

// ServeHTTP implements [http.Handler].
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // The caller left before the end of its call. Twilio would not act on that.
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body)) // Twilio reports a malformed one.
	user, _, _ := r.BasicAuth()
	if h := g.take(twilioCall{account: user, method: r.Method, path: r.URL.Path, form: form}); h != nil {
		h.pass(w, r, g.twilio)
		return
	}
	g.twilio.ServeHTTP(w, r)
}

// take returns the hold for the call, or nil. A hold is used once.
func (g *gate) take(c twilioCall) *hold {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, h := range g.holds {
		if h.matches(c) {
			g.holds = append(g.holds[:i:i], g.holds[i+1:]...)
			return h
		}
	}
	return nil
}

// pass holds the call. Twilio works on the call even if the caller leaves in the meantime.
func (h *hold) pass(w http.ResponseWriter, r *http.Request, twilio http.Handler) {
	defer close(h.over)
	h.callerLeft = r.Context().Done()
	r = r.WithContext(context.WithoutCancel(r.Context()))
	if h.moment == beforeWork {
		close(h.arrived)
		<-h.released
		twilio.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	twilio.ServeHTTP(answer, r)
	close(h.arrived)
	<-h.released
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // A caller that left does not read it.
}

// count keeps the set of open connections.
func (g *gate) count(conn net.Conn, state http.ConnState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch state {
	case http.StateNew:
		g.conns[conn] = true
	case http.StateClosed, http.StateHijacked:
		delete(g.conns, conn)
	default: // It stays open.
	}
}

// awaitCallsOfTheDead waits until Twilio has worked on every call that a process sent before its
// death. By then all connections of the process are closed. No other process may run.
func (tw *twilio) awaitCallsOfTheDead() {
	tw.t.Helper()
	// Connections are accepted in their order. After this call all connections of the process are
	// known.
	if err := tw.callTwilio(http.MethodGet, "/_sim/settings", "", "", nil, nil); err != nil {
		tw.t.Fatal(err)
	}
	eventually(tw.t, "the dead process' connections to be closed", func() bool {
		tw.gate.mu.Lock()
		defer tw.gate.mu.Unlock()
		return len(tw.gate.conns) == 0
	}, func() string { return "some are open" })
}
