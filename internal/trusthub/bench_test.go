package trusthub

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkCall is one POST with its answer, over a real connection, 64 at once; BenchmarkBareCall
// is net/http's share of it.
func BenchmarkCall(b *testing.B) {
	server := httptest.NewServer(always(201, endUserAnswer))
	defer server.Close()
	c, err := New(Config{
		AccountSID: parentSID, AuthToken: parentToken,
		APIURL: server.URL, TrustHubURL: server.URL, MaxConcurrentPerAccount: -1,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.CreateEndUser(context.Background(), parentSID, anEndUser); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkBareCall(b *testing.B) {
	server := httptest.NewServer(always(201, endUserAnswer))
	defer server.Close()
	transport := newTransport()
	defer transport.CloseIdleConnections()
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, err := http.NewRequest(http.MethodPost, server.URL+"/v1/EndUsers", nil)
			if err != nil {
				b.Error(err)
				return
			}
			response, err := transport.RoundTrip(r)
			if err != nil {
				b.Error(err)
				return
			}
			readBody(response.Body)
			response.Body.Close()
		}
	})
}
