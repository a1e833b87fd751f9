package server_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store"
)

// database is the program's, behind its back.
type database struct {
	t           *testing.T
	databaseURL string
}

// sql runs a statement and returns how many rows it touched.
func (d *database) sql(statement string, args ...any) int64 {
	d.t.Helper()
	pool, err := pgxpool.New(d.t.Context(), d.databaseURL)
	if err != nil {
		d.t.Fatal(err)
	}
	defer pool.Close()
	tag, err := pool.Exec(d.t.Context(), statement, args...)
	if err != nil {
		d.t.Fatal(err)
	}
	return tag.RowsAffected()
}

// history returns the onboarding's events whose actor is reconcile, as "KIND STEP DETAIL".
func (d *database) history(id string) []string {
	d.t.Helper()
	s, err := store.Open(d.t.Context(), store.Config{DatabaseURL: d.databaseURL})
	if err != nil {
		d.t.Fatal(err)
	}
	defer s.Close()
	events, _, err := s.EventPage(d.t.Context(), onboarding.ID(id), true, 0, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	var lines []string
	for _, e := range events {
		if e.Actor == "reconcile" {
			lines = append(lines, e.Kind+" "+string(e.Step)+" "+e.Detail)
		}
	}
	return lines
}
