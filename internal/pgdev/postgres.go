// Package pgdev runs a private Postgres server for the demo and the tests. The server has a
// directory of its own and a free loopback port. If the caller is root, it runs as an unprivileged
// user. It never outlives the process that started it.
//
// The package is for Linux and macOS, and no part of the production binary. It knows nothing of the
// content of the databases. Package pgtest adds what tests need.
//
// Start reading at [Start]. guard.go tells why nothing is left behind, even if the owner is killed
// with SIGKILL.
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

	// startTimeout bounds one start of a server. After a crash the start replays the log first.
	startTimeout = 2 * time.Minute

	// fastTimeout is how long Stop waits for a fast shutdown. After it comes an immediate one,
	// which Postgres ends within 5 s.
	fastTimeout = 20 * time.Second

	// portAttempts is how many ports are tried if another process takes the chosen port before the
	// server binds it.
	portAttempts = 5
)

// Options say how [Start] runs Postgres. The zero value is a throwaway server for tests.
type Options struct {
	// BinDir is the directory of initdb and postgres. Empty means to look for one, and to download
	// one if there is none.
	BinDir string

	// Dir has the data of the server, its password and its log. Stop keeps it, and a later Start on
	// it finds the same databases under the same password. Empty means a temporary directory, which
	// is removed when the server stops. It is in memory if there is room, unless the server is
	// durable.
	Dir string

	// Durable makes the server write to disk as in production. Without it a commit is fast. It
	// survives a crash of Postgres, but not one of the machine.
	Durable bool

	// Port is the loopback port to listen on; 0 means any free one.
	Port int

	// Logger gets a line at each start and stop; nil means none. Postgres has a log of its own,
	// LogFile.
	Logger *slog.Logger

	// Settings are parameters of postgresql.conf by name. They win over those that this package
	// sets.
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

// Start finds Postgres, makes a database cluster unless Options.Dir has one, and returns when the
// server accepts connections. The context bounds the start only. The server runs until Stop, or
// until this process ends in any way.
//
// If Options.BinDir is set, Start looks for Postgres only there. Otherwise it looks on PATH, where
// pg_config points, and where Debian, Fedora, Homebrew and others put it, and downloads it if there
// is none. If all of that fails, the error says which package to install.
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

// Restart stops the server and starts it on the same directory and port, so that its URL stays
// valid. It also starts a server that has crashed. After an error the server is stopped, and
// Restart may be tried again.
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

// Stop ends the server, fast or if that takes too long immediately, and removes a temporary
// directory. A second Stop does nothing.
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

// release ends the server and removes the directory, as far as there are any.
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
