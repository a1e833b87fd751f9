package trusthub

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// clock is a time that a test moves. A jump of it is a process that is paused at the worst moment.
type clock struct {
	nanos atomic.Int64
	jump  atomic.Int64 // how far the clock jumps after it is read the next time
}

func (c *clock) now() time.Time          { return time.Unix(1_000_000, c.nanos.Load()) }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

func (c *clock) nowAndJump() time.Time {
	now := c.now()
	c.advance(time.Duration(c.jump.Swap(0)))
	return now
}

func sendWithin(c *clock, d time.Duration) context.Context {
	return onboarding.WithSendBy(context.Background(), c.now().Add(d))
}

// connections counts the connections of a client.
type connections struct {
	dialed, closed atomic.Int32
	last           atomic.Pointer[guardedConn]
}

func (n *connections) count(c *Client) {
	transport := c.transport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		made, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		n.dialed.Add(1)
		guarded := made.(*guardedConn)
		guarded.Conn = &countedConn{Conn: guarded.Conn, counts: n}
		n.last.Store(guarded)
		return guarded, nil
	}
}

type countedConn struct {
	net.Conn
	counts *connections
	closed atomic.Bool
}

func (c *countedConn) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		c.counts.closed.Add(1)
	}
	return c.Conn.Close()
}

// whenConnected calls f when net/http has chosen a connection and has not written to it yet.
func whenConnected(ctx context.Context, f func()) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { f() },
	})
}

func TestARequestIsSentBeforeItsDeadlineOrNotAtAll(t *testing.T) {
	t.Parallel()
	var posts atomic.Int32
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		posts.Add(1)
		answer(w, 201, endUserAnswer)
	})
	for name, start := range map[string]func(http.Handler) *httptest.Server{
		"HTTP": httptest.NewServer, "HTTPS": httptest.NewTLSServer,
	} {
		t.Run(name, func(t *testing.T) { // One after the other: both count posts.
			posts.Store(0)
			server := start(handler)
			defer server.Close()
			var clock clock
			var counts connections
			c := connect(t, nil, server.URL, func(cfg *Config) { cfg.Now = clock.now })
			if trusted := server.Client().Transport.(*http.Transport).TLSClientConfig; trusted != nil {
				c.transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: trusted.RootCAs}
			}
			counts.count(c)

			if _, err := c.CreateEndUser(sendWithin(&clock, time.Second), parentSID, anEndUser); err != nil {
				t.Fatalf("in time: %v", err)
			}
			if counts.last.Load().guard.Load() != nil {
				t.Error("the idle connection still asks the guard of its last request")
			}
			// The process is paused when the request has its connection, and goes on too late.
			late := whenConnected(sendWithin(&clock, time.Second), func() { clock.advance(time.Second) })
			_, err := c.CreateEndUser(late, parentSID, anEndUser)
			wantClass(t, err, onboarding.ClassRepeatable)
			if !errors.Is(err, errTooLate) {
				t.Errorf("error is %v", err)
			}
			if n := posts.Load(); n != 1 {
				t.Errorf("the server got %d POSTs, want the first only", n)
			}
			if dialed, closed := counts.dialed.Load(), counts.closed.Load(); dialed != 1 || closed != 1 {
				t.Errorf("%d connections dialed and %d closed; "+
					"the late request must close its own and try no other", dialed, closed)
			}
			// The next request does not suffer.
			if _, err := c.CreateEndUser(sendWithin(&clock, time.Second), parentSID, anEndUser); err != nil {
				t.Errorf("the next one: %v", err)
			}
		})
	}
}

