package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// Create implements [onboarding.Repository].
func (s *Store) Create(ctx context.Context, o *onboarding.Onboarding, e onboarding.Event) error {
	creation, err := creation(ctx, o, e)
	if err == nil {
		err = s.group.write(ctx, pendingWrite{id: o.ID, own: &creation})
	}
	if errors.Is(err, pgx.ErrNoRows) {
		if conflict := s.conflict(ctx, o); conflict != nil {
			return conflict
		}
		err = errors.New("what stood in its way is there no more")
	}
	if err != nil {
		return fmt.Errorf("create onboarding %s: %w", o.ID, err)
	}
	return nil
}

// creation is the statement that stores a new onboarding. Its error is pgx.ErrNoRows where another stands in its way.
func creation(ctx context.Context, o *onboarding.Onboarding, e onboarding.Event) (statements, error) {
	request, err := json.Marshal(o.Request)
	if err != nil {
		return noStatements, fmt.Errorf("encode the request: %w", err)
	}
	created := db.CreateOnboardingParams{
		ID:                string(o.ID),
		ExternalID:        o.Request.ExternalID,
		SubaccountSid:     o.SubaccountSID,
		PrimaryProfileSid: o.Request.PrimaryProfileSID,
		CallbackToken:     o.CallbackToken,
		Version:           int32(o.Version), //nolint:gosec // counts corrections
		Status:            string(o.Status()),
		CreatedAt:         timestamptz(o.CreatedAt),
		UpdatedAt:         timestamptz(o.UpdatedAt),
		Request:           request,
		Kind:              advanceKind,
		MaxAttempts:       maxAttempts,
		EventAt:           timestamptz(e.At),
		EventKind:         e.Kind,
		EventActor:        e.Actor,
		EventDetail:       e.Detail,
	}
	return oneStatement(func(q *db.Queries) error {
		_, err := q.CreateOnboarding(ctx, created)
		return err
	}), nil
}

// conflict returns a *onboarding.ConflictError that names the onboarding that stands in the way of o, or why there is none to name; nil if
// nothing stands in its way.
func (s *Store) conflict(ctx context.Context, o *onboarding.Onboarding) error {
	id, err := s.queries.OpenOnboardingOfSubaccount(ctx, o.SubaccountSID)
	field := "subaccount_sid"
	if errors.Is(err, pgx.ErrNoRows) {
		id, err = s.queries.OpenOnboardingOfExternalID(ctx, o.Request.ExternalID)
		field = "external_id"
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("look for the onboarding in the way: %w", err)
	default:
		return &onboarding.ConflictError{Field: field, ID: onboarding.ID(id)}
	}
}

// Get implements [onboarding.Repository]. The steps are in the order of their keys.
func (s *Store) Get(ctx context.Context, id onboarding.ID) (o *onboarding.Onboarding, err error) {
	read, err := send(ctx, s.pool, statements{
		queue: func(q *db.Queries) {
			_, _ = q.GetOnboarding(ctx, string(id))
			queueParts(ctx, q, []string{string(id)})
		},
		read: func(q *db.Queries) error {
			row, err := q.GetOnboarding(ctx, string(id))
			if err != nil {
				return err
			}
			o, err = whole(ctx, q, db.LockOnboardingRow(row))
			return err
		},
	})
	if err := cmp.Or(read[0], err); err != nil {
		return nil, fmt.Errorf("read onboarding %s: %w", id, notFoundIfNoRows(err))
	}
	return o, nil
}

// Update implements [onboarding.Repository]. decide is called once.
func (s *Store) Update(ctx context.Context, id onboarding.ID, decide func(*onboarding.Onboarding, time.Time) (onboarding.Change, error)) error {
	return s.underLock(ctx, "update", id, decide, s.wake)
}

// underLock reads the onboarding under its row lock, writes what decide says and calls then, in one transaction. doing is for the error; one
// of decide's is returned as it is.
func (s *Store) underLock(ctx context.Context, doing string, id onboarding.ID,
	decide func(*onboarding.Onboarding, time.Time) (onboarding.Change, error),
	then func(context.Context, pgx.Tx, *db.Queries, onboarding.ID, db.LockOnboardingRow) error,
) error {
	var decision error
	err := s.inTx(ctx, func(tx pgx.Tx, q *db.Queries) error {
		row, err := q.LockOnboarding(ctx, string(id))
		if err != nil {
			return notFoundIfNoRows(err)
		}
		o, err := whole(ctx, q, row)
		if err != nil {
			return err
		}
		change, err := decide(o, o.ReadAt)
		if err != nil {
			decision = err
			return err
		}
		change.ID = id
		if err := decided(ctx, q, change); err != nil {
			return err
		}
		return then(ctx, tx, q, id, row)
	})
	switch {
	case decision != nil:
		return decision
	case err != nil:
		return fmt.Errorf("%s onboarding %s: %w", doing, id, err)
	default:
		return nil
	}
}

// FindByCallbackToken implements [onboarding.Repository].
func (s *Store) FindByCallbackToken(ctx context.Context, token string) (onboarding.ID, string, error) {
	l := tokenLookup{token: token}
	if err := s.lookups.write(ctx, pendingWrite{lookup: &l}); err != nil {
		return "", "", fmt.Errorf("find the onboarding of a callback: %w", notFoundIfNoRows(err))
	}
	return onboarding.ID(l.found.ID), l.found.SubaccountSid, nil
}

// tokenLookup is a callback token, and the onboarding that was found by it.
type tokenLookup struct {
	token string
	found db.OnboardingsOfCallbackTokensRow
}

// tokenLookups are the statements that find the onboardings of the callback tokens of a group. pgx.ErrNoRows is the error of one that is nobody's.
func tokenLookups(ctx context.Context, group []*pendingWrite) statements {
	var of []*pendingWrite
	var tokens []string
	for _, w := range group {
		if w.lookup != nil {
			of, tokens = append(of, w), append(tokens, w.lookup.token)
		}
	}
	if len(of) == 0 {
		return noStatements
	}
	return oneStatement(func(q *db.Queries) error {
		rows, err := q.OnboardingsOfCallbackTokens(ctx, tokens)
		if err != nil {
			return err
		}
		found := make(map[string]db.OnboardingsOfCallbackTokensRow, len(rows))
		for _, row := range rows {
			found[row.CallbackToken] = row
		}
		for _, w := range of {
			var ok bool
			if w.lookup.found, ok = found[w.lookup.token]; !ok {
				w.err = pgx.ErrNoRows
			}
		}
		return nil
	})
}

// Events returns an onboarding's history, oldest first; none for an onboarding that does not exist.
func (s *Store) Events(ctx context.Context, id onboarding.ID) ([]onboarding.Event, error) {
	rows, err := s.queries.GetEvents(ctx, string(id))
	if err != nil {
		return nil, fmt.Errorf("read the history of onboarding %s: %w", id, err)
	}
	events := make([]onboarding.Event, len(rows))
	for i, row := range rows {
		events[i] = onboarding.Event{
			At:     timeOf(row.At),
			Kind:   row.Kind,
			Step:   onboarding.Key(row.Step),
			Actor:  row.Actor,
			Detail: row.Detail,
		}
	}
	return events, nil
}
