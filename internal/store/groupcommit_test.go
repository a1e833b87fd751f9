package store

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestWhoWaitsForALockHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t)})
	locked, free := newOnboarding(t, s), newOnboarding(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	keep := func(id onboarding.ID) error {
		return s.RecordCallback(ctx, onboarding.Callback{OnboardingID: id, ReceivedAt: time.Now()}, true)
	}
	kept := make(chan error, 1)
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT FROM onboardings WHERE id = $1 FOR UPDATE", string(locked)); err != nil {
			return err
		}
		go func() { kept <- keep(locked) }()
		eventually(t, "it waits for the lock", func() bool {
			var waits bool
			err := s.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')").Scan(&waits)
			return err == nil && waits
		})
		return keep(free)
	})
	if err != nil {
		t.Errorf("another's: %v", err)
	}
	if err := <-kept; err != nil {
		t.Errorf("its own, when the lock was free: %v", err)
	}
}
