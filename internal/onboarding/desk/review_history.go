package desk

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// UsualReview says how long reviews of a kind of bundle took, from the submission to the day that
// the decision was seen: half of them no longer than Median, nine in ten no longer than P90.
type UsualReview struct {
	Median     time.Duration
	P90        time.Duration
	SampleSize int
}

const (
	// reviewSample is how many reviews, the newest ones, are looked at: what was usual a year ago
	// is not what is usual now.
	reviewSample = 200
	// leastReviews is from how many on something can be called usual.
	leastReviews = 5
	// reviewsFresh is for how long what was computed once is good enough.
	reviewsFresh = 5 * time.Minute
)

// ReviewHistory tells how long reviews usually take, from what this service has seen. It is safe
// for concurrent use.
type ReviewHistory struct {
	// Times returns the newest reviews of that kind of bundle that came to a decision, at most that
	// many.
	Times  func(ctx context.Context, bundle onboarding.Key, most int) ([]onboarding.ReviewTime, error)
	Now    func() time.Time
	Logger *slog.Logger

	mu    sync.Mutex
	known map[onboarding.Key]*knownReviews
}

// knownReviews is what was computed for a kind of bundle, to be computed anew at its time.
type knownReviews struct {
	usual    UsualReview
	enough   bool
	until    time.Time
	underWay bool
}

// Usual returns how long reviews of that kind of bundle usually take, and false while too few are
// known. Whoever asks first after a few minutes waits for one query; others are told what was known
// before. A query that fails is logged, and tried again after the same time.
func (h *ReviewHistory) Usual(ctx context.Context, bundle onboarding.Key) (UsualReview, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known == nil {
		h.known = make(map[onboarding.Key]*knownReviews)
	}
	k := h.known[bundle]
	if k == nil {
		k = &knownReviews{}
		h.known[bundle] = k
	}
	if !k.underWay && !h.Now().Before(k.until) {
		h.compute(ctx, bundle, k)
	}
	return k.usual, k.enough
}

// compute is called with h.mu held, and lets go of it for the query.
func (h *ReviewHistory) compute(ctx context.Context, bundle onboarding.Key, k *knownReviews) {
	k.underWay = true
	h.mu.Unlock()
	var times []onboarding.ReviewTime
	var err error
	defer func() { // also after a panic
		h.mu.Lock()
		k.underWay = false
		switch {
		case err == nil:
			k.usual, k.enough = usualOf(times)
		case ctx.Err() != nil:
			return // Whoever asked has gone: the next one tries.
		default:
			h.Logger.WarnContext(ctx, "how long reviews take cannot be computed", "bundle", bundle, "error", err)
		}
		k.until = h.Now().Add(reviewsFresh)
	}()
	times, err = h.Times(ctx, bundle, reviewSample)
}

// usualOf takes the nearest ranks: both are durations of reviews that there were.
func usualOf(times []onboarding.ReviewTime) (usual UsualReview, enough bool) {
	if len(times) < leastReviews {
		return UsualReview{}, false
	}
	took := make([]time.Duration, len(times))
	for i, t := range times {
		took[i] = max(0, t.DecidedAt.Sub(t.SubmittedAt))
	}
	slices.Sort(took)
	rank := func(percent int) time.Duration { return took[(percent*len(took)+99)/100-1] }
	return UsualReview{Median: rank(50), P90: rank(90), SampleSize: len(took)}, true
}
