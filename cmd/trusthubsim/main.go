// Command trusthubsim serves the Trust Hub simulator: Twilio's part of an onboarding, for
// development and tests.
//
// It answers Twilio's paths (/v1/… and /2010-04-01/…) and its own (/_sim/…) on one address. The
// latter want no credentials: keep it on the loopback interface. Its switches are flags, variables
// of the environment, and most of them can be changed while it runs; docs/simulator.md has them
// all.
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
	"strings"
	"syscall"
	"time"

	"github.com/attestd/attestd/internal/trusthubsim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr); {
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
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	listen, manual, cfg, err := parse(args, environ, stderr)
	if err != nil {
		return err
	}
	if manual {
		_, err := io.WriteString(stdout, trusthubsim.Manual())
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

// parse reads the switches: those in the environment first, flags over them.
func parse(args, environ []string, stderr io.Writer) (listen string, manual bool, cfg trusthubsim.Config, err error) {
	cfg = trusthubsim.ProgramDefaults()
	flags := flag.NewFlagSet("trusthubsim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&listen, "listen", "127.0.0.1:9010", "`address` to listen on")
	flags.BoolVar(&manual, "manual", false, "print what every switch, value and path does, and end")
	verbose := flags.Bool("v", false, "log each request to standard error")
	variables := variablesOf(environ)
	for _, one := range trusthubsim.Switches() {
		if text, ok := variables[one.Env]; ok {
			if err := cfg.Set(one.Name, text); err != nil {
				return "", false, cfg, fmt.Errorf("%s: %w", one.Env, err)
			}
		}
		flags.Var(switchFlag{&cfg, one}, one.Flag[1:], usage(one))
	}
	if err := flags.Parse(args); err != nil {
		return "", false, cfg, err
	}
	if flags.NArg() > 0 {
		return "", false, cfg, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if *verbose {
		cfg.Logger = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return listen, manual, cfg, cfg.Check()
}

func variablesOf(environ []string) map[string]string {
	variables := map[string]string{}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		variables[name] = value
	}
	return variables
}

// usage says what a switch does. What stands in backquotes is the name of the flag's value there.
func usage(one trusthubsim.Switch) string {
	text := strings.ReplaceAll(one.Means, "`", "")
	if len(one.Values) > 0 {
		text += ": " + strings.Join(one.Values, ", ")
	}
	if one.Kind == "boolean" {
		return text
	}
	return text + " (`" + one.Kind + "`)"
}

// switchFlag is a switch as a flag.
type switchFlag struct {
	cfg *trusthubsim.Config
	of  trusthubsim.Switch
}

// String is the switch's value; the flag package asks a zero switchFlag too.
func (f switchFlag) String() string {
	if f.cfg == nil {
		return ""
	}
	return f.cfg.Get(f.of.Name)
}

// Set reads the switch.
func (f switchFlag) Set(text string) error { return f.cfg.Set(f.of.Name, text) }

// IsBoolFlag lets a boolean stand without a value.
func (f switchFlag) IsBoolFlag() bool { return f.of.Kind == "boolean" }

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
