package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// Config is what a [Store] needs.
type Config struct {
	// DatabaseURL is a postgres:// URL with any parameters of pgxpool. Without pool_max_conns the pool has defaultConns connections; one
	// more is opened outside of it.
	DatabaseURL string
	// Advance takes an onboarding as far as it goes. It uses the ledger, which is bound to one job, with ctx or contexts derived from it,
	// and it ends soon after ctx does. Nil for a process that runs no onboardings: then Start fails and all else works.
	Advance func(ctx context.Context, ledger onboarding.Ledger, id onboarding.ID) error
	// Workers is how many onboardings this process runs at once, 1 to 10,000.
	Workers int
	// ReplicaName is for people, such as the host's name. Two processes may share one.
	ReplicaName string
	// Logger is slog.Default if nil.
	Logger *slog.Logger
	// StaleAfter is how long a replica may be silent before the others take over what it runs, although its connection stands: its
	// process is paused, or its network is cut. 10 s if zero.
	StaleAfter time.Duration
	// CallbackRetention is how long callbacks are kept; DefaultCallbackRetention if zero.
	CallbackRetention time.Duration
}

const (
	defaultConns      = 10
	defaultStaleAfter = 4 * time.Second
	// A process that is paused within a transaction must not hold the lock of an onboarding's row for longer than this.
	idleInTransactionTimeout = "5s"
)

// Store is Postgres as attestd uses it. Make one with [Open].
type Store struct {
	config   Config
	timing   timing
	log      *slog.Logger
	clientID string
	schema   uint
	pool     *pgxpool.Pool
	queries  *db.Queries
	river    *riverClient
	group    *groupCommit
	// lookups are what requests and callbacks begin with, gathered likewise, and apart from the writes: they wait for no lock and no disk, and
	// whoever has no key and knows no token holds up nothing but others like him.
	lookups *groupCommit
	replica *replica
}

// Store implements [onboarding.Repository], and a [Ledger] is an [onboarding.Ledger].
var (
	_ onboarding.InterruptibleRepository = (*Store)(nil)
	_ onboarding.Ledger                  = (*Ledger)(nil)
)

// Open returns a store on a database that it can reach. It runs nothing before [Store.Start].
func Open(ctx context.Context, config Config) (*Store, error) {
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	if config.StaleAfter == 0 {
		config.StaleAfter = defaultStaleAfter
	}
	if config.CallbackRetention == 0 {
		config.CallbackRetention = DefaultCallbackRetention
	}
	schema, err := LatestSchemaVersion()
	if err != nil {
		return nil, err
	}
	poolConfig, err := pgxpool.ParseConfig(config.DatabaseURL)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", err)
	}
	if !strings.Contains(config.DatabaseURL, "pool_max_conns") {
		poolConfig.MaxConns = defaultConns
	}
	setDefault(poolConfig.ConnConfig.RuntimeParams, "application_name", "attestd")
	setDefault(poolConfig.ConnConfig.RuntimeParams, "idle_in_transaction_session_timeout", idleInTransactionTimeout)
	// A session caches its plans. A plan that was made while a table was small reads all of the table,
	// and still does when the table has grown, until autovacuum analyzes it: too late for a burst of
	// onboardings. All that is asked for often is found by an index, so sequential scans are off. Their
	// costs then say nothing, and must not call for a compilation. The alternative, to plan each
	// statement anew (plan_cache_mode), was measured: it costs Postgres 40 % more CPU time.
	setDefault(poolConfig.ConnConfig.RuntimeParams, "enable_seqscan", "off")
	setDefault(poolConfig.ConnConfig.RuntimeParams, "jit", "off")
	pool, err := pgxpool.NewWithConfig(ctx, poolConfig)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	s := &Store{
		config:   config,
		timing:   defaultTiming,
		log:      config.Logger,
		clientID: clientID(config.ReplicaName),
		schema:   schema,
		pool:     pool,
		queries:  db.New(pool),
	}
	if s.river, err = s.newRiver(); err != nil {
		pool.Close()
		return nil, err
	}
	s.group, s.lookups = newGroupCommit(s.pool), newGroupCommit(s.pool)
	return s, nil
}

func setDefault(params map[string]string, name, value string) {
	if _, set := params[name]; !set {
		params[name] = value
	}
}

// clientID names this process among all that ever ran on the database, as River asks: at most 100 characters.
func clientID(replicaName string) string {
	const most = 60
	if len(replicaName) > most {
		replicaName = replicaName[:most]
	}
	if replicaName == "" {
		replicaName = "attestd"
	}
	return replicaName + "-" + rand.Text()
}

// Start makes this process a replica: it shows the others that it lives, takes over from those that do not, and runs onboardings until
// [Store.Stop]. ctx bounds the start alone.
func (s *Store) Start(ctx context.Context) error {
	if s.config.Advance == nil {
		return errors.New("start the store: there is nothing to run onboardings with")
	}
	// The others must know this replica before it has jobs, or they would take them away.
	r, err := startReplica(ctx, s)
	if err != nil {
		return fmt.Errorf("register this replica: %w", err)
	}
	if err := s.river.Start(context.WithoutCancel(ctx)); err != nil {
		return errors.Join(fmt.Errorf("start River: %w", err), r.stop(ctx))
	}
	s.replica = r
	return nil
}

// Stop takes no new work and waits for the runs under way. If ctx ends first they go on, and [Store.StopNow] is the next thing to call.
func (s *Store) Stop(ctx context.Context) error {
	if s.replica == nil {
		return nil
	}
	if err := s.river.Stop(ctx); err != nil {
		return fmt.Errorf("wait for runs to end: %w", err)
	}
	return s.endReplica(ctx)
}

// StopNow cancels the runs under way and waits for them to return. Their onboardings are free for other replicas at once.
func (s *Store) StopNow(ctx context.Context) error {
	if s.replica == nil {
		return nil
	}
	err := s.river.StopAndCancel(ctx)
	if err != nil {
		err = fmt.Errorf("cut runs short: %w", err)
	}
	return errors.Join(err, s.endReplica(ctx))
}

func (s *Store) endReplica(ctx context.Context) error {
	r := s.replica
	s.replica = nil
	if err := r.stop(ctx); err != nil {
		return fmt.Errorf("take this replica off the list: %w", err)
	}
	return nil
}

// Close closes the connections. The store must have been stopped if it was started.
func (s *Store) Close() {
	s.group.close()
	s.lookups.close()
	s.pool.Close()
}

// Ping says whether the database answers and has the schema of this build.
func (s *Store) Ping(ctx context.Context) error {
	at, err := s.queries.SchemaVersion(ctx)
	switch {
	case isUndefinedTable(err) || errors.Is(err, pgx.ErrNoRows):
		return errors.New("the database is not migrated")
	case err != nil:
		return fmt.Errorf("read the schema's version: %w", err)
	case at.Dirty:
		return fmt.Errorf("migration %d of the database failed half-way", at.Version)
	case at.Version < 0 || uint64(at.Version) != uint64(s.schema):
		return fmt.Errorf("the database is at migration %d, this build needs %d", at.Version, s.schema)
	}
	return nil
}

// inTx runs do in a transaction that is committed if it returns nil.
func (s *Store) inTx(ctx context.Context, do func(q *db.Queries) error) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return do(s.queries.WithTx(tx)) })
}

const (
	uniqueViolation     = "23505"
	foreignKeyViolation = "23503"
	undefinedTable      = "42P01"
)

func hasCode(err error, code string) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == code
}

func isUndefinedTable(err error) bool { return hasCode(err, undefinedTable) }
