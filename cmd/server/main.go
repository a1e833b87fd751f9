// Command server is attestd: see the usage text in internal/server, or run it without arguments.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/attestd/attestd/internal/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	program := server.Program{Args: os.Args[1:], Environ: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr}
	os.Exit(program.Main(ctx))
}
