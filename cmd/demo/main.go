// Command demo shows an onboarding from one POST to A-level attestation, on a machine with nothing but Go.
//
// It starts a private Postgres, the Trust Hub simulator and the server, makes a subaccount with two numbers through the simulator's Twilio
// API, posts one onboarding, and shows its steps as they happen. Half-way it kills the server with SIGKILL and starts it again.
//
//	go run ./cmd/demo [-stay]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/attestd/attestd/internal/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	// The server runs as a process of its own, so that it can be killed: this very program under another name.
	if len(os.Args) > 1 && os.Args[1] == serverCommand {
		program := server.Program{Args: os.Args[2:], Environ: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr}
		os.Exit(program.Main(ctx))
	}
	stay := flag.Bool("stay", false, "keep everything running at the end, and print the URL and a key")
	flag.Parse()
	if err := run(ctx, *stay); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, stay bool) (err error) {
	fmt.Println("Starting a private Postgres, the Trust Hub simulator and the server …")
	w, err := newWorld(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()

	customer, err := w.makeSubaccount(ctx, "Example Plumbing LLC", 2)
	if err != nil {
		return err
	}
	fmt.Printf("Subaccount %s holds %v\n", customer.sid, customer.numbers)

	o, err := w.post(ctx, customer)
	if err != nil {
		return err
	}
	fmt.Printf("POST /onboardings answered 202: %s\n\n", o.ID)

	begun := time.Now()
	view := newView(os.Stdout)
	restarted := false
	for {
		o, err = w.get(ctx, o.ID)
		if err != nil {
			return err
		}
		view.show(o)
		switch {
		case o.Attestation == "A":
			view.end(o, time.Since(begun))
			if !stay {
				return nil
			}
			return w.stay(ctx)
		case o.Status == "action_required":
			return fmt.Errorf("the onboarding needs a person: %+v", o.Requirements)
		case !restarted && o.succeeded() >= len(o.Steps)/2:
			restarted = true
			view.say("Half-way: killing the server with SIGKILL and starting it again …")
			if err := w.restartServer(ctx); err != nil {
				return err
			}
			view.say("The server is back, and knows where it was.")
		}
		select {
		case <-ctx.Done():
			return errors.New("interrupted")
		case <-time.After(50 * time.Millisecond):
		}
	}
}
