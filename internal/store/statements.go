package store

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// statement is one of the statements of a group's transaction. Each is sent once, for all requests
// of the group, in the order of these constants: the change of a run before its release, and
// RunWoken after everything that can wake.
type statement int

const (
	createOnboardings statement = iota
	writeChanges
	claimOnboardings
	readOnboardings
	releaseOnboardings
	storeCallbacks
	runWoken
	findCallbackTokens
	findKeys
	statements // their number
)

// request asks one statement for something: a *question, a *change or a *reading.
type request interface{ statement() statement }

// question asks a statement that takes an array of texts. The statement returns at most one row for
// an ID, with an answer in JSON or with the ID alone.
type question struct {
	of statement
	// id is the onboarding's, or whatever else the statement calls id.
	id string
	// text is the question's element of the array: the ID, or a JSON object.
	text string

	// answered says that the statement returned a row for the ID.
	answered bool
	answer   json.RawMessage
}

func (q *question) statement() statement { return q.of }

// askID asks a statement that takes IDs. The same ID of two questions is sent once.
func askID(s statement, id string) *question { return &question{of: s, id: id, text: id} }

// ask asks a statement that takes JSON objects.
func ask(s statement, id onboarding.ID, object any) *question {
	return &question{of: s, id: string(id), text: encode(object)}
}

// answerRow is a row of a statement that answers questions.
type answerRow struct {
	ID     string
	Answer []byte
}

// queueQuestions queues the statement that answers the questions.
func queueQuestions(batch *pgx.Batch, s statement, questions []*question) {
	texts := make([]string, 0, len(questions))
	of := make(map[string][]*question, len(questions))
	for _, q := range questions {
		q.answered, q.answer = false, nil
		if isID := q.text == q.id; !isID || of[q.id] == nil {
			texts = append(texts, q.text)
		}
		of[q.id] = append(of[q.id], q)
	}
	queue(batch, func(ctx context.Context, q *db.Queries) {
		switch s {
		case createOnboardings:
			_, _ = q.CreateOnboardings(ctx, texts)
		case claimOnboardings:
			_, _ = q.ClaimOnboardings(ctx, texts)
		case releaseOnboardings:
			_, _ = q.ReleaseOnboardings(ctx, texts)
		case storeCallbacks:
			_, _ = q.StoreCallbacks(ctx, texts)
		case runWoken:
			_ = q.RunWoken(ctx, texts)
		case findCallbackTokens:
			_, _ = q.FindCallbackTokens(ctx, texts)
		case findKeys:
			_, _ = q.FindKeys(ctx, texts)
		case writeChanges, readOnboardings, statements:
		}
	}, pgx.RowToStructByNameLax[answerRow], func(r answerRow) error {
		for _, q := range of[r.ID] {
			q.answered, q.answer = true, r.Answer
		}
		return nil
	})
}

// requestsOf are the requests of one statement.
func requestsOf[R request](requests []request, s statement) (some []R) {
	for _, r := range requests {
		if r.statement() == s {
			some = append(some, r.(R))
		}
	}
	return some
}

// queueAll queues the statements of a group.
func queueAll(batch *pgx.Batch, requests []request) {
	for s := range statements {
		switch s {
		case writeChanges:
			if changes := requestsOf[*change](requests, s); len(changes) > 0 {
				queueChanges(batch, changes)
			}
		case readOnboardings:
			if readings := requestsOf[*reading](requests, s); len(readings) > 0 {
				queueReadings(batch, readings)
			}
		default:
			if questions := requestsOf[*question](requests, s); len(questions) > 0 {
				queueQuestions(batch, s, questions)
			}
		}
	}
}

// queue queues the statement of a generated method. call calls the method, for the statement's text
// and arguments. Later each row is scanned by scan and read by each.
func queue[Row any](
	batch *pgx.Batch, call func(ctx context.Context, q *db.Queries), scan pgx.RowToFunc[Row], each func(Row) error,
) {
	call(context.Background(), db.New(queueing{func(sql string, args []any) {
		batch.Queue(sql, args...).Query(func(rows pgx.Rows) error {
			for rows.Next() {
				row, err := scan(rows)
				if err == nil {
					err = each(row)
				}
				if err != nil {
					return err
				}
			}
			return rows.Err()
		})
	}}))
}

// queueExec queues the statement of a generated method whose rows are not read.
func queueExec(batch *pgx.Batch, call func(ctx context.Context, q *db.Queries)) {
	call(context.Background(), db.New(queueing{func(sql string, args []any) { batch.Queue(sql, args...) }}))
}

// queueing is a [db.DBTX] that hands on the text and the arguments of a statement instead of
// running it. The generated method returns errQueued.
type queueing struct{ add func(sql string, args []any) }

var errQueued = errors.New("queued, not sent yet")

func (q queueing) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	q.add(sql, args)
	return pgconn.CommandTag{}, errQueued
}

func (q queueing) Query(_ context.Context, sql string, args ...any) (pgx.Rows, error) {
	q.add(sql, args)
	return nil, errQueued
}

func (q queueing) QueryRow(_ context.Context, sql string, args ...any) pgx.Row {
	q.add(sql, args)
	return queuedRow{}
}

type queuedRow struct{}

// Scan implements pgx.Row.
func (queuedRow) Scan(...any) error { return errQueued }
