// Command trusthubsim serves the Trust Hub simulator: Twilio's part of an onboarding, for development and tests.
//
// It answers Twilio's paths (/v1/… and /2010-04-01/…) and its own (/_sim/…, see internal/trusthubsim) on one address.
// The latter want no credentials: keep it on the loopback interface. With them reviews are decided, approvals taken back or
// ended, objects deleted as in Twilio's Console, faults made, and most of the flags changed while it runs (/_sim/settings).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/attestd/attestd/internal/trusthubsim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "trusthubsim:", err)
		stop()
		os.Exit(1)
	}
}

// shutdownTime is how long open requests may take once the program is asked to stop.
const shutdownTime = 5 * time.Second

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	listen, cfg, err := parse(args, stderr)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	sim := trusthubsim.New(cfg)
	defer sim.Close()
	server := &http.Server{Handler: sim, ReadHeaderTimeout: 10 * time.Second}
	describe(stdout, listener.Addr(), cfg)

	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	if err := server.Shutdown(ending); err != nil {
		return fmt.Errorf("shutting down: %w", err)
	}
	return nil
}

// parse reads the flags.
func parse(args []string, stderr io.Writer) (listen string, cfg trusthubsim.Config, err error) {
	flags := flag.NewFlagSet("trusthubsim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&listen, "listen", "127.0.0.1:9010", "`address` to listen on")
	flags.StringVar(&cfg.AccountSID, "account-sid", trusthubsim.DefaultAccountSID, "`SID` of the parent account")
	flags.StringVar(&cfg.AuthToken, "auth-token", trusthubsim.DefaultAuthToken, "auth `token` of the parent account")
	flags.StringVar(&cfg.PrimaryProfileSID, "primary-profile-sid", trusthubsim.DefaultPrimaryProfileSID, "`SID` of the parent's primary profile")
	flags.StringVar(&cfg.PrimaryIdentity, "primary-identity", "isv_reseller_or_partner", "business `identity` of the primary profile")
	flags.StringVar(&cfg.PublicURL, "public-url", "", "base of the absolute `URL`s in answers (default: each request's own host)")
	review := flags.String("review", "auto", "who decides about submissions: `auto` or manual")
	flags.DurationVar(&cfg.ReviewDelay, "review-delay", 2*time.Second, "`time` from submission to decision")
	flags.DurationVar(&cfg.ApprovalValidity, "approval-validity", 365*24*time.Hour, "`time` from approval to valid_until")
	gate := flags.String("product-gate", "approved", "profile status that a product's evaluation asks for: `approved` or submitted")
	flags.BoolVar(&cfg.RejectedProductsFinal, "rejected-products-final", false, "refuse to reopen rejected trust products")
	flags.BoolVar(&cfg.NumbersDuringReview, "numbers-during-review", false, "let a product's numbers change while it is in review")
	flags.BoolVar(&cfg.AnyEmailDomain, "any-email-domain", false, "do not reject (18606) e-mail domains other than the website's")
	flags.DurationVar(&cfg.Latency, "latency", 0, "`time` added to each request")
	flags.DurationVar(&cfg.ListLag, "list-lag", 0, "`time` until a list shows a new object")
	flags.IntVar(&cfg.MaxConcurrent, "max-concurrent", 0, "open requests per account, more are answered 429; 0 is no limit")
	flags.Uint64Var(&cfg.Seed, "seed", 1, "what SIDs, tokens and chances are drawn from")
	flags.Float64Var(&cfg.Callbacks.Lost, "callbacks-lost", 0, "`share` of callbacks that are never sent")
	flags.Float64Var(&cfg.Callbacks.Duplicated, "callbacks-duplicated", 0, "`share` of callbacks that are sent twice")
	flags.Float64Var(&cfg.Callbacks.Unsigned, "callbacks-unsigned", 0, "`share` of callbacks without a signature")
	delay := flags.Duration("callbacks-delay", 0, "`time` before each callback")
	spread := flags.Duration("callbacks-spread", 0, "up to this `time` more, drawn for each callback")
	flags.BoolVar(&cfg.Callbacks.JSON, "callbacks-json", false, "send JSON bodies instead of forms")
	flags.BoolVar(&cfg.Callbacks.ParentSigns, "callbacks-parent-signs", false, "sign with the parent's token instead of the subaccount's")
	verbose := flags.Bool("v", false, "log each request to standard error")
	if err := flags.Parse(args); err != nil {
		return "", cfg, err
	}

	cfg.Review, cfg.ProductGate = trusthubsim.ReviewMode(*review), trusthubsim.ProductGate(*gate)
	cfg.Callbacks.Delay, cfg.Callbacks.Spread = trusthubsim.Duration(*delay), trusthubsim.Duration(*spread)
	if *verbose {
		cfg.Logger = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if flags.NArg() > 0 {
		return "", cfg, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	for _, name := range []string{"account-sid", "auth-token", "primary-profile-sid", "review", "product-gate"} {
		if flags.Lookup(name).Value.String() == "" {
			return "", cfg, fmt.Errorf("-%s is empty", name)
		}
	}
	if err := cfg.Check(); err != nil {
		return "", cfg, err
	}
	return listen, cfg, nil
}

// describe prints what a client needs to know.
func describe(w io.Writer, address net.Addr, cfg trusthubsim.Config) {
	fmt.Fprintf(w, `Trust Hub simulator
  url                  http://%s
  account SID          %s
  auth token           %s
  primary profile SID  %s
  review               %s, after %s
  product gate         %s
  latency              %s
  seed                 %d
`, address, cfg.AccountSID, cfg.AuthToken, cfg.PrimaryProfileSID, cfg.Review, cfg.ReviewDelay, cfg.ProductGate, cfg.Latency, cfg.Seed)
}
