package store

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/attestd/attestd/internal/store/internal/db"
)

// expiryBatch is how many rows one transaction deletes: few, so that a table that has grown for
// long is neither blocked nor writes a lot of WAL at once.
const expiryBatch = 1000

// expire deletes the callbacks that are older than their retention.
func (r *replica) expire(ctx context.Context) {
	deleted, err := r.store.expireCallbacks(ctx, expiryBatch)
	switch {
	case err != nil && ctx.Err() == nil:
		r.store.log.WarnContext(ctx, "old callbacks could not be deleted", slog.Any("error", err))
	case deleted > 0:
		r.store.log.InfoContext(ctx, "deleted old callbacks", slog.Int64("callbacks", deleted))
	}
}

// expireCallbacks deletes batch after batch until none is left, or until another replica deletes.
// It returns how many it deleted.
func (s *Store) expireCallbacks(ctx context.Context, batch int32) (deleted int64, err error) {
	for {
		var n int64
		err := s.inTx(ctx, func(q *db.Queries) error {
			mine, err := q.TryExpiryLock(ctx, expiryLockClass)
			if err != nil || !mine {
				return err
			}
			n, err = q.DeleteCallbacksOlderThan(ctx, db.DeleteCallbacksOlderThanParams{
				Retention: interval(s.config.CallbackRetention), Most: batch,
			})
			return err
		})
		if err != nil {
			return deleted, fmt.Errorf("delete old callbacks: %w", err)
		}
		deleted += n
		if n < int64(batch) {
			return deleted, nil
		}
	}
}
