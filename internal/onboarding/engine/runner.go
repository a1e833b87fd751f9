package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// Runner takes onboardings from where their ledgers stand as far as they can go. It holds no state
// of its own: any number of runners may work on one ledger, and the epoch sees to it that one at a
// time does.
type Runner struct {
	Hub  onboarding.TrustHub
	Plan onboarding.Plan
	// Name is this replica's, for the history.
	Name string
	// Concurrency is how many calls an onboarding may have under way at once; 0 means 10. Twilio
	// limits them per account and publishes no number.
	Concurrency int
	// Crew, if set, makes the calls.
	Crew   *Crew
	Timing Timing
	// Now is the local clock.
	Now func() time.Time
	// Random returns a number in [0, 1), for jitter.
	Random func() float64
	// Stopping, once closed, makes every run finish the calls in flight, start no others, and let
	// go.
	Stopping <-chan struct{}
	Logger   *slog.Logger
	// Reached, if set, is called at each named point of the protocol: the seam at which tests make
	// a process die.
	Reached func(Point, onboarding.Key)
}

// Point is a place in the protocol at which a process may die.
type Point string

// The points of one effect, in order.
const (
	BeforeIntent Point = "before_intent"
	AfterIntent  Point = "after_intent"
	AfterAnswer  Point = "after_answer"
	AfterCommit  Point = "after_commit"
)

// goCall makes a call in a goroutine of the crew, or of its own.
func (r *Runner) goCall(call func()) {
	if r.Crew != nil {
		r.Crew.Go(call)
	} else {
		go call()
	}
}

func (r *Runner) reached(p Point, k onboarding.Key) {
	if r.Reached != nil {
		r.Reached(p, k)
	}
}

func (r *Runner) isStopping() bool {
	select {
	case <-r.Stopping:
		return true
	default:
		return false
	}
}

// Advance claims the onboarding, does everything that is due, and lets go of it until the time when
// something is due again. It returns nil as well when another runner has the onboarding. It returns
// an error only when ctx ends or the ledger has no such onboarding; what it had under way then is
// of unknown outcome, and the next claim looks it up.
//
// A ledger that fails (the database restarts, say) is claimed again until it answers: only a new
// claim tells what was written.
func (r *Runner) Advance(ctx context.Context, ledger onboarding.Ledger, id onboarding.ID) error {
	for failures := 0; ; {
		err := r.advanceOnce(ctx, ledger, id)
		switch {
		case err == nil || errors.Is(err, onboarding.ErrLostPlace):
			return nil
		case errors.Is(err, onboarding.ErrNotFound):
			return fmt.Errorf("advance %s: %w", id, err)
		case ctx.Err() != nil:
			return fmt.Errorf("advance %s: %w", id, context.Cause(ctx))
		case errors.Is(err, errWoken):
			failures = 0
			continue
		}
		failures++
		r.Logger.WarnContext(ctx, "ledger failed; will claim the onboarding again", "onboarding_id", id, "error", err)
		if err := r.pause(ctx, onboarding.Backoff(failures, 100*time.Millisecond, 2*time.Second, r.Random())); err != nil {
			return fmt.Errorf("advance %s: %w", id, err)
		}
	}
}

// errWoken says that a wake-up arrived during the run: there is more to do than the run knew of.
var errWoken = errors.New("woken during the run")

// advanceOnce is one claim, one run and one release.
func (r *Runner) advanceOnce(ctx context.Context, ledger onboarding.Ledger, id onboarding.ID) error {
	claimedAt := r.Now()
	o, err := ledger.Claim(ctx, id)
	if err != nil {
		return err
	}
	w := newWalk(r, ledger, o, claimedAt)
	next, err := w.run(ctx)
	if err != nil {
		return err
	}
	last := w.entry.Finish()
	woken, err := ledger.Release(ctx, last, next)
	if err != nil {
		return err
	}
	w.written(last)
	if woken {
		return errWoken
	}
	return nil
}

func (r *Runner) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-r.Stopping:
		return errors.New("stopping")
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
