package trusthub

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// newTransport is the client's own transport. HTTP/1.1 only: a connection then carries one request at a time, which is what lets a
// [departure] know whose bytes a write holds, and what makes a lost connection cost one answer, not all that were under way.
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
			return &conn{Conn: c}, nil
		},
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConns:        512,
		MaxIdleConnsPerHost: 256,
		// Below the minute after which load balancers commonly drop an idle connection: a POST on one of those has an unknown outcome.
		IdleConnTimeout:        45 * time.Second,
		MaxResponseHeaderBytes: 1 << 16,
	}
}
