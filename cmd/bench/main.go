// Command bench measures what attestd costs beside the calls that it makes:
//
//   - how long an onboarding takes, compared with its longest chain of calls;
//   - how many onboardings are finished per second, compared with a bare loop that makes the same
//     calls and writes nothing down;
//   - how much work each onboarding is for Postgres.
//
// Run it by
//
//	go run ./cmd/bench [-repeat 7] [-n 256] [-rounds 3] [-check] [-top 0] [-profile DIR]
//
// Compare the ratios: both sides of a ratio are measured in one run, by turns, at one simulator.
//
// # What runs where
//
// The simulator runs in this process and is called over loopback TCP. attestd and the bare loop run
// in a process each, started from this very program, so that both are equally far from the
// simulator and have a heap of their own. Postgres is a private one that writes to disk as in
// production: fsync, full_page_writes and synchronous_commit are on.
//
// Start reading at [run]. bare.go has the bare loop.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// options are what the command line says.
type options struct {
	repeat   int // latencies to take the median of
	perPhase int // onboardings in a phase of the throughput
	rounds   int
	top      int    // statements to list
	profiles string // a directory, or ""
	check    bool
}

// profile is the file for the CPU profile of a part; "" if none is asked for.
func (o options) profile(part string) string {
	if o.profiles == "" {
		return ""
	}
	return filepath.Join(o.profiles, part+".pprof")
}

func main() {
	if status, was := runAsPart(); was {
		os.Exit(status)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	var o options
	flag.IntVar(&o.repeat, "repeat", 7, "measure the latency so many `times`; the median counts")
	flag.IntVar(&o.perPhase, "n", 256, "`onboardings` in each phase of the throughput")
	flag.IntVar(&o.rounds, "rounds", 3, "`rounds` of the throughput, each a phase of attestd and one of the bare loop")
	flag.IntVar(&o.top, "top", 0, "list this `many` of the SQL statements that took Postgres longest")
	flag.StringVar(&o.profiles, "profile", "", "write CPU profiles of attestd, the bare loop and the simulator to this `directory`")
	flag.BoolVar(&o.check, "check", false, "fail where a figure is beyond its bound")
	flag.Parse()
	if flag.NArg() > 0 || o.repeat < 1 || o.perPhase < 1 || o.rounds < 1 {
		flag.Usage()
		stop()
		os.Exit(2)
	}
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// run measures everything and writes the figures to out. An error means that something could not be
// measured or, with -check, that a figure is beyond its bound.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	if o.profiles != "" {
		if err := os.MkdirAll(o.profiles, 0o750); err != nil {
			return fmt.Errorf("make the directory of the profiles: %w", err)
		}
	}
	d, err := startDatabase(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	d.describe(out)

	latency, err := measureLatency(ctx, d, o.repeat)
	if err != nil {
		return fmt.Errorf("latency: %w", err)
	}
	latency.print(out)
	throughput, err := measureThroughput(ctx, d, o)
	if err != nil {
		return fmt.Errorf("throughput: %w", err)
	}
	throughput.print(out)
	if o.check {
		return errors.Join(latency.check(), throughput.check())
	}
	return nil
}
