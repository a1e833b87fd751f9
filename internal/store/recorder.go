package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/attestd/attestd/internal/store/internal/db"
)

// recorder writes the changes of many runners in common transactions: while one commits, those that come meanwhile gather for the next. A
// transaction costs Postgres more than the change in it, so under load this is what an onboarding's price depends on; a runner that is
// alone is written at once.
//
// Each change is fenced by its own epoch (invariant 3), and its runner goes on only once the transaction has committed (invariant 1).
type recorder struct {
	queries *db.Queries
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
	params db.RecordChangeParams
	// result has room: the writer never waits for the runner.
	result chan recorded
}

type recorded struct {
	written bool
	err     error
}

func newRecorder(queries *db.Queries) *recorder {
	r := &recorder{queries: queries, queue: make(chan *recording, recordMost), stopped: make(chan struct{})}
	for range recordWriters {
		r.writers.Go(r.write)
	}
	return r
}

// close ends the writers when they are done with what they hold. Nothing may be recorded any more.
func (r *recorder) close() {
	close(r.stopped)
	r.writers.Wait()
}

var errRecorderClosed = errors.New("the store is closed")

// record returns whether the change was written: not if its epoch is not the newest. After an error nobody knows.
func (r *recorder) record(ctx context.Context, params db.RecordChangeParams) (bool, error) {
	change := &recording{params: params, result: make(chan recorded, 1)}
	select {
	case r.queue <- change:
	case <-r.stopped:
		return false, errRecorderClosed
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	select {
	case result := <-change.result:
		return result.written, result.err
	case <-r.stopped:
		return false, errRecorderClosed
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

func (r *recorder) write() {
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
	slices.SortStableFunc(together, func(a, b *recording) int { return cmp.Compare(a.params.ID, b.params.ID) })
	return together
}

// commit writes the changes in one transaction. If Postgres refuses one of them, each is written by itself, so that one runner's fault is
// not another's.
func (r *recorder) commit(together []*recording) {
	ctx, cancel := context.WithTimeout(context.Background(), recordTimeout)
	defer cancel()
	all := make([]db.RecordChangeParams, len(together))
	for i, change := range together {
		all[i] = change.params
	}
	results := make([]recorded, len(together))
	batch := r.queries.RecordChange(ctx, all)
	var refused bool
	batch.QueryRow(func(i int, rows int64, err error) {
		var answered *pgconn.PgError
		refused = refused || errors.As(err, &answered)
		results[i] = recorded{written: rows > 0, err: err}
	})
	// The batch is committed when its end is read.
	closeErr := batch.Close()
	if refused && len(together) > 1 {
		for _, change := range together {
			r.commit([]*recording{change})
		}
		return
	}
	for i, change := range together {
		if results[i].err == nil {
			results[i].err = closeErr
		}
		change.result <- results[i]
	}
}
