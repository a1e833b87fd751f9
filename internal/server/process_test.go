package server_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding/engine"
)

// process is the program in a process of its own.
type process struct {
	cmd   *exec.Cmd
	stdin io.Writer
	log   *syncBuffer
	ended chan struct{} // closed when it has ended and was waited for
}

// startProgram starts serve in a process with that environment.
func startProgram(environ []string) (*process, error) {
	p := &process{cmd: exec.Command(os.Args[0], "serve"), log: &syncBuffer{}, ended: make(chan struct{})}
	p.cmd.Env = append(environ, envProgram+"=1")
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // That it was killed is no news.
		close(p.ended)
	}()
	return p, nil
}

// kill kills the process, unless it is dead already, and waits for its end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// maxStarts is how often a program is started that cannot start, as any orchestrator does. On a
// busy machine Postgres may be too slow for a start.
const maxStarts = 3

// spawn starts serve in a process of its own and returns when it is ready.
func (p *program) spawn() *process {
	p.t.Helper()
	for attempt := 1; ; attempt++ {
		started, err := startProgram(p.env())
		if err != nil {
			p.t.Fatal(err)
		}
		p.t.Cleanup(started.kill)
		switch {
		case started.serves(p.t.Context(), p.serverURL()):
			return started
		case attempt == maxStarts:
			p.t.Fatalf("the program does not start:\n%s", started.log)
		}
	}
}

// serves waits until the process, which listens at that URL, is ready. It returns false if the
// process or ctx ends first.
func (p *process) serves(ctx context.Context, url string) bool {
	for !isReady(ctx, url) {
		select {
		case <-p.ended:
			return false
		default:
		}
		if !wait(ctx, 20*time.Millisecond) {
			return false
		}
	}
	return true
}

// dieAt lets the process die when it next reaches the point of the step.
func (p *process) dieAt(t *testing.T, point engine.Point, step string) {
	t.Helper()
	order := fmt.Sprintf("%s %s\n", point, step)
	if _, err := io.WriteString(p.stdin, order); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process to be armed", func() bool { return strings.Contains(p.log.String(), "armed "+order) }, p.log.String)
}
