package server

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/engine"
)

// Program is the program with what a process has: arguments, environment and streams.
type Program struct {
	// Args are the arguments after the name of the program.
	Args    []string
	Environ []string
	Stdout  io.Writer
	Stderr  io.Writer
	// Reached is [engine.Runner.Reached], for tests that kill the process at a point of the
	// protocol.
	Reached func(engine.Point, onboarding.Key)
	// Now tells the time; time.Now if nil.
	Now func() time.Time
	// Listening, if set, is called with the address that serve listens on.
	Listening func(addr string)
}

func (p Program) clock() func() time.Time {
	if p.Now == nil {
		return time.Now
	}
	return p.Now
}

const usage = `attestd takes Twilio subaccounts through Trust Hub to A-level SHAKEN/STIR attestation.

  server serve [-migrate]          serve HTTP and work on onboardings until SIGTERM; -migrate first brings the database up to date
  server migrate up                bring the database up to date
  server migrate down [-steps N]   take back N migrations (1)
  server migrate version           print the database's version
  server keys create -name NAME -role operator|viewer
                                   make an API key and print it, once
  server keys list                 list the API keys
  server keys revoke NAME          revoke an API key
  server reconcile ID [-fix]       compare an onboarding's ledger with what Twilio holds, and exit with 1 if they differ; -fix adopts what
                                   the ledger lacks and removes what is there twice
  server version                   print the program's version

Configuration is by environment; the README lists the variables.
`

// errUsage ends the program with the usage text.
var errUsage = errors.New("usage")

// Main runs the command that the arguments name until it is done or ctx ends. It returns the exit
// status.
func (p Program) Main(ctx context.Context) int {
	err := p.command(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage), errors.Is(err, flag.ErrHelp):
		fmt.Fprint(p.Stderr, usage)
		return 2
	default:
		fmt.Fprintf(p.Stderr, "attestd: %v\n", err)
		return 1
	}
}

func (p Program) command(ctx context.Context) error {
	if len(p.Args) == 0 {
		return errUsage
	}
	switch name, args := p.Args[0], p.Args[1:]; name {
	case "serve":
		return p.serve(ctx, args)
	case "migrate":
		return p.migrate(ctx, args)
	case "keys":
		return p.keys(ctx, args)
	case "reconcile":
		return p.reconcile(ctx, args)
	case "version":
		_, err := fmt.Fprintln(p.Stdout, version)
		return err
	default:
		return errUsage
	}
}

// flags returns a flag set for a command, whose errors end in the usage text.
func (p Program) flags(name string) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(p.Stderr)
	set.Usage = func() {}
	return set
}
