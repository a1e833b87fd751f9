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

// program is the program that is tested, in this process.
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

// command runs a command of the program to its end and returns its exit status and all that it printed.
func (p *program) command(args ...string) (status int, out string) {
	p.t.Helper()
	var output bytes.Buffer
	status = server.Program{Args: args, Environ: p.env(), Stdout: &output, Stderr: &output}.Main(p.t.Context())
	return status, output.String()
}

// serve runs the program's serve in this process and returns when it is ready. The function it returns stops it as SIGTERM does and
// returns the exit status and the log; it is called at the test's end at the latest.
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

// isReady asks the service at that URL whether it is ready.
func isReady(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := (&http.Client{Timeout: time.Second}).Do(request) // One that is paused never answers.
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// nextPort is what the next port that a server may have follows from.
var nextPort = func() *atomic.Int64 {
	var n atomic.Int64
	n.Store(rand.Int64N(20_000))
	return &n
}()

// freeAddr returns an address that a server can listen on, and none twice: a world must not meet another's server. Its port is below those that
// connections get.
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
