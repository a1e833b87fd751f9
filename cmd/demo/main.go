// Command demo shows an onboarding from one POST to A-level attestation, on a machine with only Go.
//
// It starts a private Postgres, the Trust Hub simulator and the server, and makes a subaccount with
// two numbers by the API of the simulated Twilio. Then it posts one onboarding and shows its steps
// as they happen. Whatever else happens is up to the scenario: see scenarios.go.
//
//	go run ./cmd/demo [-scenario NAME] [-stay]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/attestd/attestd/internal/sandbox"
	"github.com/attestd/attestd/internal/server"
	"github.com/attestd/attestd/internal/trusthubsim"
)

func main() {
	serveIfAsked()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "demo:", err)
		stop()
		os.Exit(1)
	}
}

// serveIfAsked is the server, and ends this process, if this process was started as the server. The
// server is a process of its own so that it can be killed, and this very program under another
// argument.
func serveIfAsked() {
	if len(os.Args) < 2 || os.Args[1] != serverCommand {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	program := server.Program{Args: os.Args[2:], Environ: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr}
	status := program.Main(ctx)
	stop()
	os.Exit(status)
}

// serverCommand is the first argument under which this program is the server.
const serverCommand = "server"

// thisProgram is the server, as a process of its own.
func thisProgram(ctx context.Context, args ...string) *exec.Cmd {
	//nolint:gosec // This very program.
	return exec.CommandContext(ctx, os.Args[0], append([]string{serverCommand}, args...)...)
}

// run reads the flags and shows the scenario that they name.
func run(ctx context.Context, args []string, stdout *os.File, stderr io.Writer) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	name := flags.String("scenario", scenarios[0].name, "`name` of what to show:\n"+scenarioList()+"\n")
	stay := flags.Bool("stay", false, "keep everything running at the end, and print the URL and a key")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	chosen, err := scenarioNamed(*name)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, "Starting a private Postgres, the Trust Hub simulator and the server …")
	return play(ctx, chosen, lifelike, os.Getenv("DATABASE_URL"), stdout, *stay)
}

// pace is how slow the simulated Twilio is.
type pace struct{ latency, review time.Duration }

// lifelike leaves time to read along.
var lifelike = pace{latency: 150 * time.Millisecond, review: 2 * time.Second}

// play shows one scenario from its beginning to its end, on a database beside that of the URL, or
// without a URL on a Postgres of its own.
func play(ctx context.Context, s scenario, p pace, databaseURL string, out *os.File, stay bool) (err error) {
	box, err := sandbox.Start(ctx, sandbox.Config{
		DatabaseURL: databaseURL,
		Simulator:   trusthubsim.Config{ReviewDelay: p.review, Latency: p.latency},
		Server:      thisProgram,
		Environ:     []string{"LOG_LEVEL=warn"},
		Stderr:      os.Stderr,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	w := &world{box}
	t, err := w.begin(ctx, s, out)
	if err != nil {
		return err
	}
	if err := s.tell(ctx, t); err != nil {
		return err
	}
	t.view.end(t.now, time.Since(t.begun))
	if !stay {
		return nil
	}
	fmt.Fprintf(out, "\nEverything stays up until you press Ctrl-C.\n  URL  %s\n  key  %s\n  simulator  %s/_sim/state\n  database   %s\n",
		box.URL, box.Key, box.TwilioURL, box.DatabaseURL)
	<-ctx.Done()
	return nil
}

// world is a sandbox with the calls that stories make there.
type world struct{ *sandbox.Sandbox }

// restartServer stops the server as an operator does, and starts it again.
func (w *world) restartServer(ctx context.Context) error {
	if err := w.StopServer(); err != nil {
		return err
	}
	return w.StartServer(ctx)
}

// killServer ends the server without a warning, and starts it again.
func (w *world) killServer(ctx context.Context) error {
	if err := w.KillServer(); err != nil {
		return err
	}
	return w.StartServer(ctx)
}
