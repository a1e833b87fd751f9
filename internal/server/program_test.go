package server_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/server"
)

// program is the program under test, in this process.
type program struct {
	t       *testing.T
	environ map[string]string
}

// env returns the environment of the program in this world.
func (p *program) env() []string {
	var environ []string
	for name, value := range p.environ {
		environ = append(environ, name+"="+value)
	}
	return environ
}

// command runs a command of the program to its end, and returns its exit status and everything that
// it printed.
func (p *program) command(args ...string) (status int, out string) {
	p.t.Helper()
	var output bytes.Buffer
	status = server.Program{Args: args, Environ: p.env(), Stdout: &output, Stderr: &output}.Main(p.t.Context())
	return status, output.String()
}

// serve runs the serve command in this process, and returns when the service is ready. The returned
// function stops it as SIGTERM does, and returns the exit status and the log. The end of the test
// calls it at the latest.
func (p *program) serve() (stop func() (status int, log string)) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.t.Context()))
	log := &syncBuffer{}
	done := make(chan int, 1)
	program := server.Program{Args: []string{"serve"}, Environ: p.env(), Stdout: log, Stderr: log}
	go func() { done <- program.Main(ctx) }()
	stop = sync.OnceValues(func() (int, string) {
		cancel()
		status := <-done
		return status, log.String()
	})
	p.t.Cleanup(func() { stop() })
	eventually(p.t, "the service to be ready", func() bool { return isReady(p.t.Context(), p.serverURL()) }, log.String)
	return stop
}

// serverURL is where serve serves.
func (p *program) serverURL() string { return "http://" + p.environ["LISTEN_ADDR"] }

// isReady tells whether the service at that URL is ready.
func isReady(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return false
	}
	// A service that is paused never answers.
	response, err := (&http.Client{Timeout: time.Second}).Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// nextPort leads to the next port for a server.
var nextPort = func() *atomic.Int64 {
	var n atomic.Int64
	n.Store(rand.Int64N(20_000))
	return &n
}()

// freeAddr returns an address that a server can listen on, and none twice, because a world must not
// meet the server of another. The port is below those of outgoing connections.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 1000 {
		addr := fmt.Sprintf("127.0.0.1:%d", 12_000+nextPort.Add(1)%20_000)
		if listener, err := net.Listen("tcp", addr); err == nil {
			listener.Close()
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}

// syncBuffer is a buffer that a running program may write to while a test reads it.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
