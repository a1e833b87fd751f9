// Command dev keeps attestd running on this machine while somebody works on it: a private Postgres,
// the simulated Twilio and the server. When a source changes, it builds the server and starts it
// anew. The database and the simulated Twilio keep running.
//
//	go run ./cmd/dev
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/attestd/attestd/internal/sandbox"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// lookInterval is how often dev looks at the sources. A look reads the times of some hundred files.
const lookInterval = 300 * time.Millisecond

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "dev:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	if _, err := os.Stat("cmd/server"); err != nil {
		return errors.New("run it from the root of the repository")
	}
	binDir, err := os.MkdirTemp("", "attestd-dev-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(binDir)) }()
	server := filepath.Join(binDir, "server")
	build := func(ctx context.Context) error { return show(ctx, "go", "build", "-o", server, "./cmd/server") }
	l := &loop{
		root: ".", out: os.Stdout, build: build,
		generate: func(ctx context.Context) error { return show(ctx, "make", "--no-print-directory", "generate") },
	}
	if err := errors.Join(l.begin(), build(ctx)); err != nil {
		return err
	}
	box, err := sandbox.Start(ctx, sandbox.Config{
		DatabaseURL: os.Getenv("DATABASE_URL"),
		Simulator:   trusthubsim.Config{ReviewDelay: 2 * time.Second, Latency: 100 * time.Millisecond},
		Server: func(ctx context.Context, args ...string) *exec.Cmd {
			return exec.CommandContext(ctx, server, args...)
		},
		Stderr: os.Stderr,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	l.server = box
	fmt.Printf("\n  URL        %s\n  key        %s\n  simulator  %s/_sim/state\n  database   %s\n\nThe server starts anew when its sources change. Ctrl-C ends everything.\n\n",
		box.URL, box.Key, box.TwilioURL, box.DatabaseURL)
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	return l.run(ctx, ticker.C)
}

// show runs a command and shows its output.
func show(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}
