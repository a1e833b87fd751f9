package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// eventRow is the first event of a new onboarding.
type eventRow struct {
	At     stamp  `json:"at"`
	Kind   string `json:"kind"`
	Actor  string `json:"actor"`
	Detail string `json:"detail"`
}

// creationRow asks for a new onboarding.
type creationRow struct {
	ID                onboarding.ID      `json:"id"`
	ExternalID        string             `json:"external_id"`
	SubaccountSID     string             `json:"subaccount_sid"`
	PrimaryProfileSID string             `json:"primary_profile_sid"`
	CallbackToken     string             `json:"callback_token"`
	Version           int                `json:"version"`
	Status            onboarding.Status  `json:"status"`
	CreatedAt         stamp              `json:"created_at"`
	UpdatedAt         stamp              `json:"updated_at"`
	Request           onboarding.Request `json:"request"`
	Event             eventRow           `json:"event"`
}

// Create implements [onboarding.Repository].
func (s *Store) Create(ctx context.Context, o *onboarding.Onboarding, e onboarding.Event) error {
	created := ask(createOnboardings, o.ID, creationRow{
		ID:                o.ID,
		ExternalID:        o.Request.ExternalID,
		SubaccountSID:     o.SubaccountSID,
		PrimaryProfileSID: o.Request.PrimaryProfileSID,
		CallbackToken:     o.CallbackToken,
		Version:           o.Version,
		Status:            o.Status(),
		CreatedAt:         stamp{o.CreatedAt},
		UpdatedAt:         stamp{o.UpdatedAt},
		Request:           o.Request,
		Event:             eventRow{At: stamp{e.At}, Kind: e.Kind, Actor: e.Actor, Detail: e.Detail},
	})
	err := s.group.write(ctx, "", created)
	if err == nil && !created.answered {
		if err := s.conflict(ctx, o); err != nil {
			return err
		}
		err = errors.New("another was in its way, and is not there any more")
	}
	if err != nil {
		return fmt.Errorf("create onboarding %s: %w", o.ID, err)
	}
	return nil
}

// conflict returns a *onboarding.ConflictError with the onboarding that is in the way of o, or why
// it cannot be found; nil if none is in its way.
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
func (s *Store) Get(ctx context.Context, id onboarding.ID) (*onboarding.Onboarding, error) {
	o, err := read(ctx, s.pool, id)
	if err != nil {
		return nil, fmt.Errorf("read onboarding %s: %w", id, err)
	}
	return o, nil
}

// decide says what is to be changed in an onboarding at that time, by the ledger's clock.
type decide = func(o *onboarding.Onboarding, now time.Time) (onboarding.Change, error)

// Update implements [onboarding.Repository]. decide is called once.
func (s *Store) Update(ctx context.Context, id onboarding.ID, decide decide) error {
	return s.underLock(ctx, "update", id, decide, (*db.Queries).WakeOnboardings)
}

// Interrupt implements [onboarding.InterruptibleRepository]. decide is called once.
func (s *Store) Interrupt(ctx context.Context, id onboarding.ID, decide decide) error {
	return s.underLock(ctx, "interrupt", id, decide, (*db.Queries).InterruptOnboardings)
}

// underLock reads the onboarding under its row lock, writes what decide says, and wakes the
// onboarding by the statement wake, in one transaction. An error of decide's is returned as it is.
// doing is what other errors say.
func (s *Store) underLock(
	ctx context.Context, doing string, id onboarding.ID, decide decide,
	wake func(q *db.Queries, ctx context.Context, ids []string) error,
) error {
	ids := []string{string(id)}
	var decision error
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { // inTx, with tx for the reading
		q := s.queries.WithTx(tx)
		if err := q.LockOnboardings(ctx, ids); err != nil {
			return err
		}
		o, err := read(ctx, tx, id)
		if err != nil {
			return err
		}
		change, err := decide(o, o.ReadAt)
		if err != nil {
			decision = err
			return err
		}
		change.ID = id
		if err := writeDecision(ctx, q, change); err != nil {
			return err
		}
		if err := wake(q, ctx, ids); err != nil {
			return fmt.Errorf("wake: %w", err)
		}
		return q.RunWoken(ctx, ids)
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
	found := askID(findCallbackTokens, token)
	err := s.lookups.write(ctx, "", found)
	if err == nil && !found.answered {
		err = onboarding.ErrNotFound
	}
	var row struct {
		ID            onboarding.ID `json:"id"`
		SubaccountSID string        `json:"subaccount_sid"`
	}
	if err == nil {
		err = json.Unmarshal(found.answer, &row)
	}
	if err != nil {
		return "", "", fmt.Errorf("find the onboarding of a callback: %w", err)
	}
	return row.ID, row.SubaccountSID, nil
}
