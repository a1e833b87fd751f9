package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// serverCommand is the first argument under which this program is the server.
const serverCommand = "server"

// startPatience is how long the server may take to be ready: far longer than it does on a slow machine.
const startPatience = 2 * time.Minute

// world is all that the demo runs on this machine, each part on a loopback port of its own.
type world struct {
	database  database
	simulator *trusthubsim.Simulator
	twilio    *http.Server
	twilioURL string

	environ   []string
	serverURL string
	process   *process // the server; nil before it was started
	key       string
}

// process is a running server.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed once it has
	err   error         // how it ended
}

// newWorld starts everything, with a Postgres of its own unless a server is given by the URL of a database on it.
func newWorld(ctx context.Context, p pace, databaseURL string) (w *world, err error) {
	w = &world{}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.database, err = openDatabase(ctx, databaseURL); err != nil {
		return w, err
	}
	if err := w.startSimulator(ctx, p); err != nil {
		return w, err
	}
	addr, err := freeAddr(ctx)
	if err != nil {
		return w, err
	}
	w.serverURL = "http://" + addr
	w.environ = append(os.Environ(),
		"DATABASE_URL="+w.database.url, "DATABASE_URL_FILE=", "TWILIO_AUTH_TOKEN_FILE=",
		"LISTEN_ADDR="+addr,
		"PUBLIC_URL="+w.serverURL,
		"TWILIO_ACCOUNT_SID="+trusthubsim.DefaultAccountSID,
		"TWILIO_AUTH_TOKEN="+trusthubsim.DefaultAuthToken,
		"TWILIO_PRIMARY_PROFILE_SID="+trusthubsim.DefaultPrimaryProfileSID,
		"TWILIO_API_URL="+w.twilioURL,
		"TWILIO_TRUSTHUB_URL="+w.twilioURL,
		// A callback that comes while the server is down is lost, and a poll at Twilio's own pace would keep the audience waiting.
		"REVIEW_POLL_MIN=2s",
		"REVIEW_POLL_MAX=5s",
		"LOG_LEVEL=warn",
	)
	if err := w.startServer(ctx); err != nil {
		return w, err
	}
	out, err := w.server(ctx, "keys", "create", "-name", "demo", "-role", "operator").Output()
	if err != nil {
		return w, fmt.Errorf("make an API key: %w", err)
	}
	w.key = strings.TrimSpace(string(out))
	return w, nil
}

func (w *world) startSimulator(ctx context.Context, p pace) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the simulator: %w", err)
	}
	w.twilioURL = "http://" + listener.Addr().String()
	w.simulator = trusthubsim.New(trusthubsim.Config{ReviewDelay: p.review, Latency: p.latency})
	w.twilio = &http.Server{Handler: w.simulator, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := w.twilio.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "demo: the simulator stopped:", err)
		}
	}()
	return nil
}

// server returns a command of the server, to be run as a process of its own.
func (w *world) server(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], append([]string{serverCommand}, args...)...) //nolint:gosec // This very program.
	cmd.Env, cmd.Stderr = w.environ, os.Stderr
	return cmd
}

func (w *world) startServer(ctx context.Context) error {
	p := &process{cmd: w.server(context.WithoutCancel(ctx), "serve", "-migrate"), ended: make(chan struct{})}
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	go func() {
		defer close(p.ended)
		p.err = p.cmd.Wait()
	}()
	w.process = p
	deadline := time.After(startPatience)
	for !w.ready(ctx) {
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

func (w *world) ready(ctx context.Context) bool {
	status, err := w.call(ctx, http.MethodGet, "/readyz", nil, nil)
	return err == nil && status == http.StatusOK
}

// restartServer stops the server as an operator does, and starts it again.
func (w *world) restartServer(ctx context.Context) error {
	if err := w.stopServer(); err != nil {
		return err
	}
	return w.startServer(ctx)
}

func (w *world) stopServer() error {
	// One that has ended has been asked before, or has a reason that it gives below.
	if err := w.process.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the server: %w", err)
	}
	<-w.process.ended
	if w.process.err != nil {
		return fmt.Errorf("the server: %w", w.process.err)
	}
	return nil
}

// killServer ends the server without a warning, and starts it again.
func (w *world) killServer(ctx context.Context) error {
	if err := w.process.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill the server: %w", err)
	}
	<-w.process.ended // How is known: it was killed.
	return w.startServer(ctx)
}

// stay keeps everything up until the demo is interrupted.
func (w *world) stay(ctx context.Context, out io.Writer) error {
	fmt.Fprintf(out, "\nEverything stays up until you press Ctrl-C.\n  URL  %s\n  key  %s\n  simulator  %s/_sim/state\n  database   %s\n",
		w.serverURL, w.key, w.twilioURL, w.database.url)
	<-ctx.Done()
	return nil
}

func (w *world) close() error {
	var errs []error
	if w.process != nil {
		errs = append(errs, w.stopServer())
	}
	if w.twilio != nil {
		errs = append(errs, w.twilio.Close())
		w.simulator.Close()
	}
	return errors.Join(append(errs, w.database.close())...)
}

// freeAddr returns a loopback address that nothing listens on now.
func freeAddr(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}
