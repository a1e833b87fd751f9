package store

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/attestd/attestd/internal/store/internal/db"
)

// together makes what several generated methods send one round trip and, outside of a transaction, one transaction. The methods are called
// with what queries returns; after send the results are read, in the order in which the statements were queued.
type together struct {
	pgx.BatchResults // from send on
	batch            pgx.Batch
}

func (t *together) queries() *db.Queries { return db.New(queueing{t}) }

// send sends what was queued. What was written is committed when finish has returned nil.
func (t *together) send(ctx context.Context, to interface {
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
}) {
	t.BatchResults = to.SendBatch(ctx, &t.batch)
}

func (t *together) finish() error { return t.BatchResults.Close() }

// Close implements pgx.BatchResults: the end of one method's results is not that of all.
func (t *together) Close() error { return nil }

// queueing queues statements whose results, if they have any, are asked for after they were sent.
type queueing struct{ *together }

func (q queueing) SendBatch(_ context.Context, more *pgx.Batch) pgx.BatchResults {
	q.batch.QueuedQueries = append(q.batch.QueuedQueries, more.QueuedQueries...)
	return q.together
}

func (q queueing) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	q.batch.Queue(sql, args...)
	return pgconn.CommandTag{}, nil
}

func (q queueing) Query(context.Context, string, ...any) (pgx.Rows, error) {
	panic("a query whose result is wanted at once cannot be queued")
}

func (q queueing) QueryRow(context.Context, string, ...any) pgx.Row {
	panic("a query whose result is wanted at once cannot be queued")
}
