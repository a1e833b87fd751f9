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

// Config is what a [Store] needs. A process that runs no onboardings, such as a command, needs the
// database's URL alone.
type Config struct {
	// DatabaseURL is a postgres:// URL with any parameters of pgxpool. Without pool_max_conns the
	// pool has defaultConns connections. A replica has one more, outside of the pool.
	DatabaseURL string
	// Logger is slog.Default if nil.
	Logger *slog.Logger
	// Now is the process's clock, time.Now if nil. Times in the ledger are the database's.
	Now func() time.Time

	// Advance takes an onboarding as far as it goes. The ledger is bound to one job, and is used
	// with ctx or contexts derived from it. Advance returns soon after ctx ends.
	Advance func(ctx context.Context, ledger onboarding.Ledger, id onboarding.ID) error
	// Workers is how many onboardings this process runs at once, 1 to 10,000.
	Workers int
	// ReplicaName is for people, such as the host's name. Two processes may have the same.
	ReplicaName string
	// StaleAfter is how long a replica may be silent before the others rescue its onboardings,
	// although its connection stands: its process is paused, or its network is cut.
	StaleAfter time.Duration
	// CallbackRetention is the age at which callbacks are deleted.
	CallbackRetention time.Duration
}

const (
	defaultConns = 10
	// A process that is paused within a transaction has the lock of an onboarding's row for this
	// long at most.
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
	// lookups gathers the reads that requests and callbacks begin with. They are apart from the
	// writes, because they wait for no lock and no disk.
	lookups *groupCommit
	replica *replica
}

// Store implements [onboarding.InterruptibleRepository], and a [Ledger] is an [onboarding.Ledger].
var (
	_ onboarding.InterruptibleRepository = (*Store)(nil)
	_ onboarding.Ledger                  = (*Ledger)(nil)
)

// Open returns a store on a database that it can reach. It runs no onboardings before
// [Store.Start].
func Open(ctx context.Context, config Config) (*Store, error) {
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	schema, err := latestSchemaVersion()
	if err != nil {
		return nil, err
	}
	pool, err := openPool(ctx, config.DatabaseURL)
	if err != nil {
		return nil, err
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

// openPool returns a pool of connections to a database that answers.
func openPool(ctx context.Context, databaseURL string) (*pgxpool.Pool, error) {
	poolConfig, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", err)
	}
	if !strings.Contains(databaseURL, "pool_max_conns") {
		poolConfig.MaxConns = defaultConns
	}
	setDefault(poolConfig.ConnConfig.RuntimeParams, "application_name", "attestd")
	setDefault(poolConfig.ConnConfig.RuntimeParams, "idle_in_transaction_session_timeout", idleInTransactionTimeout)
	// A session caches its plans. A plan that was made while a table was small reads all of the
	// table, and still does when the table has grown, until autovacuum analyzes it: too late for a
	// burst of onboardings. All that is asked for often is found by an index, so sequential scans
	// are off. Their costs then say nothing, and must not call for a compilation. The alternative,
	// to plan each statement anew (plan_cache_mode), was measured: it costs Postgres 40 % more CPU
	// time.
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
	return pool, nil
}

func setDefault(params map[string]string, name, value string) {
	if _, set := params[name]; !set {
		params[name] = value
	}
}

// clientID names this process among all that ever ran on the database, in at most 100 characters,
// as River asks.
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

// Start makes this process a replica until [Store.Stop]: it shows the others that it lives, rescues
// the onboardings of those that do not, and runs onboardings. ctx bounds the start alone.
func (s *Store) Start(ctx context.Context) error {
	if s.config.Advance == nil || s.config.StaleAfter <= 0 || s.config.CallbackRetention <= 0 {
		return errors.New("start the store: a replica needs Advance, StaleAfter and CallbackRetention")
	}
	// The replica is registered before it has jobs: the others would rescue the jobs of a client
	// that is not on the list.
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

// Stop begins no more runs and waits for those under way. If ctx ends first they go on, and
// [Store.StopNow] is to be called next.
func (s *Store) Stop(ctx context.Context) error {
	if s.replica == nil {
		return nil
	}
	if err := s.river.Stop(ctx); err != nil {
		return fmt.Errorf("wait for runs to end: %w", err)
	}
	return s.endReplica(ctx)
}

// StopNow cancels the runs under way and waits for them to return. Other replicas may run their
// onboardings at once.
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
		return fmt.Errorf("remove this replica from the list: %w", err)
	}
	return nil
}

// Close closes the connections. A store that was started must have been stopped.
func (s *Store) Close() {
	s.group.close()
	s.lookups.close()
	s.pool.Close()
}

// Ping returns an error unless the database answers and has the schema of this build.
func (s *Store) Ping(ctx context.Context) error {
	at, err := s.queries.SchemaVersion(ctx)
	switch {
	case hasCode(err, undefinedTable) || errors.Is(err, pgx.ErrNoRows):
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

// inTx runs do in a transaction. The transaction is committed if do returns nil.
func (s *Store) inTx(ctx context.Context, do func(q *db.Queries) error) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return do(s.queries.WithTx(tx)) })
}

// The error codes of Postgres that are told apart.
const (
	uniqueViolation     = "23505"
	foreignKeyViolation = "23503"
	undefinedTable      = "42P01"
)

func hasCode(err error, code string) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == code
}
