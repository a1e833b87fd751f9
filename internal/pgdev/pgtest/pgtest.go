// Package pgtest gives each test a Postgres database of its own. The databases are on a private
// server, which the test process starts with its first database. The server ends with the process,
// however the process ends. No TestMain is needed.
//
// If TEST_DATABASE_URL is set, it names the server to use. Its user must be allowed to create
// databases. Without any Postgres the tests fail: a suite that skipped them would pass without
// having tested.
//
// Start reading at [New]. names.go tells how databases are cleared away on a server that outlives
// the process.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/attestd/attestd/internal/pgdev"
)

const (
	// startTimeout bounds the start of the private server with a download of Postgres.
	startTimeout = 5 * time.Minute
	// maxConnections is far more than the programs of the server's tests use at once.
	maxConnections = "400"
	// dropTimeout bounds the removal of a test's database.
	dropTimeout = 2 * time.Minute

	// objectInUse is the error code of Postgres for a database that has sessions.
	objectInUse = "55006"
)

// cluster is the server that all tests of this process share.
type cluster struct {
	url     *url.URL        // of the maintenance database
	private *pgdev.Postgres // nil when TEST_DATABASE_URL names the server
	run     runID           // marks this process' databases
	lock    *pgx.Conn       // its session holds the run's lock; never used otherwise
	made    atomic.Int64    // databases so far
}

// shared is the cluster of this process. If it cannot be started, every test fails that needs it.
var shared = sync.OnceValues(func() (*cluster, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	return open(ctx, os.Getenv("TEST_DATABASE_URL"))
})

// template is the one migrated database of this process, which New copies.
var template struct {
	once sync.Once
	name string
	err  error
}

// New returns the URL of a fresh database with the schema that migrate makes. The database is
// dropped when the test ends, even if it has open connections.
//
// migrate is called once per test process, on an empty database that all tests then get copies of.
// So all calls must pass the same function. It must have closed its connections when it returns.
func New(t testing.TB, migrate func(ctx context.Context, databaseURL string) error) string {
	t.Helper()
	c := connect(t)
	template.once.Do(func() { template.name, template.err = c.makeTemplate(t.Context(), migrate) })
	if template.err != nil {
		t.Fatalf("making the template of the test databases: %v", template.err)
	}
	return c.create(t, template.name)
}

// Empty returns the URL of a fresh database without a schema. The database is dropped when the test
// ends, even if it has open connections.
func Empty(t testing.TB) string {
	t.Helper()
	return connect(t).create(t, "template0")
}

// Server returns the private server that the tests of this process share, or nil if
// TEST_DATABASE_URL names another. A test that stops or restarts a server starts its own with
// [pgdev.Start].
func Server(t testing.TB) *pgdev.Postgres {
	t.Helper()
	return connect(t).private
}

func connect(t testing.TB) *cluster {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatalf("no Postgres for the tests: %v", err)
	}
	return c
}

// open returns the cluster of databaseURL, or of a private server if that is empty. It drops the
// databases of dead processes.
func open(ctx context.Context, databaseURL string) (*cluster, error) {
	c := &cluster{run: newRunID()}
	if databaseURL == "" {
		server, err := pgdev.Start(ctx, pgdev.Options{Settings: map[string]string{"max_connections": maxConnections}})
		if err != nil {
			return nil, err
		}
		c.private, databaseURL = server, server.URL("")
	}
	parsed, err := url.Parse(databaseURL)
	if err != nil || (parsed.Scheme != "postgres" && parsed.Scheme != "postgresql") {
		// The value may have a password and is not shown.
		return nil, errors.New("TEST_DATABASE_URL is not a URL that begins with postgres://")
	}
	c.url = parsed
	if c.lock, err = pgx.Connect(ctx, databaseURL); err != nil {
		return nil, fmt.Errorf("connecting to the tests' server: %w", err)
	}
	if err := errors.Join(c.run.lock(ctx, c.lock), sweep(ctx, c.lock)); err != nil {
		return nil, errors.Join(err, c.lock.Close(ctx))
	}
	return c, nil
}

// makeTemplate makes the migrated database, and closes it to connections, because a database with
// connections cannot be copied.
func (c *cluster) makeTemplate(ctx context.Context, migrate func(context.Context, string) error) (string, error) {
	name := c.run.database("template")
	if err := c.exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		return "", err
	}
	if err := migrate(ctx, c.databaseURL(name)); err != nil {
		return "", fmt.Errorf("migrating: %w", err)
	}
	return name, c.exec(ctx, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS false")
}

// create makes a database for one test.
func (c *cluster) create(t testing.TB, from string) string {
	t.Helper()
	name := c.run.database(strconv.FormatInt(c.made.Add(1), 10))
	if err := c.exec(t.Context(), "CREATE DATABASE "+name+" TEMPLATE "+from); err != nil {
		t.Fatalf("making the test's database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
		defer cancel()
		if err := c.drop(ctx, name); err != nil {
			t.Errorf("dropping the test's database: %v", err)
		}
	})
	return c.databaseURL(name)
}

// drop removes a database. Postgres ends the sessions of the database and waits five seconds for
// them. On a very busy machine that is too short, and Postgres refuses. Then it is asked again.
func (c *cluster) drop(ctx context.Context, name string) error {
	for {
		err := c.exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != objectInUse || ctx.Err() != nil {
			return err
		}
	}
}

// exec runs a statement in the maintenance database. It opens a connection, so that tests do not
// wait for each other.
func (c *cluster) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, c.url.String())
	if err != nil {
		return fmt.Errorf("connecting to the tests' server: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

func (c *cluster) databaseURL(name string) string {
	u := *c.url
	u.Path = "/" + name
	return u.String()
}
