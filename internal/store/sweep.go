package store

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/attestd/attestd/internal/store/internal/db"
)

const sweepMost = 500

// sweep wakes onboardings that nothing would ever run again. The protocol leaves none; what does is a fault, ours or an operator's with
// the tables, and is logged as one. An onboarding that is stuck is worse than one that runs once more than it has to.
func (r *replica) sweep(ctx context.Context) {
	woken, err := r.store.sweep(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		r.store.log.WarnContext(ctx, "sweep failed", slog.Any("error", err))
	case woken > 0:
		r.store.log.WarnContext(ctx, "woke onboardings that had no job", slog.Int("onboardings", woken))
	}
}

// sweep returns how many it woke; none when another replica sweeps.
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
		if err := q.InterruptOnboardings(ctx, stranded); err != nil {
			return err
		}
		if err := q.RunWoken(ctx, stranded); err != nil {
			return err
		}
		woken = len(stranded)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("sweep: %w", err)
	}
	return woken, nil
}
