package main

import (
	"context"
	"sync"
)

// concurrency is how many onboardings the throughput has under way at once.
const concurrency = 64

// atOnce calls do for every item, with at most so many calls at once, until one fails. It returns
// the first error.
func atOnce[T any](ctx context.Context, most int, items []T, do func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan T)
	var workers sync.WaitGroup
	for range most {
		workers.Go(func() {
			for item := range next {
				if err := do(ctx, item); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
feed:
	for _, item := range items {
		select {
		case next <- item:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	workers.Wait()
	return context.Cause(ctx)
}
