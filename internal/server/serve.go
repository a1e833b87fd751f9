package server

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/attestd/attestd/internal/api"
	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/desk"
	"github.com/attestd/attestd/internal/onboarding/engine"
	"github.com/attestd/attestd/internal/onboarding/plan"
	"github.com/attestd/attestd/internal/onboarding/reconcile"
	"github.com/attestd/attestd/internal/store"
	"github.com/attestd/attestd/internal/trusthub"
)

// How long a stop may take: first the calls to Twilio in flight, then the HTTP requests. The sum is
// less than the 20 s after which an orchestrator may kill.
const (
	runsTimeout     = 12 * time.Second
	requestsTimeout = 5 * time.Second
)

// GCPercent is the GOGC of a server that is not told another. The heap of a server is some ten
// megabytes. With the default of Go, 100, it would be collected several times a second, for a
// seventh of the CPU time.
const GCPercent = 400

// comparisonTimeout bounds the lookups of GET /onboardings/{id}/trust-hub. It is well below the
// time limit of a request.
const comparisonTimeout = 20 * time.Second

// serve runs the service until ctx ends, then stops it in order.
func (p Program) serve(ctx context.Context, args []string) error {
	flags := p.flags("serve")
	migrate := flags.Bool("migrate", false, "bring the database up to date first")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return errUsage
	}
	config, err := LoadConfig(p.Environ)
	if err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	logger := slog.New(slog.NewJSONHandler(p.Stderr, &slog.HandlerOptions{Level: config.LogLevel}))
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(GCPercent)
	}
	if *migrate {
		if err := store.Migrate(ctx, config.DatabaseURL); err != nil {
			return err
		}
	}
	s, err := p.newService(ctx, config, logger)
	if err != nil {
		return err
	}
	defer s.close()
	return s.run(ctx)
}

// service is the running program.
type service struct {
	logger   *slog.Logger
	hub      *trusthub.Client
	crew     *engine.Crew
	store    *store.Store
	stopping chan struct{} // closed when the runners are to let go
	draining atomic.Bool
	listener net.Listener
	http     *http.Server
}

// newService wires the parts and opens what they need. It starts nothing.
func (p Program) newService(ctx context.Context, config Config, logger *slog.Logger) (_ *service, err error) {
	s := &service{logger: logger, crew: engine.NewCrew(), stopping: make(chan struct{})}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.hub, err = config.trustHub(logger); err != nil {
		return nil, err
	}
	replica := replicaName()
	runner := &engine.Runner{
		Hub:      s.hub,
		Plan:     config.plan(p.clock()),
		Name:     replica,
		Crew:     s.crew,
		Timing:   config.timing(),
		Now:      p.clock(),
		Random:   mathrand.Float64,
		Stopping: s.stopping,
		Logger:   logger,
		Reached:  p.Reached,
	}
	s.store, err = store.Open(ctx, store.Config{
		DatabaseURL: config.DatabaseURL,
		Workers:     config.Workers,
		ReplicaName: replica,
		StaleAfter:  config.StaleAfter,
		Logger:      logger,
		Advance:     runner.Advance,

		CallbackRetention: config.CallbackRetention,
	})
	if err != nil {
		return nil, err
	}
	if s.http, err = s.newHTTPServer(config, p.clock()); err != nil {
		return nil, err
	}
	s.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", config.ListenAddr)
	if err != nil {
		return nil, fmt.Errorf("LISTEN_ADDR: %w", err)
	}
	if p.Listening != nil {
		p.Listening(s.listener.Addr().String())
	}
	return s, nil
}

// newHTTPServer serves the API on the store and the client of Twilio.
func (s *service) newHTTPServer(config Config, now func() time.Time) (*http.Server, error) {
	handler, err := api.New(api.Config{
		Service: &desk.Service{
			Repository: s.store,
			Plan:       config.plan(now),
			NewID:      func() onboarding.ID { return onboarding.ID("onb_" + uuid.Must(uuid.NewV7()).String()) },
			NewToken:   newToken,
			Now:        now,
		},
		Comparer:                 config.reconciler(s.store, s.hub, now, comparisonTimeout),
		Subaccounts:              s.hub,
		History:                  s.store,
		Reviews:                  &desk.ReviewHistory{Times: s.store.ReviewTimes, Now: now, Logger: s.logger},
		Callbacks:                s.store,
		Keys:                     apiKeys{s.store},
		Verifier:                 s.hub,
		CallbackAuth:             config.CallbackAuth,
		PublicURL:                strings.TrimRight(config.PublicURL, "/"),
		DefaultPrimaryProfileSID: config.TwilioPrimaryProfileSID,
		Now:                      now,
		Ready:                    s.ready,
		Logger:                   s.logger,
	})
	if err != nil {
		return nil, err
	}
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
	}, nil
}