func TestALateReadIsNotSentEither(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := serve(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	var clock clock
	c := connect(t, nil, server.URL, func(cfg *Config) { cfg.Now = clock.now })
	_, err := c.FetchBundle(sendWithin(&clock, 0), parentSID, onboarding.CustomerProfile, profileSID)
	wantClass(t, err, onboarding.ClassRepeatable)
	if asked.Load() != 0 {
		t.Error("it was sent")
	}
}

func TestALongRequestIsCheckedToItsLastByte(t *testing.T) {
	t.Parallel()
	var complete atomic.Int32
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			complete.Add(1)
		}
		answer(w, 201, endUserAnswer)
	})
	var clock clock
	c := connect(t, nil, server.URL, func(cfg *Config) { cfg.Now = clock.now })
	// The process is paused after the first of several writes.
	ctx := whenConnected(sendWithin(&clock, time.Second), func() { clock.jump.Store(int64(time.Minute)) })
	c.now = clock.nowAndJump
	long := onboarding.EndUser{
		FriendlyName: "tag", Type: "t", Attributes: map[string]string{"a": strings.Repeat("x", 1<<20)},
	}
	_, err := c.CreateEndUser(ctx, parentSID, long)
	wantClass(t, err, onboarding.ClassRepeatable)
	if complete.Load() != 0 {
		t.Error("the server got the whole request")
	}
}

func TestWithAnotherTransportTheDeadlineIsCheckedBefore(t *testing.T) {
	t.Parallel()
	var clock clock
	tw := answering(always(201, endUserAnswer))
	c := connect(t, tw, "", func(cfg *Config) { cfg.Now = clock.now })
	if _, err := c.CreateEndUser(sendWithin(&clock, 1), parentSID, anEndUser); err != nil {
		t.Errorf("in time: %v", err)
	}
	_, err := c.CreateEndUser(sendWithin(&clock, 0), parentSID, anEndUser)
	wantClass(t, err, onboarding.ClassRepeatable)
	if seen := tw.seen(); len(seen) != 1 {
		t.Errorf("Twilio got %q", seen)
	}
}

// A pooled connection that died while it was idle accepts no byte of a POST. The next connection
// may be tried, and without one nothing was sent.
func TestAWriteWithoutAByteLeavesTheRequestUnsent(t *testing.T) {
	t.Parallel()
	guard := &sendGuard{now: time.Now}
	near, far := net.Pipe()
	far.Close()
	c := &guardedConn{Conn: near}
	defer c.Close()
	c.guard.Store(guard)
	if _, err := c.Write([]byte("POST")); err == nil {
		t.Fatal("the write to a closed connection succeeded")
	}
	if !guard.abandon() {
		t.Error("the request counts as sent")
	}
}

// halfWriter is a connection that breaks in the middle of a write.
type halfWriter struct{ net.Conn }

func (halfWriter) Write(p []byte) (int, error) { return len(p) / 2, io.ErrClosedPipe }

func TestAWriteOfHalfTheBytesLeavesTheRequestSent(t *testing.T) {
	t.Parallel()
	guard := &sendGuard{now: time.Now}
	near, far := net.Pipe()
	defer near.Close()
	far.Close()
	c := &guardedConn{Conn: halfWriter{near}}
	c.guard.Store(guard)
	c.Write([]byte("POST"))
	c.Conn = near
	c.Write([]byte("POST")) // fails without a byte, after half of the first was sent
	if guard.abandon() {
		t.Error("the request counts as unsent")
	}
}

func TestAnAbandonedRequestCannotBeSent(t *testing.T) {
	t.Parallel()
	guard := &sendGuard{now: time.Now}
	if !guard.abandon() {
		t.Fatal("a request without a write counts as sent")
	}
	near, far := net.Pipe()
	defer far.Close()
	c := &guardedConn{Conn: near}
	c.guard.Store(guard)
	if _, err := c.Write([]byte("POST")); !errors.Is(err, errAbandoned) {
		t.Errorf("Write: %v, want %v", err, errAbandoned)
	}
	near.SetDeadline(time.Now()) // An open connection would wait for its reader.
	if _, err := near.Write(nil); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the connection is still open: %v", err)
	}
}

// A connection can be back in the pool, and have its next request, before the caller of the last
// one hears of the answer.
func TestTheEndOfARequestLeavesTheGuardOfTheNext(t *testing.T) {
	t.Parallel()
	first, second := &sendGuard{}, &sendGuard{}
	c := &guardedConn{}
	first.trace().GotConn(httptrace.GotConnInfo{Conn: c})
	second.trace().GotConn(httptrace.GotConnInfo{Conn: c})
	first.detach()
	if c.guard.Load() != second {
		t.Error("the next request is not guarded")
	}
	second.detach()
	if c.guard.Load() != nil {
		t.Error("the guard of an answered request stays")
	}
}
