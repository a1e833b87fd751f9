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

// statement is one of those that a group's transaction consists of. Each is sent once for all
// requests of the group, in the order of these constants: a change comes before the release of its
// run, and a wake-up is looked at after all that can cause one.
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
	statements
)

// request is what one statement is asked for: a *question, a *change or a *reading.
type request interface{ statement() statement }

// question asks a statement that takes an array of texts and returns rows of an ID and an answer.
type question struct {
	of statement
	// id is the onboarding's, or what else the statement's rows are told apart by.
	id string
	// text is the question's element of the array: the ID, or a JSON object.
	text string

	// answered says that the statement returned a row, and answer is what that says in JSON.
	answered bool
	answer   json.RawMessage
}

func (q *question) statement() statement { return q.of }

// askID asks a statement that takes IDs.
func askID(s statement, id string) *question { return &question{of: s, id: id, text: id} }

// ask asks a statement that takes JSON objects.
func ask(s statement, id onboarding.ID, object any) *question {
	return &question{of: s, id: string(id), text: encode(object)}
}

// encode returns v in JSON. Nothing here has anything in it that cannot be encoded; if it had,
// Postgres would refuse the empty text.
func encode(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

// row is a row of a statement that answers questions. Some say nothing but the ID.
type row struct {
	ID     string
	Answer []byte
}

// queueQuestions queues the statement that answers the questions.
func queueQuestions(batch *pgx.Batch, s statement, questions []*question) {
	texts := make([]string, len(questions))
	of := make(map[string][]*question, len(questions))
	for i, q := range questions {
		q.answered, q.answer = false, nil
		texts[i] = q.text
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
	}, pgx.RowToStructByNameLax[row], func(r row) error {
		for _, q := range of[r.ID] {
			q.answered, q.answer = true, r.Answer
		}
		return nil
	})
}

// requestsOf are those of one kind.
func requestsOf[R request](requests []request, s statement) (some []R) {
	for _, r := range requests {
		if r.statement() == s {
			some = append(some, r.(R)) //nolint:errcheck,forcetypeassert // one type for each statement
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

// queue queues a statement, which is that of a generated method as call calls it. Each of its rows is
// scanned by scan and handed to each.
func queue[Row any](batch *pgx.Batch, call func(ctx context.Context, q *db.Queries), scan pgx.RowToFunc[Row], each func(Row) error) {
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

// queueExec queues a statement whose rows nobody reads.
func queueExec(batch *pgx.Batch, call func(ctx context.Context, q *db.Queries)) {
	call(context.Background(), db.New(queueing{func(sql string, args []any) { batch.Queue(sql, args...) }}))
}

// queueing is what a generated method runs its statement on in order to have it queued. The method
// returns errQueued.
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
