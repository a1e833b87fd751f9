package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// groupCommit writes what many do with many onboardings in common transactions: while one commits, what comes meanwhile gathers for the
// next. A transaction and its round trip cost more than most of what is written in it, so under load this is what an onboarding's price
// depends on; who is alone is written at once.
//
// Each kind of write is one statement for all who ask for it, or a few: beginning a statement costs as much as a row or two of what it writes.
// Each write is fenced by itself (invariant 3), and whoever asked for it goes on only once the transaction has committed (invariant 1).
type groupCommit struct {
	pool    *pgxpool.Pool
	queue   chan *pendingWrite
	turn    chan struct{} // has one in it while no writer has the turn
	stopped chan struct{}
	writers sync.WaitGroup
}

const (
	// One writer at a time makes the largest groups, and so the fewest transactions. The others are there for when it takes longer than this,
	// because somebody holds a row's lock or the disk is slow: what is in one transaction waits for its slowest, and nothing else is to.
	groupPatience = 100 * time.Millisecond
	groupWriters  = 4
	// The most writes in one transaction. All of them wait for the slowest.
	groupMost = 64
	// A transaction that takes longer is given up; runners claim anew and see what was written.
	groupTimeout = 10 * time.Second
)

// pendingWrite is what somebody asks for, with one onboarding, and waits for: whatever of this there is, in this order.
type pendingWrite struct {
	id       onboarding.ID
	change   *fenced
	claim    *claim
	ending   *ending
	delivery *delivery
	lookup   *tokenLookup
	// own are statements that lock no row that is there already but that of the one onboarding.
	own *statements

	// err is why one of those before was not written.
	err error
	// result has room: the writer never waits for who asked.
	result chan error
}

func newGroupCommit(pool *pgxpool.Pool) *groupCommit {
	g := &groupCommit{pool: pool, queue: make(chan *pendingWrite, groupMost), turn: make(chan struct{}, 1), stopped: make(chan struct{})}
	g.turn <- struct{}{}
	for range groupWriters {
		g.writers.Go(g.serve)
	}
	return g
}

// close ends the writers when they are done with what they hold. Nothing may be written any more.
func (g *groupCommit) close() {
	close(g.stopped)
	g.writers.Wait()
}

var errGroupClosed = errors.New("the store is closed")

// write returns once all that is asked for is committed, or why it is not. After an error that is not what a statement says nobody knows
// what was written, and results may still be set: they may be looked at only after nil.
func (g *groupCommit) write(ctx context.Context, w pendingWrite) error {
	w.result = make(chan error, 1)
	select {
	case g.queue <- &w:
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

// serve writes whenever it has the turn, which it passes on when it has written, or earlier if that takes long.
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
			together := g.gather(first)
			passOn := sync.OnceFunc(func() { g.turn <- struct{}{} })
			late := time.AfterFunc(groupPatience, passOn)
			g.commit(together)
			late.Stop()
			passOn()
		}
	}
}

// gather takes what is there.
func (g *groupCommit) gather(first *pendingWrite) []*pendingWrite {
	together := []*pendingWrite{first}
	for len(together) < groupMost {
		select {
		case next := <-g.queue:
			together = append(together, next)
			continue
		default:
		}
		break
	}
	return together
}

// commit writes all in one transaction. If Postgres refuses one of them, each is written by itself, so that one's fault is not another's.
func (g *groupCommit) commit(together []*pendingWrite) {
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	together, later := oneRunEach(together)
	common := []statements{lock(ctx, together), changes(ctx, together), claims(ctx, together), endings(ctx, together), deliveries(ctx, together),
		tokenLookups(ctx, together)}
	all := common
	for _, w := range together {
		w.err = nil
		if w.own != nil {
			all = append(all, *w.own)
		} else {
			all = append(all, noStatements)
		}
	}
	read, err := send(ctx, g.pool, all...)
	if len(together) > 1 && slices.ContainsFunc(read, isRefused) {
		for _, w := range together {
			g.commit([]*pendingWrite{w})
		}
	} else {
		own := read[len(common):]
		for i, w := range together {
			w.result <- cmp.Or(cmp.Or(read[:len(common)]...), w.err, own[i], err)
		}
	}
	if len(later) > 0 {
		g.commit(later)
	}
}

// oneRunEach puts off what a second run of an onboarding asks for, such as one that was given up while it waited: one statement updates a row
// once.
func oneRunEach(together []*pendingWrite) (now, later []*pendingWrite) {
	runs := make(map[onboarding.ID]bool, len(together))
	for _, w := range together {
		isRun := w.claim != nil || w.change != nil || w.ending != nil
		if isRun && runs[w.id] {
			later = append(later, w)
			continue
		}
		runs[w.id] = runs[w.id] || isRun
		now = append(now, w)
	}
	return now, later
}

// lock locks the rows of several onboardings in the order of their IDs: two transactions that lock the same rows in the same order do not wait
// for each other in a circle. Of one alone what writes to it locks the row.
func lock(ctx context.Context, together []*pendingWrite) statements {
	var ids []string
	for _, w := range together {
		if w.id != "" {
			ids = append(ids, string(w.id))
		}
	}
	if len(ids) < 2 {
		return noStatements
	}
	slices.Sort(ids)
	return oneStatement(func(q *db.Queries) error { return q.LockOnboardings(ctx, ids) })
}

// isRefused tells whether Postgres answered with an error, and not merely with what was not hoped for.
func isRefused(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused)
}
