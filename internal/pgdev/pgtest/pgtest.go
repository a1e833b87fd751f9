// Package pgtest gives each test a Postgres database of its own, on a private
// server that the test process starts when the first test wants it and that
// ends with the process, however it ends. No TestMain is needed.
//
// TEST_DATABASE_URL, when set, names the server to use instead; its user must
// be allowed to create databases. A missing Postgres fails the tests: a suite
// that skips them would pass without having tested.
//
// Start reading at [New]; names.go tells how databases on a server that
// outlives the process are cleared away.
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
	// startTimeout bounds the start of the private server, a download of
	// Postgres included.
	startTimeout = 5 * time.Minute
	// maxConnections is far more than the programs that the server's tests
	// have at once want, each up to eleven.
	maxConnections = "400"
	// dropTimeout bounds the removal of a test's database.
	dropTimeout = 2 * time.Minute

	// objectInUse is Postgres' code for a database that has sessions.
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

// shared is made once, and a failure to make it fails every test that asks.
var shared = sync.OnceValues(func() (*cluster, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	return open(ctx, os.Getenv("TEST_DATABASE_URL"))
})

// template is the process' one migrated database, that New copies.
var template struct {
	once sync.Once
	name string
	err  error
}

// New returns the URL of a fresh database for this test, with the schema that
// migrate makes, dropped when the test ends even if connections are open.
//
// migrate is called once per test process, for the first test, on an empty
// database of which every test then gets a copy: all calls must hand in the
// same function, which must have closed its connections when it returns.
func New(t testing.TB, migrate func(ctx context.Context, databaseURL string) error) string {
	t.Helper()
	c := connect(t)
	template.once.Do(func() { template.name, template.err = c.makeTemplate(t.Context(), migrate) })
	if template.err != nil {
		t.Fatalf("making the template of the test databases: %v", template.err)
	}
	return c.create(t, template.name)
}

// Empty returns the URL of a fresh database without a schema for this test,
// dropped when the test ends even if connections are open.
func Empty(t testing.TB) string {
	t.Helper()
	return connect(t).create(t, "template0")
}

// Server returns the private server that this process' tests share, or nil
// when TEST_DATABASE_URL names another. A test that wants to stop or restart a
// server starts its own with [pgdev.Start].
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

// open returns the cluster of databaseURL, or of a private server if that is
// empty, cleared of what dead processes left there.
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
		// The value may hold a password, so it is not shown.
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

// makeTemplate makes the migrated database and closes it to connections, which
// would stand in the way of copying it.
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

// drop removes a database. Postgres ends its sessions and gives them five
// seconds to go, which is not enough on a machine that is very busy: then it
// refuses, and is asked again.
func (c *cluster) drop(ctx context.Context, name string) error {
	for {
		err := c.exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != objectInUse || ctx.Err() != nil {
			return err
		}
	}
}

// exec runs a statement in the maintenance database, on a connection of its
// own so that tests do not wait for one another.
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
