package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/store/internal/db"
)

// timing is how often a replica does what it does beside running onboardings.
type timing struct {
	// heartbeat is how often it shows that it lives.
	heartbeat time.Duration
	// look is how often it looks after the others, jittered by a tenth. A replica that is silent at
	// two looks in a row is dead.
	look time.Duration
	// sweep is how often it looks for onboardings that no job would run, jittered by a tenth.
	sweep time.Duration
	// expiry is how often it deletes old callbacks, jittered by a tenth.
	expiry time.Duration
	// grace is how long after the server's start a free lock says nothing. The server's end freed
	// all locks.
	grace time.Duration
}

var defaultTiming = timing{
	heartbeat: 500 * time.Millisecond,
	look:      500 * time.Millisecond,
	sweep:     30 * time.Second,
	expiry:    10 * time.Minute,
	grace:     3 * time.Second,
}

const (
	// A statement that needs longer on the replica's own connection means that the connection is
	// lost.
	replicaStatementTimeout = 2 * time.Second
	reconnectDelayMin       = 50 * time.Millisecond
	reconnectDelayMax       = time.Second
)

// replica is this process among the others on the database. Its row and the advisory lock of the
// row's ID show that it lives. The lock belongs to the session of a connection that serves nothing
// else. When the process is gone, the kernel closes the connection, Postgres ends the session, and
// the lock is free.
type replica struct {
	store     *Store
	startedAt time.Time
	cancel    context.CancelFunc
	loops     sync.WaitGroup
	// id is the row's. It changes when the connection is lost, or when the others removed the row.
	id atomic.Int32
	// silent are the replicas whose locks were free, or whose heartbeats had stopped, at the last
	// look. Only look uses it.
	silent map[int32]bool
}

// startReplica registers this process and starts its loops.
func startReplica(ctx context.Context, s *Store) (*replica, error) {
	r := &replica{store: s, startedAt: s.config.Now(), silent: map[int32]bool{}}
	conn, err := r.register(ctx)
	if err != nil {
		return nil, err
	}
	loopCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.cancel = cancel
	r.loops.Go(func() { r.live(loopCtx, conn) })
	r.loops.Go(func() { every(loopCtx, s.timing.look, r.look) })
	r.loops.Go(func() { every(loopCtx, s.timing.sweep, r.sweep) })
	r.loops.Go(func() { every(loopCtx, s.timing.expiry, r.expire) })
	return r, nil
}

// stop ends the loops, waits for them, and deletes the row.
func (r *replica) stop(ctx context.Context) error {
	r.cancel()
	r.loops.Wait()
	if err := r.store.queries.Deregister(ctx, r.store.clientID); err != nil {
		return fmt.Errorf("delete the row of replica %d: %w", r.id.Load(), err)
	}
	return nil
}

// every calls do at intervals that vary by a tenth, so that replicas do not act in step.
func every(ctx context.Context, interval time.Duration, do func(context.Context)) {
	timer := time.NewTimer(jittered(interval))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			do(ctx)
			timer.Reset(jittered(interval))
		}
	}
}

func jittered(d time.Duration) time.Duration {
	return d + rand.N(d/5+1) - d/10 //nolint:gosec // spreads load, guards nothing
}

// live maintains the heartbeat and the lock until ctx ends. When the connection is lost, or the row
// is gone because the others found this replica dead, it registers with a new row. Its onboardings
// may then run elsewhere; only one of the two runners can write (invariant 3).
func (r *replica) live(ctx context.Context, conn *pgx.Conn) {
	// The end of the session frees the lock, even if the session cannot be closed properly.
	defer func() { closeConn(conn) }()
	ticker := time.NewTicker(r.store.timing.heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := r.beat(ctx, conn)
		if err == nil || ctx.Err() != nil {
			continue
		}
		r.store.log.WarnContext(ctx, "replica registers with a new row", slog.Any("error", err))
		closeConn(conn)
		if conn = r.reregister(ctx); conn == nil {
			return
		}
	}
}

var errFoundDead = errors.New("the others found this replica dead")

func (r *replica) beat(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, replicaStatementTimeout)
	defer cancel()
	switch rows, err := db.New(conn).Heartbeat(ctx, r.id.Load()); {
	case err != nil:
		return fmt.Errorf("heartbeat: %w", err)
	case rows == 0:
		return errFoundDead
	default:
		return nil
	}
}

// reregister tries until it succeeds, or returns nil when ctx ends.
func (r *replica) reregister(ctx context.Context) *pgx.Conn {
	for delay := reconnectDelayMin; ; delay = min(2*delay, reconnectDelayMax) {
		conn, err := r.register(ctx)
		if err == nil {
			return conn
		}
		if ctx.Err() == nil {
			r.store.log.WarnContext(ctx, "replica cannot register", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(delay):
		}
	}
}

// register opens the replica's own connection, inserts the row and locks it in one transaction: no
// other replica sees the row without the lock. An earlier row is deleted, for it would look like a
// dead replica.
func (r *replica) register(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*replicaStatementTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, r.connConfig())
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		q := db.New(tx)
		if err := q.Deregister(ctx, r.store.clientID); err != nil {
			return err
		}
		id, err := q.Register(ctx, db.RegisterParams{ClientID: r.store.clientID, StartedAt: timestamptz(r.startedAt)})
		if err != nil {
			return err
		}
		r.id.Store(id)
		return q.LockReplica(ctx, db.LockReplicaParams{Class: replicaLockClass, ID: id})
	})
	if err != nil {
		closeConn(conn)
		return nil, fmt.Errorf("insert the row: %w", err)
	}
	return conn, nil
}

// connConfig is the store's with keep-alives: a machine that loses its power closes no connection.
// By the keep-alives both ends find out within about ten seconds that the other is gone.
func (r *replica) connConfig() *pgx.ConnConfig {
	config := r.store.pool.Config().ConnConfig
	dialer := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 4 * time.Second, Interval: 2 * time.Second, Count: 3}}
	config.DialFunc = dialer.DialContext
	setDefault(config.RuntimeParams, "tcp_keepalives_idle", "4")
	setDefault(config.RuntimeParams, "tcp_keepalives_interval", "2")
	setDefault(config.RuntimeParams, "tcp_keepalives_count", "3")
	return config
}

func closeConn(conn *pgx.Conn) {
	if conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), replicaStatementTimeout)
	defer cancel()
	// Whatever this returns, the socket is closed.
	_ = conn.Close(ctx)
}
