package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// startPatience is how long the server may take to be ready: far longer than it takes on a slow
// machine.
const startPatience = 2 * time.Minute

// process is a server that was started.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed once it has
	err   error         // how it ended
}

// command returns a command of the server, which runs as a process of its own.
func (s *Sandbox) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := s.config.Server(ctx, args...)
	cmd.Env, cmd.Stderr = s.environ, s.config.Stderr
	return cmd
}

// StartServer starts a server that was stopped or killed, and returns when it is ready.
func (s *Sandbox) StartServer(ctx context.Context) error {
	p := &process{cmd: s.command(context.WithoutCancel(ctx), "serve", "-migrate"), ended: make(chan struct{})}
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	go func() {
		defer close(p.ended)
		p.err = p.cmd.Wait()
	}()
	s.process = p
	deadline := time.After(startPatience)
	for !s.ready(ctx) {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-p.ended:
			return errors.New("the server has not come up")
		case <-deadline:
			return fmt.Errorf("the server was not ready within %s", startPatience)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// ready tells whether the server says that it is ready.
func (s *Sandbox) ready(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// StopServer stops the server by SIGTERM, and returns when it has ended. The error says how it
// ended, unless that was in order.
func (s *Sandbox) StopServer() error {
	// A process that has ended already is no error here. Its exit status is, below.
	if err := s.process.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the server: %w", err)
	}
	<-s.process.ended
	if s.process.err != nil {
		return fmt.Errorf("the server: %w", s.process.err)
	}
	return nil
}

// KillServer kills the server by SIGKILL.
func (s *Sandbox) KillServer() error {
	if err := s.process.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill the server: %w", err)
	}
	<-s.process.ended
	return nil
}
