package pgdev

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// serve starts the server process and waits until it accepts connections.
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
		// A server that is starting refuses connections. One that has ended will not start.
		if server.waitFor(ctx, 10*time.Millisecond) {
			return nil, errors.Join(fmt.Errorf("the server ended while starting: %s", p.logTail()), server.end())
		}
	}
}

// settings are the parameters of the server. Those of the caller come last.
func (p *Postgres) settings() map[string]string {
	settings := map[string]string{
		"listen_addresses":        "127.0.0.1",
		"port":                    strconv.Itoa(p.port),
		"unix_socket_directories": "",
		"max_connections":         "200",
		"shared_buffers":          "64MB",
	}
	if !p.options.Durable {
		// Commits stay synchronous. Asynchronous ones are lost when Postgres is killed, which tests
		// do.
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

// run starts a program of Postgres under guard, with the log as its output.
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

// URL is the DATABASE_URL of one of the databases, as its superuser. Empty means the database
// postgres, which every server has. Restart does not change it.
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
