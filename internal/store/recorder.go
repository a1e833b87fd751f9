package store

import (
	"cmp"
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

// recorder writes the changes of many runners in common transactions: while one commits, those that come meanwhile gather for the next. A
// transaction costs Postgres more than the change in it, so under load this is what an onboarding's price depends on; a runner that is
// alone is written at once.
//
// Each change is fenced by its own epoch (invariant 3), and its runner goes on only once the transaction has committed (invariant 1).
type recorder struct {
	pool    *pgxpool.Pool
	queue   chan *recording
	stopped chan struct{}
	writers sync.WaitGroup
}

const (
	// With a second writer, changes are laid out and sent while the first waits for the disk.
	recordWriters = 2
	// The most changes in one transaction. All of them wait for the slowest.
	recordMost = 64
	// A transaction that takes longer is given up; its runners claim anew and see what was written.
	recordTimeout = 10 * time.Second
)

// recording is a change that waits to be written.
type recording struct {
	change db.RecordChangeParams
	// end, unless nil, ends the run after the change.
	end *db.EndRunParams
	// result has room: the writer never waits for the runner.
	result chan recorded
}

type recorded struct {
	woken bool
	err   error
}

func newRecorder(pool *pgxpool.Pool) *recorder {
	r := &recorder{pool: pool, queue: make(chan *recording, recordMost), stopped: make(chan struct{})}
	for range recordWriters {
		r.writers.Go(r.serve)
	}
	return r
}

// close ends the writers when they are done with what they hold. Nothing may be recorded any more.
func (r *recorder) close() {
	close(r.stopped)
	r.writers.Wait()
}

var errRecorderClosed = errors.New("the store is closed")

// write writes the change and ends the run, if that is asked for and nothing has woken the onboarding. It returns [onboarding.ErrLostPlace]
// where the epoch is not the newest or the job not the onboarding's, and then nothing was written; after any other error nobody knows.
func (r *recorder) write(ctx context.Context, change db.RecordChangeParams, end *db.EndRunParams) (woken bool, err error) {
	waiting := &recording{change: change, end: end, result: make(chan recorded, 1)}
	select {
	case r.queue <- waiting:
	case <-r.stopped:
		return false, errRecorderClosed
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	select {
	case result := <-waiting.result:
		return result.woken, result.err
	case <-r.stopped:
		return false, errRecorderClosed
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

func (r *recorder) serve() {
	for {
		select {
		case <-r.stopped:
			return
		case first := <-r.queue:
			r.commit(r.gather(first))
		}
	}
}

// gather takes what is there, by ID: two transactions that lock the same rows in the same order do not wait for each other in a circle.
func (r *recorder) gather(first *recording) []*recording {
	together := []*recording{first}
	for len(together) < recordMost {
		select {
		case next := <-r.queue:
			together = append(together, next)
			continue
		default:
		}
		break
	}
	slices.SortStableFunc(together, func(a, b *recording) int { return cmp.Compare(a.change.ID, b.change.ID) })
	return together
}

// commit writes the changes in one transaction. If Postgres refuses one of them, each is written by itself, so that one runner's fault is
// not another's.
func (r *recorder) commit(all []*recording) {
	ctx, cancel := context.WithTimeout(context.Background(), recordTimeout)
	defer cancel()
	changes := make([]db.RecordChangeParams, len(all))
	var ending []int // which of them
	var ends []db.EndRunParams
	for i, one := range all {
		changes[i] = one.change
		if one.end != nil {
			ending, ends = append(ending, i), append(ends, *one.end)
		}
	}
	results := make([]recorded, len(all))
	var batch together
	changed, ended := batch.queries().RecordChange(ctx, changes), batch.queries().EndRun(ctx, ends)
	batch.send(ctx, r.pool)
	changed.QueryRow(func(i int, written int64, err error) {
		if err == nil && written == 0 {
			err = onboarding.ErrLostPlace
		}
		results[i].err = err
	})
	ended.QueryRow(func(i int, woken bool, err error) {
		if errors.Is(err, pgx.ErrNoRows) {
			err = onboarding.ErrLostPlace
		}
		result := &results[ending[i]]
		result.woken, result.err = woken, cmp.Or(result.err, err)
	})
	// The batch is committed when its end is read.
	err := batch.finish()
	if hasPgError(results) && len(all) > 1 {
		for _, one := range all {
			r.commit([]*recording{one})
		}
		return
	}
	for i, one := range all {
		results[i].err = cmp.Or(results[i].err, err)
		one.result <- results[i]
	}
}

// hasPgError tells whether Postgres refused a statement.
func hasPgError(results []recorded) bool {
	return slices.ContainsFunc(results, func(r recorded) bool {
		var refused *pgconn.PgError
		return errors.As(r.err, &refused)
	})
}
