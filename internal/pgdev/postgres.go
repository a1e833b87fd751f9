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
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	superuser = "postgres"

	// startTimeout bounds one start of a server on an initialised directory:
	// generous, because after a crash it replays its log first.
	startTimeout = 60 * time.Second

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

// openDir makes p.dir ready: the caller's directory, or a temporary one that
// the server's account owns and a keeper removes.
func (p *Postgres) openDir() error {
	if p.options.Dir == "" {
		k, err := keepTempDir(p.account, tempParents(p.options.Durable))
		if err != nil {
			return err
		}
		p.keeper, p.dir = k, k.dir
		return nil
	}
	dir, err := filepath.Abs(p.options.Dir)
	if err != nil {
		return fmt.Errorf("resolving the directory: %w", err)
	}
	p.dir = dir
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return fmt.Errorf("making the directory: %w", err)
	}
	if err := os.Mkdir(p.dataDir(), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making the data directory: %w", err)
	}
	if err := p.account.own(p.dataDir()); err != nil {
		return fmt.Errorf("giving the data directory to %s: %w", p.account, err)
	}
	if err := p.account.canEnter(p.dataDir()); err != nil {
		return fmt.Errorf("the server runs as %s, who cannot enter %s (open its parent directories to that user or choose another): %w",
			p.account, p.dataDir(), err)
	}
	return nil
}

func (p *Postgres) dataDir() string { return filepath.Join(p.dir, "data") }

// LogFile is the path of the file that Postgres writes its log to.
func (p *Postgres) LogFile() string { return filepath.Join(p.dir, "postgres.log") }

// Dir is the directory that holds all that the server writes.
func (p *Postgres) Dir() string { return p.dir }

// initialise runs initdb, unless the directory holds a cluster already.
func (p *Postgres) initialise(ctx context.Context) error {
	passwordFile := filepath.Join(p.dir, "password")
	if _, err := os.Stat(filepath.Join(p.dataDir(), "PG_VERSION")); err == nil {
		password, err := os.ReadFile(passwordFile)
		if err != nil {
			return fmt.Errorf("reading the password of the existing cluster: %w", err)
		}
		p.password = strings.TrimSpace(string(password))
		return nil
	}
	p.password = rand.Text()
	if err := os.WriteFile(passwordFile, []byte(p.password+"\n"), 0o600); err != nil {
		return fmt.Errorf("writing the password file: %w", err)
	}
	secret, err := verifier(p.password)
	if err != nil {
		return err
	}
	verifierFile := filepath.Join(p.dir, "verifier")
	if err := os.WriteFile(verifierFile, []byte(secret+"\n"), 0o600); err != nil {
		return fmt.Errorf("writing the verifier file: %w", err)
	}
	if err := p.account.own(verifierFile); err != nil {
		return fmt.Errorf("giving the verifier file to %s: %w", p.account, err)
	}
	// Nothing is synced here even for a durable server: a cluster that the
	// machine lost while making it is made again.
	initdb, err := p.run("initdb",
		"--pgdata="+p.dataDir(), "--username="+superuser, "--pwfile="+verifierFile,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	if err != nil {
		return err
	}
	if err := initdb.wait(ctx); err != nil {
		return errors.Join(fmt.Errorf("waiting for initdb: %w", err), initdb.end())
	}
	if err := initdb.end(); err != nil {
		return fmt.Errorf("initdb in %s: %w: %s", p.dataDir(), err, p.logTail())
	}
	if err := os.Remove(verifierFile); err != nil {
		return fmt.Errorf("removing the verifier file: %w", err)
	}
	return nil
}

// serve starts the server process and waits until it takes connections.
func (p *Postgres) serve(ctx context.Context) (*guarded, error) {
	args := []string{"-D", p.dataDir()}
	settings := p.settings()
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	began := time.Now()
	server, err := p.run("postgres", args...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		conn, connectErr := pgconn.Connect(ctx, p.URL(""))
		if connectErr == nil {
			connectErr = conn.Close(ctx)
		}
		if connectErr == nil {
			p.logger.InfoContext(ctx, "postgres started", "bin_dir", p.binDir, "dir", p.dir, "port", p.port, "took", time.Since(began))
			return server, nil
		}
		if ctx.Err() != nil {
			return nil, errors.Join(fmt.Errorf("waiting for the server to take connections: %w (last: %w): %s", ctx.Err(), connectErr, p.logTail()), server.end())
		}
		// Refused is what a starting server does; ended is final.
		if server.waitFor(ctx, 10*time.Millisecond) {
			return nil, errors.Join(fmt.Errorf("the server ended while starting: %s", p.logTail()), server.end())
		}
	}
}

// settings are the server's parameters, the caller's last.
func (p *Postgres) settings() map[string]string {
	settings := map[string]string{
		"listen_addresses":        "127.0.0.1",
		"port":                    strconv.Itoa(p.port),
		"unix_socket_directories": "",
		"max_connections":         "200",
		"shared_buffers":          "64MB",
	}
	if !p.options.Durable {
		// Commits stay synchronous: asynchronous ones are lost when
		// Postgres itself is killed, which tests do.
		maps.Copy(settings, map[string]string{
			"fsync":            "off",
			"full_page_writes": "off",
			"shared_buffers":   "32MB",
			"max_wal_size":     "256MB", // it may lie in memory
		})
	}
	maps.Copy(settings, p.options.Settings)
	return settings
}

// run starts one of Postgres' programs under guard, writing to the log file.
func (p *Postgres) run(program string, args ...string) (*guarded, error) {
	log, err := os.OpenFile(p.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", program, err)
	}
	defer log.Close()
	g, err := startGuarded(p.account, p.keeper, log, append([]string{filepath.Join(p.binDir, program)}, args...))
	if err != nil {
		return nil, fmt.Errorf("running %s: %w", program, err)
	}
	return g, nil
}

// logTail is the end of the log: what an error shows of a program that failed.
func (p *Postgres) logTail() string {
	const lines = 10
	log, err := os.ReadFile(p.LogFile())
	if err != nil {
		return "(no log: " + err.Error() + ")"
	}
	all := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// URL is the DATABASE_URL of one of the server's databases, as its superuser.
// Empty means the database that every server has, postgres. It stays the same
// across Restart.
func (p *Postgres) URL(database string) string {
	if database == "" {
		database = "postgres"
	}
	return (&url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, p.password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}).String()
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

// choosePort returns want, or a free loopback port. It lies below the ranges
// that Linux and macOS take outgoing connections' ports from, so that none of
// those sits on it while a server restarts.
func choosePort(ctx context.Context, want int) (int, error) {
	if want != 0 {
		return want, nil
	}
	const lowest, highest, attempts = 15000, 32000, 100
	for range attempts {
		offset, err := rand.Int(rand.Reader, big.NewInt(highest-lowest))
		if err != nil {
			return 0, fmt.Errorf("choosing a port: %w", err)
		}
		port := lowest + int(offset.Int64())
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue // taken
		}
		if err := listener.Close(); err != nil {
			return 0, fmt.Errorf("choosing a port: %w", err)
		}
		return port, nil
	}
	return 0, fmt.Errorf("choosing a port: none of %d tried between %d and %d is free", attempts, lowest, highest)
}
