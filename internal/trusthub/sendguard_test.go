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

// clock is a time that a test moves.
type clock struct{ nanos atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(1_000_000, c.nanos.Load()) }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

func sendBy(c *clock, d time.Duration) context.Context {
	return onboarding.WithSendBy(context.Background(), c.now().Add(d))
}

// paused is a process that can be stopped at the worst moment: its clock jumps. It counts its connections.
type paused struct {
	*clock
	jump   atomic.Int64 // by how much, after the next look at the clock
	dialed atomic.Int32
	closed atomic.Int32
}

func (p *paused) install(t *testing.T, c *Client) {
	t.Helper()
	transport := c.transport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		made, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		p.dialed.Add(1)
		ours := made.(*conn)
		ours.Conn = &watched{Conn: ours.Conn, p: p}
		return ours, nil
	}
}

type watched struct {
	net.Conn
	p    *paused
	done atomic.Bool
}

func (w *watched) Close() error {
	if w.done.CompareAndSwap(false, true) {
		w.p.closed.Add(1)
	}
	return w.Conn.Close()
}

// jumping is a Now after which the clock jumps, once.
func (p *paused) jumping() time.Time {
	now := p.now()
	p.advance(time.Duration(p.jump.Swap(0)))
	return now
}

// pauseOnceConnected has f happen when net/http has chosen a connection for the request and before it writes to it.
func pauseOnceConnected(ctx context.Context, f func()) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { f() }})
}

func testServers(t *testing.T, h http.Handler) map[string]*httptest.Server {
	t.Helper()
	plain, secure := httptest.NewServer(h), httptest.NewTLSServer(h)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	return map[string]*httptest.Server{"HTTP": plain, "HTTPS": secure}
}

func trust(c *Client, server *httptest.Server) {
	if pool := server.Client().Transport.(*http.Transport).TLSClientConfig; pool != nil {
		c.transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: pool.RootCAs}
	}
}

func TestARequestLeavesBeforeItsTimeOrNotAtAll(t *testing.T) {
	t.Parallel()
	var posts atomic.Int32
	servers := testServers(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts.Add(1)
		}
		answer(w, 201, endUserAnswer)
	}))
	for name, server := range servers {
		t.Run(name, func(t *testing.T) {
			posts.Store(0)
			p := &paused{clock: &clock{}}
			c := connect(t, nil, server.URL, func(cfg *Config) { cfg.Now = p.now })
			trust(c, server)
			p.install(t, c)

			if _, err := c.CreateEndUser(sendBy(p.clock, time.Second), parentSID, anEndUser); err != nil {
				t.Fatalf("in time: %v", err)
			}
			// The process stops after it has taken a connection for the request, and wakes when it is too late.
			ctx := sendBy(p.clock, time.Second)
			ctx = pauseOnceConnected(ctx, func() { p.advance(time.Second) })
			_, err := c.CreateEndUser(ctx, parentSID, anEndUser)
			wantClass(t, err, onboarding.ClassRepeatable)
			if !errors.Is(err, errTooLate) {
				t.Errorf("error is %v", err)
			}
			if n := posts.Load(); n != 1 {
				t.Errorf("the server got %d POSTs, want the first only", n)
			}
			if dialed, closed := p.dialed.Load(), p.closed.Load(); dialed != 1 || closed != 1 {
				t.Errorf("%d connections dialed, %d closed; the refused request must close the one it was on and try no other", dialed, closed)
			}
			// The next request is none the worse for it.
			if _, err := c.CreateEndUser(sendBy(p.clock, time.Second), parentSID, anEndUser); err != nil {
				t.Errorf("the next one: %v", err)
			}
		})
	}
}

func TestALateReadIsRefusedAsWell(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	k := &clock{}
	c := connect(t, nil, server.URL, func(cfg *Config) { cfg.Now = k.now })
	_, err := c.FetchBundle(sendBy(k, 0), parentSID, onboarding.CustomerProfile, profileSID)
	wantClass(t, err, onboarding.ClassRepeatable)
	if asked.Load() != 0 {
		t.Error("it was sent")
	}
}

