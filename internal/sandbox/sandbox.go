// Package sandbox runs attestd on this machine with all that it needs: a Postgres, the simulated
// Twilio and the server, each on a loopback port of its own. It is for development only, and no
// part of the production binary.
//
// Start reading at [Start].
package sandbox

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
	"time"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// Config says what a sandbox is made of.
type Config struct {
	// DatabaseURL leads to a database on the server where the sandbox makes its own. Empty means a
	// private Postgres.
	DatabaseURL string
	// Simulator says how the simulated Twilio behaves.
	Simulator trusthubsim.Config
	// Server returns a command that runs the program of the server with these arguments. The
	// sandbox sets its environment and its streams.
	Server func(ctx context.Context, args ...string) *exec.Cmd
	// Environ are further variables for the server. They win over those of the sandbox.
	Environ []string
	// Stderr gets the server's log.
	Stderr io.Writer
}

// Sandbox is a running attestd. One goroutine at a time may call its methods.
type Sandbox struct {
	// URL is that of the server. Key is an API key with the role operator.
	URL, Key string
	// TwilioURL is that of the simulated Twilio.
	TwilioURL string
	// DatabaseURL is that of the server's database.
	DatabaseURL string

	config    Config
	database  database
	simulator *trusthubsim.Simulator
	twilio    *http.Server
	environ   []string
	process   *process // nil before the first start
}

// Start starts everything, and returns when the server is ready.
func Start(ctx context.Context, config Config) (*Sandbox, error) {
	s := &Sandbox{config: config}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Sandbox) start(ctx context.Context) (err error) {
	if s.database, err = openDatabase(ctx, s.config.DatabaseURL); err != nil {
		return err
	}
	s.DatabaseURL = s.database.url
	if err := s.startSimulator(ctx); err != nil {
		return err
	}
	addr, err := freeAddr(ctx)
	if err != nil {
		return err
	}
	s.URL = "http://" + addr
	s.environ = s.serverEnviron(addr)
	if err := s.StartServer(ctx); err != nil {
		return err
	}
	out, err := s.command(ctx, "keys", "create", "-name", "sandbox", "-role", "operator").Output()
	if err != nil {
		return fmt.Errorf("make an API key: %w", err)
	}
	s.Key = strings.TrimSpace(string(out))
	return nil
}

func (s *Sandbox) startSimulator(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the simulator: %w", err)
	}
	s.TwilioURL = "http://" + listener.Addr().String()
	s.simulator = trusthubsim.New(s.config.Simulator)
	s.twilio = &http.Server{Handler: s.simulator, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := s.twilio.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(s.config.Stderr, "the simulator stopped:", err)
		}
	}()
	return nil
}

// serverEnviron is the environment of a server that listens at that address.
func (s *Sandbox) serverEnviron(addr string) []string {
	environ := append(os.Environ(),
		"DATABASE_URL="+s.DatabaseURL, "DATABASE_URL_FILE=", "TWILIO_AUTH_TOKEN_FILE=",
		"LISTEN_ADDR="+addr,
		"PUBLIC_URL="+s.URL,
		"TWILIO_ACCOUNT_SID="+trusthubsim.DefaultAccountSID,
		"TWILIO_AUTH_TOKEN="+trusthubsim.DefaultAuthToken,
		"TWILIO_PRIMARY_PROFILE_SID="+trusthubsim.DefaultPrimaryProfileSID,
		"TWILIO_API_URL="+s.TwilioURL,
		"TWILIO_TRUSTHUB_URL="+s.TwilioURL,
		// A callback that comes while the server is down is lost. In development nobody waits
		// minutes for the next poll.
		"REVIEW_POLL_MIN=2s",
		"REVIEW_POLL_MAX=5s",
	)
	return append(environ, s.config.Environ...)
}

// Close ends everything and removes what it has made.
func (s *Sandbox) Close() error {
	var errs []error
	if s.process != nil {
		errs = append(errs, s.StopServer())
	}
	if s.twilio != nil {
		errs = append(errs, s.twilio.Close())
		s.simulator.Close()
	}
	return errors.Join(append(errs, s.database.close())...)
}

// freeAddr returns a loopback address that nothing listens on now.
func freeAddr(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}
