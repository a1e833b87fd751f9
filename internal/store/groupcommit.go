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

// groupCommit writes about different onboardings in common transactions. While one transaction
// commits, the writes that come meanwhile gather for the next. A write that is alone is sent at
// once.
//
// A transaction is one round trip of a few statements, each for the requests of the whole group.
// Each write is fenced by itself (invariant 3), and its caller goes on only after the commit
// (invariant 1).
//
// To begin a statement costs Postgres as much as to write a row or two. Simpler forms were measured
// with cmd/bench, in turns on a busy machine, as shares of the bare loop's throughput. This form
// comes to 0.43. With statements of its own for each write, in the common transaction, it is 0.28,
// and with a transaction of its own for each write 0.36, at more than twice Postgres' CPU time.
type groupCommit struct {
	pool    *pgxpool.Pool
	queue   chan *pendingWrite
	turn    chan struct{} // has an element while no writer has the turn
	stopped chan struct{}
	writers sync.WaitGroup
}

const (
	// One writer at a time makes the largest groups, and so the fewest transactions. A transaction
	// may be slow, because another session has a row's lock or because of the disk. After this time
	// the next is sent beside it, so that no other write waits for the slow one.
	groupPatience = 100 * time.Millisecond
	groupWriters  = 4
	// The most writes in one transaction. All of them wait for the slowest.
	groupMost = 64
	// A transaction that needs longer is given up. Its runners fail and are retried: their next
	// claims read what was written.
	groupTimeout = 10 * time.Second
)

// pendingWrite is a caller's requests, for one transaction, while the caller waits.
type pendingWrite struct {
	// id is the onboarding whose row is locked first; "" for none.
	id       onboarding.ID
	requests []request
	// result has a buffer, so that the writer never waits for the caller.
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

// close waits for the transactions under way and ends the writers. No write may come after it.
func (g *groupCommit) close() {
	close(g.stopped)
	g.writers.Wait()
}

var errGroupClosed = errors.New("the store is closed")

// write returns nil once all requests are committed. After an error that is not an answer of
// Postgres it is not known whether they were. The answers may be read only after nil: after an
// error a writer may still set them.
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

// serve sends a group whenever it has the turn. It passes the turn on when the group is committed,
// or after groupPatience.
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

// gather returns the first write with those that wait, up to groupMost.
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

// commit writes a group in one transaction. If Postgres refuses it, each write is sent by itself,
// so that only the faulty one fails.
func (g *groupCommit) commit(group []*pendingWrite) {
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	group, later := oneRunEach(group)
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

// oneRunEach puts off the writes of an onboarding's second run. There is one when a run was given
// up, and its write still waits. A statement can update a row only once.
func oneRunEach(group []*pendingWrite) (now, later []*pendingWrite) {
	runs := make(map[onboarding.ID]bool, len(group))
	for _, w := range group {
		isRun := w.isRun()
		if isRun && runs[w.id] {
			later = append(later, w)
			continue
		}
		runs[w.id] = runs[w.id] || isRun
		now = append(now, w)
	}
	return now, later
}

// isRun tells whether the write is a runner's.
func (w *pendingWrite) isRun() bool {
	return slices.ContainsFunc(w.requests, func(r request) bool {
		s := r.statement()
		return s == writeChanges || s == claimOnboardings || s == releaseOnboardings
	})
}

// send sends a group. Outside of a transaction, the statements of a batch are a transaction. The
// rows are locked in the order of their IDs, so that two transactions do not wait for each other in
// a circle.
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
		ids = slices.Compact(ids)
		queueExec(&batch, func(ctx context.Context, q *db.Queries) { _ = q.LockOnboardings(ctx, ids) })
	}
	queueAll(&batch, requests)
	return g.pool.SendBatch(ctx, &batch).Close()
}

// isRefused tells whether Postgres itself answered with the error.
func isRefused(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused)
}
