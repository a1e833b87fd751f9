package store

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

func TestWhoStopsReadingLeavesNothingToTheNext(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t)})
	id := newOnboarding(t, s)
	ctx := t.Context()
	exists := func(id onboarding.ID, found *bool) statements {
		return statements{
			queue: func(q *db.Queries) { _, _ = q.OnboardingExists(ctx, string(id)) },
			read: func(q *db.Queries) (err error) {
				*found, err = q.OnboardingExists(ctx, string(id))
				return err
			},
		}
	}
	var first, last bool
	read, err := send(ctx, s.pool, exists("onb_nobody", &first), statements{
		queue: func(q *db.Queries) {
			_, _ = q.LockOnboarding(ctx, "onb_nobody")
			queueParts(ctx, q, []string{string(id)})
		},
		read: func(q *db.Queries) error {
			_, err := q.LockOnboarding(ctx, "onb_nobody")
			return err
		},
	}, exists(id, &last))
	if err != nil || read[0] != nil || !errors.Is(read[1], pgx.ErrNoRows) || read[2] != nil {
		t.Fatalf("read %v, then %v", read, err)
	}
	if first || !last {
		t.Errorf("found %t and %t, want what each had asked for", first, last)
	}
}