func TestALongRequestIsCheckedToItsLastByte(t *testing.T) {
	t.Parallel()
	var whole atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			whole.Add(1)
		}
		answer(w, 201, endUserAnswer)
	}))
	defer server.Close()
	p := &paused{clock: &clock{}}
	c := connect(t, nil, server.URL, func(cfg *Config) { cfg.Now = p.jumping })
	ctx := sendBy(p.clock, time.Second)
	p.jump.Store(int64(time.Minute)) // after the first write of several
	long := onboarding.EndUser{FriendlyName: "tag", Type: "t", Attributes: map[string]string{"a": strings.Repeat("x", 1<<20)}}
	_, err := c.CreateEndUser(ctx, parentSID, long)
	wantClass(t, err, onboarding.ClassRepeatable)
	if whole.Load() != 0 {
		t.Error("the server got the whole request")
	}
}

func TestAForeignTransportIsCheckedBeforeItIsCalled(t *testing.T) {
	t.Parallel()
	k := &clock{}
	tw := answering(always(201, endUserAnswer))
	c := connect(t, tw, "", func(cfg *Config) { cfg.Now = k.now })
	if _, err := c.CreateEndUser(sendBy(k, 1), parentSID, anEndUser); err != nil {
		t.Errorf("in time: %v", err)
	}
	_, err := c.CreateEndUser(sendBy(k, 0), parentSID, anEndUser)
	wantClass(t, err, onboarding.ClassRepeatable)
	if seen := tw.seen(); len(seen) != 1 {
		t.Errorf("Twilio saw %q", seen)
	}
}

func TestALateTokenIsNotBlamedOnOthers(t *testing.T) {
	t.Parallel()
	k := &clock{}
	tw := answering(always(201, endUserAnswer))
	c := connect(t, tw, "", func(cfg *Config) { cfg.Now = k.now })
	_, err := c.CreateEndUser(sendBy(k, 0), subSID, anEndUser)
	wantClass(t, err, onboarding.ClassRepeatable)
	if _, err := createEndUser(c); err != nil {
		t.Error(err)
	}
}

// A pooled connection that died while idle takes no byte of a POST: it is safe to try the next, and to say that nothing was sent when
// there is none.
func TestAWriteThatTookNothingLeavesTheRequestHere(t *testing.T) {
	t.Parallel()
	d := &departure{now: time.Now, cancel: func(error) {}}
	near, far := net.Pipe()
	far.Close()
	near.Close()
	c := &conn{Conn: near}
	c.cargo.Store(d)
	if _, err := c.Write([]byte("POST")); err == nil {
		t.Fatal("a write on a closed connection succeeded")
	}
	if !d.neverLeft() {
		t.Error("the request counts as sent")
	}
}

func TestARequestThatWasGivenUpCannotLeaveAnyMore(t *testing.T) {
	t.Parallel()
	d := &departure{now: time.Now, cancel: func(error) {}}
	if !d.neverLeft() {
		t.Fatal("a request that was not written counts as sent")
	}
	near, far := net.Pipe()
	defer far.Close()
	c := &conn{Conn: near}
	c.cargo.Store(d)
	if _, err := c.Write([]byte("POST")); !errors.Is(err, errGivenUp) {
		t.Errorf("Write: %v, want %v", err, errGivenUp)
	}
	near.SetDeadline(time.Now())
	if _, err := near.Write(nil); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the connection is still open: %v", err)
	}
}

func TestAnAnsweredRequestLeavesTheConnectionToTheNext(t *testing.T) {
	t.Parallel()
	first, second := &departure{}, &departure{}
	c := &conn{}
	first.on.Store(c)
	c.cargo.Store(first)
	c.cargo.Store(second) // the connection was back in the pool before the first caller heard of its answer
	first.arrived()
	if c.cargo.Load() != second {
		t.Error("the next request travels unwatched")
	}
}
