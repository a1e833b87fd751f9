package trusthub

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// newTransport is the client's own HTTP transport, of guarded connections.
//
// It speaks HTTP/1.1 only. A connection then has one request at a time: a write belongs to one
// [sendGuard], and a lost connection costs one answer.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:     http.ProxyFromEnvironment,
		Protocols: protocols,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &guardedConn{Conn: c}, nil
		},
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConns:        512,
		MaxIdleConnsPerHost: 256,
		// Load balancers commonly drop a connection that was idle for a minute. A POST on a dropped
		// connection has an unknown outcome, so ours close earlier.
		IdleConnTimeout:        45 * time.Second,
		MaxResponseHeaderBytes: 1 << 16,
	}
}

// guardedConn asks the guard of its request before each write.
type guardedConn struct {
	net.Conn
	guard atomic.Pointer[sendGuard]
}

// Write implements [net.Conn].
func (c *guardedConn) Write(p []byte) (int, error) {
	g := c.guard.Load()
	if g == nil {
		return c.Conn.Write(p)
	}
	if err := g.allowWrite(); err != nil {
		c.Close()
		return 0, err
	}
	n, err := c.Conn.Write(p)
	g.wrote(n, err)
	return n, err
}

// guardedConnOf finds our connection below the TLS layers of net/http: one to Twilio, and one to a
// proxy.
func guardedConnOf(c net.Conn) *guardedConn {
	for {
		if ours, ok := c.(*guardedConn); ok {
			return ours
		}
		layer, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		c = layer.NetConn()
	}
}
