package trusthub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

// serve starts a server on a real socket.
func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

func TestARedirectIsAnErrorAndIsNotFollowed(t *testing.T) {
	t.Parallel()
	var followed atomic.Int32
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { followed.Add(1) })
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	c := connect(t, nil, server.URL)

	_, err := c.CreateEndUser(t.Context(), parentSID, anEndUser)
	wantClass(t, err, onboarding.ClassUnknown)
	_, err = c.FetchBundle(t.Context(), parentSID, onboarding.CustomerProfile, profileSID)
	if r := wantClass(t, err, onboarding.ClassPermanent); r.HTTPStatus != 307 {
		t.Errorf("status is %d", r.HTTPStatus)
	}
	if followed.Load() != 0 {
		t.Error("the redirect was followed")
	}
}

func TestARefusedConnectionSendsNothing(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c := connect(t, nil, server.URL)
	_, err := c.CreateEndUser(t.Context(), parentSID, anEndUser)
	wantClass(t, err, onboarding.ClassRepeatable)
}

func TestAFailedTLSHandshakeSendsNothing(t *testing.T) {
	t.Parallel()
	server := serve(t, func(http.ResponseWriter, *http.Request) {})
	c := connect(t, nil, strings.Replace(server.URL, "http://", "https://", 1))
	_, err := c.CreateEndUser(t.Context(), parentSID, anEndUser)
	wantClass(t, err, onboarding.ClassRepeatable)
}

// deadConn is a connection that dies while it is idle: its next write sends no byte.
type deadConn struct {
	net.Conn
	dead *atomic.Bool
}

func (c deadConn) Write(p []byte) (int, error) {
	if c.dead.Load() {
		return 0, syscall.EPIPE
	}
	return c.Conn.Write(p)
}

func TestAPostOnADeadPooledConnectionIsSentOnANewOne(t *testing.T) {
	t.Parallel()
	var posts atomic.Int32
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.PostForm.Get("FriendlyName") != anEndUser.FriendlyName {
			t.Errorf("the server got the form %v, %v", r.PostForm, err)
		}
		posts.Add(1)
		answer(w, 201, endUserAnswer)
	})
	c := connect(t, nil, server.URL)
	transport := c.transport.(*http.Transport)
	dial, dead := transport.DialContext, new(atomic.Bool)
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		made, err := dial(ctx, network, address)
		if err == nil {
			guarded := made.(*guardedConn)
			guarded.Conn = deadConn{guarded.Conn, dead}
			dead = new(atomic.Bool) // The next connection lives.
		}
		return made, err
	}
	first := dead
	for range 2 {
		if _, err := c.CreateEndUser(t.Context(), parentSID, anEndUser); err != nil {
			t.Fatal(err)
		}
		first.Store(true)
	}
	if n := posts.Load(); n != 2 {
		t.Errorf("the server got %d POSTs, want 2", n)
	}
}

func TestAConnectionLostAfterTheRequestLeavesTheOutcomeUnknown(t *testing.T) {
	t.Parallel()
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	})
	_, err := connect(t, nil, server.URL).CreateEndUser(t.Context(), parentSID, anEndUser)
	wantClass(t, err, onboarding.ClassUnknown)
}

func TestAPostIsSentOnce(t *testing.T) {
	t.Parallel()
	var posts atomic.Int32
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts.Add(1)
			panic(http.ErrAbortHandler)
		}
		answer(w, 200, endUserAnswer)
	})
	c := connect(t, nil, server.URL)
	// The POST gets a used connection. On a used one net/http repeats a request that it believes to
	// be repeatable.
	if _, err := c.FetchBundle(t.Context(), parentSID, onboarding.CustomerProfile, profileSID); err != nil {
		t.Fatal(err)
	}
	_, err := c.CreateEndUser(t.Context(), parentSID, anEndUser)
	wantClass(t, err, onboarding.ClassUnknown)
	if n := posts.Load(); n != 1 {
		t.Errorf("the server got the POST %d times", n)
	}
}

func TestHalfABodyLeavesTheOutcomeUnknownOnlyAfterASuccess(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]onboarding.Class{
		201: onboarding.ClassUnknown,
		403: onboarding.ClassPermanent,
		429: onboarding.ClassRepeatable,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "1000")
				w.WriteHeader(status)
				fmt.Fprint(w, endUserAnswer)
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			})
			_, err := connect(t, nil, server.URL).CreateEndUser(t.Context(), parentSID, anEndUser)
			wantClass(t, err, want)
		})
	}
}

func TestOneConnectionServesOneCallAfterTheOther(t *testing.T) {
	t.Parallel()
	var dialed atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet { // A long answer, read to its end.
			answer(w, 400, `{"code": 20001, "message": "`+strings.Repeat("m", 1<<16)+`"}`)
			return
		}
		answer(w, 201, endUserAnswer)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			dialed.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c := connect(t, nil, server.URL)
	for range 10 {
		if _, err := c.CreateEndUser(t.Context(), parentSID, anEndUser); err != nil {
			t.Fatal(err)
		}
		_, err := c.FetchBundle(t.Context(), parentSID, onboarding.CustomerProfile, profileSID)
		wantClass(t, err, onboarding.ClassPermanent)
	}
	if n := dialed.Load(); n != 1 {
		t.Errorf("%d connections for calls one after the other, want 1", n)
	}
}

func TestACanceledContextEndsTheCall(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	_, err := connect(t, nil, server.URL).CreateEndUser(ctx, parentSID, anEndUser)
	wantClass(t, err, onboarding.ClassUnknown)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}
