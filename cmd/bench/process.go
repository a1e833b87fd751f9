package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/attestd/attestd/internal/server"
)

// The first argument of this program when it is one of the parts.
const (
	serverPart = "server"
	barePart   = "bare"
)

// profileVariable names the file for the CPU profile of a part.
const profileVariable = "ATTESTD_BENCH_CPU_PROFILE"

// runAsPart runs the part that the arguments name, until it is done or told to end. It returns the
// exit status, and whether the arguments name a part.
func runAsPart() (status int, was bool) {
	if len(os.Args) < 2 || os.Args[1] != serverPart && os.Args[1] != barePart {
		return 0, false
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	stopProfile, err := startProfile(os.Getenv(profileVariable))
	if err == nil {
		if os.Args[1] == serverPart {
			program := server.Program{Args: os.Args[2:], Environ: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr}
			status = program.Main(ctx)
		} else {
			debug.SetGCPercent(server.GCPercent) // As attestd does.
			err = serveBare(ctx, os.Stdin, os.Stdout)
		}
		err = errors.Join(err, stopProfile())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", os.Args[1]+":", err)
		return 1, true
	}
	return status, true
}

// startProfile begins a CPU profile in the file, if one is named. The function that it returns ends
// the profile.
func startProfile(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(path) //nolint:gosec // The path is the user's own.
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(fmt.Errorf("profile: %w", err), file.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
}

// part returns a command that runs a part of this program. The profile, if a path is given, is of
// its whole life.
func part(ctx context.Context, environ []string, profile string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...) //nolint:gosec // This very program.
	cmd.Env, cmd.Stderr = append(environ, profileVariable+"="+profile), os.Stderr
	// A terminal interrupts the whole group. The parts end when they are told to.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// terminate asks a part to end, waits, and returns its CPU time.
func terminate(cmd *exec.Cmd) (cpu time.Duration, err error) {
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return 0, fmt.Errorf("stop %s: %w", cmd.Args[1], err)
	}
	if err := cmd.Wait(); err != nil {
		return 0, fmt.Errorf("%s: %w", cmd.Args[1], err)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

// ownCPU is the CPU time that this process has taken so far.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0 // It fails only for an argument that is not this one.
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
