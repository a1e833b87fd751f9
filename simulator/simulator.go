// Package simulator is Twilio's Trust Hub to test against. It starts the simulator of
// cmd/trusthubsim inside a Go test:
//
//	sim := simulator.Start(t, simulator.Options{Switches: map[string]string{"review": "manual"}})
//	customer, err := sim.Subaccount("Example Plumbing LLC", "+14155550100")
//	…
//	err = sim.Reject(profileSID, 18602)
//
// The code under test is given sim.URL in place of https://trusthub.twilio.com and
// https://api.twilio.com, or sim.Client, whose requests reach the simulator whatever host they
// name.
//
// docs/simulator.md lists the switches, the data that is refused or rejected, and the paths by
// which a test in another language does what the methods here do.
package simulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// Options say how a simulator behaves. The zero value is strict, and decides reviews at once, by
// the data.
type Options struct {
	// Switches are values by the names of docs/simulator.md, as a flag has them:
	// {"review": "manual", "check_delay": "1s"}.
	Switches map[string]string
	// InMemory opens no socket: URL leads nowhere, and only Client reaches the simulator. That is
	// how it is used in a bubble of testing/synctest.
	InMemory bool
	// Logger gets one debug line for each request and callback, without their contents.
	Logger *slog.Logger
}

// Simulator is a running simulator with its parent account.
type Simulator struct {
	// URL is where it listens, without a trailing slash.
	URL string
	// AccountSID and AuthToken are the credentials of the parent account, and PrimaryProfileSID is
	// its approved primary customer profile.
	AccountSID, AuthToken, PrimaryProfileSID string

	sim    *trusthubsim.Simulator
	server *http.Server
	served chan struct{}
}

// ErrBadOptions is what New returns, wrapped, for switches that do not exist or make no sense.
var ErrBadOptions = errors.New("bad options")

// Start runs a simulator until the test has ended. It fails the test if the options make no sense.
func Start(t testing.TB, options Options) *Simulator {
	t.Helper()
	s, err := New(options)
	if err != nil {
		t.Fatalf("starting the simulator: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// New runs a simulator until Close. It returns ErrBadOptions, wrapped, or the error of listening on
// the loopback interface.
func New(options Options) (*Simulator, error) {
	cfg := trusthubsim.Config{Logger: options.Logger}
	for name, value := range options.Switches {
		if err := cfg.Set(name, value); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBadOptions, err)
		}
	}
	s := &Simulator{sim: trusthubsim.New(cfg), URL: "http://trusthubsim.invalid", served: make(chan struct{})}
	s.AccountSID, s.AuthToken, s.PrimaryProfileSID = s.sim.Parent()
	if options.InMemory {
		close(s.served)
		return s, nil
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		s.sim.Close()
		return nil, fmt.Errorf("listening: %w", err)
	}
	s.URL = "http://" + listener.Addr().String()
	s.server = &http.Server{Handler: s.sim, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(s.served)
		_ = s.server.Serve(listener) // returns when Close is called
	}()
	return s, nil
}

// Close stops it, with pending reviews and callbacks. It may be called twice.
func (s *Simulator) Close() {
	if s.server != nil {
		_ = s.server.Close()
	}
	<-s.served
	s.sim.Close()
}

// Client is a client whose requests reach the simulator in memory, whatever host they name: one for
// the code under test where its base URLs are fixed.
func (s *Simulator) Client() *http.Client { return &http.Client{Transport: s.sim.Transport()} }

// Set sets a switch from now on, by its name and as a flag has its value. It returns an error for
// what makes no sense, and for a switch that can be set at the start only.
func (s *Simulator) Set(name, value string) error { return s.sim.Set(name, value) }
