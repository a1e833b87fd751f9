package reconcile

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// lookAll makes the lookups, several at once. What Twilio does not have is found to be nothing; any
// other failure stays in its look. The error is the context's.
func (r *Reconciler) lookAll(ctx context.Context, looks []*look) error {
	concurrency := r.Concurrency
	if concurrency == 0 {
		concurrency = 8
	}
	slots := make(chan struct{}, concurrency)
	var wg sync.WaitGroup
	for _, l := range looks {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			l.found, l.err = r.patiently(ctx, lookup(l.effect))
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// lookup looks for what an effect has left: by its look, where that is all there is or finds the
// thing itself, and else as the engine looks for what a lost call has made.
func lookup(e onboarding.Effect) func(context.Context, onboarding.TrustHub) ([]onboarding.Outcome, error) {
	return func(ctx context.Context, hub onboarding.TrustHub) ([]onboarding.Outcome, error) {
		if e.Look != nil {
			now, err := e.Look(ctx, hub)
			if err != nil {
				return nil, err
			}
			if _, found := now.(onboarding.Done); found || e.Do == nil {
				return []onboarding.Outcome{now}, nil
			}
		}
		if e.Find == nil {
			return nil, nil
		}
		return e.Find(ctx, hub)
	}
}

const (
	lookTries   = 4
	lookWait    = 500 * time.Millisecond
	lookWaitMax = 10 * time.Second
)

// patiently makes one lookup, and again if Twilio has no time for it now.
func (r *Reconciler) patiently(ctx context.Context, find func(context.Context, onboarding.TrustHub) ([]onboarding.Outcome, error)) ([]onboarding.Outcome, error) {
	for try := 1; ; try++ {
		found, err := find(ctx, r.Hub)
		if err == nil {
			return found, nil
		}
		var remote *onboarding.RemoteError
		if !errors.As(err, &remote) {
			return nil, err
		}
		again := remote.Class == onboarding.ClassRepeatable || remote.Class == onboarding.ClassUnknown
		wait := max(remote.RetryAfter, time.Duration(try)*lookWait)
		switch {
		case remote.HTTPStatus == 404 && !again:
			return nil, nil
		case !again, try == lookTries, wait > lookWaitMax:
			return nil, fmt.Errorf("look it up: %w", err)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		}
	}
}
