package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
)

const (
	// watchInterval is how often the watcher looks. A look is one small statement for all
	// onboardings under way, which costs next to nothing of what is measured. Asking the API for
	// each would cost more.
	watchInterval = 20 * time.Millisecond
	// patience is how long the bench waits for progress: far longer than it takes on a slow
	// machine.
	patience = 2 * time.Minute
)

// watcher posts onboardings, and sees in the database of attestd when they are approved.
type watcher struct {
	session      *pgx.Conn
	transactions int64 // that it has made

	mu       sync.Mutex
	underWay map[string]chan error // by ID; what the onboarding came to
}

func newWatcher(ctx context.Context, databaseURL string) (*watcher, error) {
	session, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return nil, fmt.Errorf("watch the database: %w", err)
	}
	return &watcher{session: session, underWay: make(map[string]chan error)}, nil
}

func (w *watcher) close(ctx context.Context) error { return w.session.Close(ctx) }

// onboard posts the requests, with concurrency of them under way, and returns how long it took
// until all were approved. It returns when attestd has no more work for them.
func (w *watcher) onboard(ctx context.Context, s *stage, requests []onboarding.Request) (took time.Duration, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		if err := w.watch(ctx); err != nil {
			cancel(err)
		}
	})
	begun := time.Now()
	err = atOnce(ctx, concurrency, requests, func(ctx context.Context, r onboarding.Request) error {
		id, err := s.post(ctx, r)
		if err != nil {
			return err
		}
		select {
		case err := <-w.watchFor(id):
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	took = time.Since(begun)
	cancel(nil)
	watching.Wait()
	if err != nil {
		return 0, err
	}
	return took, w.waitUntilIdle(ctx)
}

// watchFor returns the channel that gets the result of the onboarding.
func (w *watcher) watchFor(id string) <-chan error {
	w.mu.Lock()
	defer w.mu.Unlock()
	outcome := make(chan error, 1)
	w.underWay[id] = outcome
	return outcome
}

// watch looks at the onboardings under way until ctx ends.
func (w *watcher) watch(ctx context.Context) error {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		finished, err := w.look(context.WithoutCancel(ctx))
		switch {
		case err != nil:
			return err
		case finished > 0:
			last = time.Now()
		case time.Since(last) > patience:
			return fmt.Errorf("no onboarding was finished for %v", patience)
		}
	}
}

// look reports approved onboardings, and onboardings that need a person and so will not be
// approved. It returns how many there were.
func (w *watcher) look(ctx context.Context) (finished int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := make([]string, 0, len(w.underWay))
	for id := range w.underWay {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	w.transactions++
	// With a condition on the status, Postgres would read the index of all approved onboardings.
	rows, err := w.session.Query(ctx, "SELECT "+ownMark+" id, status FROM onboardings WHERE id = ANY($1)", ids)
	if err != nil {
		return 0, fmt.Errorf("watch the database: %w", err)
	}
	var id, status string
	_, err = pgx.ForEachRow(rows, []any{&id, &status}, func() error {
		switch onboarding.Status(status) {
		case onboarding.StatusApproved:
			w.underWay[id] <- nil
		case onboarding.StatusActionRequired:
			w.underWay[id] <- fmt.Errorf("onboarding %s needs a person", id)
		default:
			return nil
		}
		delete(w.underWay, id)
		finished++
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("watch the database: %w", err)
	}
	return finished, nil
}

// soon is how far ahead a job counts as work. An approved onboarding has a job for its next check,
// a day later.
const soon = time.Hour

// waitUntilIdle returns when no job is under way, due, or due soon. The last callbacks come after
// their approval was seen.
func (w *watcher) waitUntilIdle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		w.transactions++
		var jobs int
		err := w.session.QueryRow(ctx, "SELECT "+ownMark+` count(*) FROM river_job
			WHERE finalized_at IS NULL AND (state <> 'scheduled' OR scheduled_at < now() + $1::interval)`, soon).Scan(&jobs)
		switch {
		case err != nil:
			return fmt.Errorf("watch the database: %w", err)
		case jobs == 0:
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("attestd still had work after all onboardings were approved")
		case <-ticker.C:
		}
	}
}
