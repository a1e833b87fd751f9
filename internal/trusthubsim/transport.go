package trusthubsim

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Transport is a client's way to the simulator without sockets: it calls the handler in memory, for
// any host. A connection that a fault breaks is an error there too, and so is a request that is
// given up, which the handler goes on with as a server does. It works in the bubbles of
// testing/synctest.
func (s *Simulator) Transport() http.RoundTripper { return transport{s} }

type transport struct{ sim *Simulator }

// RoundTrip returns io.EOF, wrapped, when the connection was broken before an answer.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	served := r.Clone(r.Context())
	served.RequestURI = r.URL.RequestURI()
	if served.Host == "" {
		served.Host = r.URL.Host
	}
	if r.URL.Scheme == "https" {
		served.TLS = &tls.ConnectionState{} // so that absolute URLs in answers say https as well
	}
	body := []byte{}
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("reading the request's body: %w", err)
		}
	}
	served.Body = io.NopCloser(bytes.NewReader(body))

	w := &memoryWriter{header: http.Header{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if cause := recover(); cause != nil {
				if err, ok := cause.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
					panic(cause)
				}
				w.broken = true
			}
		}()
		t.sim.ServeHTTP(w, served)
	}()
	select {
	case <-done:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if w.broken && w.status == 0 {
		return nil, fmt.Errorf("connection broken: %w", io.EOF)
	}
	return w.response(r), nil
}

// memoryWriter keeps an answer.
type memoryWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
	broken bool
}

func (w *memoryWriter) Header() http.Header { return w.header }

func (w *memoryWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *memoryWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

func (w *memoryWriter) response(r *http.Request) *http.Response {
	var body io.Reader = &w.body
	length := int64(w.body.Len())
	if w.broken {
		body = io.MultiReader(body, brokenReader{})
		length = -1
	}
	setDefault(&w.status, http.StatusOK)
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)),
		StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(body), ContentLength: length, Request: r,
	}
}

// brokenReader is what follows the part of a body that came.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
