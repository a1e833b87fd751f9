package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/attestd/attestd/internal/store/internal/db"
)

// statements are some that belong together and are sent together. They are named twice, by calls of the same generated methods in the same
// order: queue calls them for their text, when they have no results yet, and read for their results.
type statements struct {
	queue func(q *db.Queries)
	read  func(q *db.Queries) error
}

// oneStatement sends what do asks for. Do is called twice, the first time for the text of its statement: then it is answered with an error, at
// which it returns.
func oneStatement(do func(q *db.Queries) error) statements {
	return statements{queue: func(q *db.Queries) { _ = do(q) }, read: do}
}

var noStatements = oneStatement(func(*db.Queries) error { return nil })

// send sends all statements in one round trip and, outside of a transaction, as one transaction. It returns what the reads returned, and in
// err whether all was committed.
func send(ctx context.Context, to interface {
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
}, all ...statements,
) (read []error, err error) {
	var batch pgx.Batch
	queued := make([]int, len(all))
	for i, s := range all {
		before := batch.Len()
		s.queue(db.New(queue{&batch}))
		queued[i] = batch.Len() - before
	}
	results := &inOrder{results: to.SendBatch(ctx, &batch)}
	read = make([]error, len(all))
	for i, s := range all {
		results.left = queued[i]
		read[i] = s.read(db.New(results))
		for results.left > 0 { // What was not asked for any more is not for the next to read.
			_, _ = results.Exec(ctx, "")
		}
	}
	return read, results.results.Close() // Committed when the end is read.
}

// queue takes the statements of generated methods and answers none of them.
type queue struct{ batch *pgx.Batch }

var errQueued = errors.New("queued, not sent yet")

func (q queue) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	q.batch.Queue(sql, args...)
	return pgconn.CommandTag{}, errQueued
}

func (q queue) Query(_ context.Context, sql string, args ...any) (pgx.Rows, error) {
	q.batch.Queue(sql, args...)
	return nil, errQueued
}

func (q queue) QueryRow(_ context.Context, sql string, args ...any) pgx.Row {
	q.batch.Queue(sql, args...)
	return queuedRow{}
}

type queuedRow struct{}

// Scan implements pgx.Row.
func (queuedRow) Scan(...any) error { return errQueued }

// inOrder has the results of statements for generated methods that are called in the order in which these were queued.
type inOrder struct {
	results pgx.BatchResults
	left    int
}

func (r *inOrder) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	r.left--
	return r.results.Exec()
}

func (r *inOrder) Query(context.Context, string, ...any) (pgx.Rows, error) {
	r.left--
	return r.results.Query()
}

func (r *inOrder) QueryRow(context.Context, string, ...any) pgx.Row {
	r.left--
	return r.results.QueryRow()
}