// run serves and works until ctx ends, or until serving fails.
func (s *service) run(ctx context.Context) error {
	// ctx ends the service by the orderly stop below, and not by cancelling what runs.
	if err := s.store.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(s.listener) }()
	s.logger.InfoContext(ctx, "attestd is serving", "version", version, "addr", s.listener.Addr().String())

	var err error
	select {
	case <-ctx.Done():
		s.logger.InfoContext(ctx, "stopping")
	case err = <-served:
		err = fmt.Errorf("serve HTTP: %w", err)
	}
	return errors.Join(err, s.stop(context.WithoutCancel(ctx)))
}

// stop is the orderly end. The service is no longer ready and takes no new work. The calls in
// flight are finished and written down, then the HTTP requests are answered.
func (s *service) stop(ctx context.Context) error {
	s.draining.Store(true)
	close(s.stopping)
	runsCtx, cancel := context.WithTimeout(ctx, runsTimeout)
	defer cancel()
	err := s.store.Stop(runsCtx)
	if err != nil {
		s.logger.WarnContext(ctx, "calls to Twilio are still under way; cutting them short", "error", err)
		err = s.store.StopNow(ctx)
	}
	requestsCtx, cancel := context.WithTimeout(ctx, requestsTimeout)
	defer cancel()
	if s.http.Shutdown(requestsCtx) != nil {
		s.logger.WarnContext(ctx, "requests are still under way; cutting them off")
		err = errors.Join(err, s.http.Close())
	}
	return err
}

func (s *service) ready(ctx context.Context) error {
	if s.draining.Load() {
		return errors.New("stopping")
	}
	return s.store.Ping(ctx)
}

func (s *service) close() {
	if s.store != nil {
		s.store.Close()
	}
	s.crew.End()
	if s.hub != nil {
		s.hub.Close()
	}
	if s.listener != nil {
		_ = s.listener.Close() // Closed already after an orderly stop.
	}
}

// trustHub is the client of Twilio with this configuration.
func (c Config) trustHub(logger *slog.Logger) (*trusthub.Client, error) {
	return trusthub.New(trusthub.Config{
		AccountSID:  c.TwilioAccountSID,
		AuthToken:   c.TwilioAuthToken,
		APIURL:      c.TwilioAPIURL,
		TrustHubURL: c.TwilioTrustHubURL,

		MaxConcurrentPerAccount: c.TwilioMaxConcurrent,
		Logger:                  logger,
	})
}

// timing has those durations of the runner that the configuration sets.
func (c Config) timing() engine.Timing {
	t := engine.Timing{PollMin: c.ReviewPollMin, PollMax: c.ReviewPollMax, CheckInterval: c.CheckInterval, Settle: c.LookupSettle}
	if c.CheckInterval == 0 {
		t.CheckInterval = -1
	}
	return t
}

// plan is the plan with this configuration.
func (c Config) plan(now func() time.Time) onboarding.Plan {
	return plan.TrustHub(plan.Config{
		SecondaryProfilePolicySID: c.SecondaryProfilePolicySID,
		ShakenStirPolicySID:       c.ShakenStirPolicySID,
		VoiceIntegrityPolicySID:   c.VoiceIntegrityPolicySID,
		CNAMPolicySID:             c.CNAMPolicySID,
		LeaveLostNumbers:          !c.RepairNumbers,
		ListsLag:                  c.LookupSettle,
		EndingNotice:              c.ApprovalNotice,
		Now:                       now,
		Gate:                      c.TrustProductGate,
		CallbackURL:               callbackURL(c.PublicURL),
	})
}

// reconciler compares ledgers with what Twilio holds. Each comparison ends within that time; 0 is
// no bound.
func (c Config) reconciler(s *store.Store, hub *trusthub.Client, now func() time.Time, within time.Duration) *reconcile.Reconciler {
	return &reconcile.Reconciler{Repository: s, Hub: hub, Plan: c.plan(now), Settle: c.LookupSettle, Within: within}
}

// callbackURL returns the function that builds the URL of status callbacks, or nil if Twilio cannot
// reach this service. By default Twilio tries a failed callback once more. The fragment asks for
// five retries after any failure:
// https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides.
func callbackURL(publicURL string) func(token string) string {
	if publicURL == "" {
		return nil
	}
	return func(token string) string {
		return strings.TrimRight(publicURL, "/") + "/webhooks/twilio/" + token + "#rc=5&rp=all"
	}
}

// newToken returns 256 random bits, which nobody can guess.
func newToken() string {
	var random [32]byte
	rand.Read(random[:]) // It never returns an error: https://pkg.go.dev/crypto/rand#Read.
	return base64.RawURLEncoding.EncodeToString(random[:])
}

// replicaName is a name for people, by which they tell the processes on one database apart.
func replicaName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), uuid.NewString()[:8])
}
