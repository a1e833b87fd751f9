// Package pgdev runs a private Postgres server for the demo and the tests: in a
// directory of its own, on a free loopback port, under an unprivileged user
// where the caller is root, and never longer than the process that started it.
//
// It is for Linux and macOS, and no part of the production binary. It knows
// nothing of what the databases hold; package pgtest adds what tests need.
//
// Start reading at [Start]; guard.go has the reason why nothing is left behind
// even when the owner is killed with SIGKILL.
package pgdev

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	superuser = "postgres"

	// startTimeout bounds one start of a server on an initialised directory:
	// generous, because after a crash it replays its log first.
	startTimeout = 2 * time.Minute

	// fastTimeout is how long a fast shutdown may take before Stop goes on
	// to an immediate one, which Postgres ends by itself within 5 s.
	fastTimeout = 20 * time.Second

	// portAttempts is how many ports are tried when another process takes
	// the chosen one between the choice and the server's own bind.
	portAttempts = 5
)

// Options say how [Start] runs Postgres. The zero value is a throwaway server
// for tests.
type Options struct {
	// BinDir is the directory of initdb and postgres. Empty means to look
	// for one, and to download one when none is found.
	BinDir string

	// Dir holds the server's data, password and log, and is kept at Stop; a
	// later Start on it finds the same databases under the same password.
	// Empty means a temporary directory, removed when the server stops; unless
	// the server is durable it is in memory where there is room.
	Dir string

	// Durable makes the server write to disk as a production server does.
	// Without it a commit is fast and survives a crash of Postgres' own,
	// but not one of the machine.
	Durable bool

	// Port is the loopback port to listen on; 0 means any free one.
	Port int

	// Logger gets a line at each start and stop; nil means none. What
	// Postgres itself says goes to LogFile.
	Logger *slog.Logger

	// Settings are parameters of postgresql.conf, by name, and win over the
	// ones that this package chooses.
	Settings map[string]string
}

// Postgres is a running server. Its methods may be called from any goroutine.
type Postgres struct {
	options  Options
	account  *account
	binDir   string
	dir      string
	password string
	port     int
	logger   *slog.Logger
	keeper   *keeper // nil when Options.Dir names the directory

	mu     sync.Mutex
	server *guarded // nil once stopped
}

// Start finds Postgres, makes a database cluster unless Options.Dir holds one,
// and returns when the server takes connections. The context bounds the start
// alone; the server runs until Stop, or until this process ends in any way.
//
// Postgres is looked for in Options.BinDir and nowhere else when that is given;
// else on PATH, where pg_config points, and where Debian, Fedora, Homebrew and
// others put it; else it is downloaded. When none of this succeeds, the error
// says which package to install.
func Start(ctx context.Context, o Options) (*Postgres, error) {
	account, err := serverAccount(os.Geteuid(), "postgres", "nobody")
	if err != nil {
		return nil, fmt.Errorf("starting a private Postgres: %w", err)
	}
	binDir, err := findOrFetch(ctx, o.BinDir, account)
	if err != nil {
		return nil, fmt.Errorf("starting a private Postgres: %w", err)
	}
	p := &Postgres{options: o, account: account, binDir: binDir, logger: o.Logger}
	if p.logger == nil {
		p.logger = slog.New(slog.DiscardHandler)
	}
	if err := p.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("starting a private Postgres: %w", err), p.release())
	}
	return p, nil
}

func (p *Postgres) start(ctx context.Context) error {
	if err := p.openDir(); err != nil {
		return err
	}
	if err := p.initialise(ctx); err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		port, err := choosePort(ctx, p.options.Port)
		if err != nil {
			return err
		}
		p.port = port
		if p.server, err = p.serve(ctx); err == nil {
			return nil
		}
		taken := strings.Contains(err.Error(), "Address already in use")
		if !taken || p.options.Port != 0 || attempt == portAttempts {
			return err
		}
	}
}

// StopMode says how a server ends, in the words of pg_ctl.
type StopMode string

const (
	// Fast ends the sessions and writes everything down.
	Fast StopMode = "fast"
	// Immediate is a crash: the next start replays the log.
	Immediate StopMode = "immediate"
)

// Restart stops the server and starts it again on the same directory and port,
// so that a URL goes on to work. It also starts a server that crashed. After
// an error the server is stopped and a further Restart may be tried.
func (p *Postgres) Restart(ctx context.Context, mode StopMode) error {
	signal, ok := map[StopMode]string{Fast: "INT", Immediate: "QUIT"}[mode]
	if !ok {
		return fmt.Errorf("restarting Postgres: unknown mode %q (want %q or %q)", mode, Fast, Immediate)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dir == "" {
		return errors.New("restarting Postgres: it was stopped for good")
	}
	if p.server != nil {
		err := p.server.stop(ctx, signal)
		p.server = nil
		if err != nil {
			return fmt.Errorf("restarting Postgres: stopping it: %w", err)
		}
	}
	server, err := p.serve(ctx)
	if err != nil {
		return fmt.Errorf("restarting Postgres: %w", err)
	}
	p.server = server
	return nil
}

// Stop ends the server, fast if it can and immediately if not, and removes a
// temporary directory. A second Stop does nothing.
func (p *Postgres) Stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dir == "" {
		return nil
	}
	if err := p.release(); err != nil {
		return fmt.Errorf("stopping Postgres: %w", err)
	}
	p.logger.Info("postgres stopped", "port", p.port)
	return nil
}

// release gives back whatever of the server and its directory there is.
func (p *Postgres) release() error {
	var errs []error
	if p.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), fastTimeout)
		defer cancel()
		errs = append(errs, p.server.stop(ctx, "INT"))
		p.server = nil
	}
	if p.keeper != nil {
		errs = append(errs, p.keeper.release())
		p.keeper = nil
	}
	p.dir = ""
	return errors.Join(errs...)
}
