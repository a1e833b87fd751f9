package store

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/attestd/attestd/internal/store/internal/db"
)

const sweepMost = 500

// sweep wakes the onboardings that no job would ever run. The protocol leaves none behind. One that
// is found is the result of a fault, of ours or of an operator's change to the tables, and is
// logged. To run an onboarding once too often does less harm than to leave it stranded.
func (r *replica) sweep(ctx context.Context) {
	woken, err := r.store.sweep(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		r.store.log.WarnContext(ctx, "sweep failed", slog.Any("error", err))
	case woken > 0:
		r.store.log.WarnContext(ctx, "woke onboardings that had no job", slog.Int("onboardings", woken))
	}
}

// sweep returns how many onboardings it woke: none while another replica sweeps.
func (s *Store) sweep(ctx context.Context) (woken int, err error) {
	err = s.inTx(ctx, func(q *db.Queries) error {
		mine, err := q.TrySweepLock(ctx, sweepLockClass)
		if err != nil || !mine {
			return err
		}
		stranded, err := q.StrandedOnboardings(ctx, sweepMost)
		if err != nil {
			return err
		}
		if err := q.LockOnboardings(ctx, stranded); err != nil {
			return err
		}
		// They have no runner. Unlike a plain wake-up, this also wakes a canceled one, whose
		// cleanup is not finished.
		if err := q.InterruptOnboardings(ctx, stranded); err != nil {
			return err
		}
		woken = len(stranded)
		return q.RunWoken(ctx, stranded)
	})
	if err != nil {
		return 0, fmt.Errorf("sweep: %w", err)
	}
	return woken, nil
}
