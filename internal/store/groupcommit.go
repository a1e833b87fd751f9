package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// groupCommit writes what many do with many onboardings in common transactions: while one commits,
// what comes meanwhile gathers for the next. Who is alone is written at once.
//
// A transaction is one round trip of a few statements, each for all requests of the group. Each write
// is fenced by itself (invariant 3), and its caller goes on only once the transaction has committed
// (invariant 1).
//
// Beginning a statement costs Postgres as much as a row or two of what it writes. cmd/bench was run with
// simpler forms: the statements of each onboarding by themselves in the common transaction came to 0.28
// of the bare loop's throughput where this comes to 0.43, and a transaction for each to less.
type groupCommit struct {
	pool    *pgxpool.Pool
	queue   chan *pendingWrite
	turn    chan struct{} // has one in it while no writer has the turn
	stopped chan struct{}
	writers sync.WaitGroup
}

const (
	// One writer at a time makes the largest groups, and so the fewest transactions. When a
	// transaction takes longer than this, because somebody has a row's lock or the disk is slow, the
	// next is sent beside it: only what is in the slow one waits.
	groupPatience = 100 * time.Millisecond
	groupWriters  = 4
	// The most writes in one transaction. All of them wait for the slowest.
	groupMost = 64
	// A transaction that takes longer is given up; runners claim anew and see what was written.
	groupTimeout = 10 * time.Second
)

// pendingWrite is what a caller asks for, in one transaction, and waits for.
type pendingWrite struct {
	// id is the onboarding whose row is locked first; "" for none.
	id       onboarding.ID
	requests []request
	// result has room: the writer never waits for the caller.
	result chan error
}

func newGroupCommit(pool *pgxpool.Pool) *groupCommit {
	g := &groupCommit{
		pool: pool, queue: make(chan *pendingWrite, groupMost), turn: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	g.turn <- struct{}{}
	for range groupWriters {
		g.writers.Go(g.serve)
	}
	return g
}

// close ends the writers when their transactions have ended. Nothing may be written any more.
func (g *groupCommit) close() {
	close(g.stopped)
	g.writers.Wait()
}

var errGroupClosed = errors.New("the store is closed")

// write returns once all requests are committed, or why they are not. After an error that is not
// Postgres' nobody knows what was written, and answers may still be set: they may be looked at only
// after nil.
func (g *groupCommit) write(ctx context.Context, id onboarding.ID, requests ...request) error {
	w := &pendingWrite{id: id, requests: requests, result: make(chan error, 1)}
	select {
	case g.queue <- w:
	case <-g.stopped:
		return errGroupClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-w.result:
		return err
	case <-g.stopped:
		return errGroupClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// serve writes whenever it has the turn. It passes the turn on when it has written, or earlier if
// that takes long.
func (g *groupCommit) serve() {
	for {
		select {
		case <-g.stopped:
			return
		case <-g.turn:
		}
		select {
		case <-g.stopped:
			return
		case first := <-g.queue:
			group := g.gather(first)
			passOn := sync.OnceFunc(func() { g.turn <- struct{}{} })
			late := time.AfterFunc(groupPatience, passOn)
			g.commit(group)
			late.Stop()
			passOn()
		}
	}
}

// gather returns the first with all that wait.
func (g *groupCommit) gather(first *pendingWrite) []*pendingWrite {
	group := []*pendingWrite{first}
	for len(group) < groupMost {
		select {
		case next := <-g.queue:
			group = append(group, next)
			continue
		default:
		}
		break
	}
	return group
}

// commit writes all in one transaction. If Postgres refuses it, each is written by itself, so that
// one's fault is not another's.
func (g *groupCommit) commit(group []*pendingWrite) {
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	group, later := oneOfEach(group)
	err := g.send(ctx, group)
	if len(group) > 1 && isRefused(err) {
		for _, w := range group {
			w.result <- g.send(ctx, []*pendingWrite{w})
		}
	} else {
		for _, w := range group {
			w.result <- err
		}
	}
	if len(later) > 0 {
		g.commit(later)
	}
}

// oneOfEach puts off what asks a statement for what another asks it for already, such as a second
// claim of an onboarding by a run that was given up: one statement updates a row once.
func oneOfEach(group []*pendingWrite) (now, later []*pendingWrite) {
	asked := make(map[onboarding.ID]bool, len(group))
	for _, w := range group {
		if w.isRun() && asked[w.id] {
			later = append(later, w)
			continue
		}
		asked[w.id] = asked[w.id] || w.isRun()
		now = append(now, w)
	}
	return now, later
}

// isRun tells whether a runner asks.
func (w *pendingWrite) isRun() bool {
	return slices.ContainsFunc(w.requests, func(r request) bool {
		return r.statement() == writeChanges || r.statement() == claimOnboardings || r.statement() == releaseOnboardings
	})
}

// send writes a group in one transaction: the statements of a batch are one outside of any other. The
// rows are locked in the order of their IDs: so two transactions do not wait for each other in a
// circle.
func (g *groupCommit) send(ctx context.Context, group []*pendingWrite) error {
	var ids []string
	var requests []request
	for _, w := range group {
		if w.id != "" {
			ids = append(ids, string(w.id))
		}
		requests = append(requests, w.requests...)
	}
	var batch pgx.Batch
	if len(ids) > 0 {
		slices.Sort(ids)
		queueExec(&batch, func(ctx context.Context, q *db.Queries) { _ = q.LockOnboardings(ctx, ids) })
	}
	queueAll(&batch, requests)
	return g.pool.SendBatch(ctx, &batch).Close()
}

// isRefused tells whether Postgres answered with an error.
func isRefused(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused)
}
