package desk

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

var monday = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// tookHours are reviews that took so many hours each.
func tookHours(hours ...int) []onboarding.ReviewTime {
	var times []onboarding.ReviewTime
	for _, h := range hours {
		times = append(times, onboarding.ReviewTime{SubmittedAt: monday, DecidedAt: monday.Add(time.Duration(h) * time.Hour)})
	}
	return times
}

func TestWhatIsUsualIsTheMedianAndTheNinthInTen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		times []onboarding.ReviewTime
		want  UsualReview
	}{
		"too few":     {tookHours(1, 2, 3, 4), UsualReview{}},
		"five":        {tookHours(50, 10, 30, 20, 40), UsualReview{30 * time.Hour, 50 * time.Hour, 5}},
		"ten":         {tookHours(1, 2, 3, 4, 5, 6, 7, 8, 9, 100), UsualReview{5 * time.Hour, 9 * time.Hour, 10}},
		"clocks part": {tookHours(-1, -1, -1, -1, 5), UsualReview{0, 5 * time.Hour, 5}},
	} {
		got, enough := usualOf(test.times)
		if got != test.want || enough != (test.want.SampleSize > 0) {
			t.Errorf("%s: %+v, %t, want %+v", name, got, enough, test.want)
		}
	}
}

func TestWhatIsUsualIsComputedOnceInAWhileForEachKind(t *testing.T) {
	t.Parallel()
	now, queries := monday, map[onboarding.Key]int{}
	var failure error
	h := &ReviewHistory{
		Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
		Times: func(_ context.Context, bundle onboarding.Key, most int) ([]onboarding.ReviewTime, error) {
			queries[bundle]++
			if most < leastReviews {
				t.Errorf("%d reviews were asked for", most)
			}
			return tookHours(1, 1, 1, 1, queries[bundle]), failure
		},
	}
	ask := func(bundle onboarding.Key, wantP90 time.Duration, wantQueries int) {
		t.Helper()
		got, enough := h.Usual(t.Context(), bundle)
		if !enough || got.P90 != wantP90 || queries[bundle] != wantQueries {
			t.Errorf("%s: %+v, %t after %d queries, want %s after %d", bundle, got, enough, queries[bundle], wantP90, wantQueries)
		}
	}
	ask("customer_profile", time.Hour, 1)
	ask("customer_profile", time.Hour, 1)
	ask("trust_product", time.Hour, 1)
	now = now.Add(reviewsFresh)
	ask("customer_profile", 2*time.Hour, 2)
	now, failure = now.Add(reviewsFresh), errors.New("the database is away")
	ask("customer_profile", 2*time.Hour, 3) // What was known stays.
	ask("customer_profile", 2*time.Hour, 3)
	now, failure = now.Add(reviewsFresh), nil
	ask("customer_profile", 4*time.Hour, 4)
}

func TestAQueryThatItsCallerGaveUpIsTriedByTheNext(t *testing.T) {
	t.Parallel()
	queries := 0
	h := &ReviewHistory{
		Now: func() time.Time { return monday }, Logger: slog.New(slog.DiscardHandler),
		Times: func(ctx context.Context, _ onboarding.Key, _ int) ([]onboarding.ReviewTime, error) {
			queries++
			return tookHours(1, 1, 1, 1, 1), ctx.Err()
		},
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, enough := h.Usual(gone, "customer_profile"); enough {
		t.Error("a query that failed told something")
	}
	if _, enough := h.Usual(t.Context(), "customer_profile"); !enough || queries != 2 {
		t.Errorf("%d queries, enough %t, want another query", queries, enough)
	}
}

func TestWhileOneComputesTheOthersDoNotWait(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan struct{}), make(chan struct{})
	h := &ReviewHistory{
		Now: func() time.Time { return monday }, Logger: slog.New(slog.DiscardHandler),
		Times: func(context.Context, onboarding.Key, int) ([]onboarding.ReviewTime, error) {
			close(begun)
			<-finish
			return tookHours(1, 1, 1, 1, 1), nil
		},
	}
	done := make(chan bool)
	go func() {
		_, enough := h.Usual(t.Context(), "customer_profile")
		done <- enough
	}()
	<-begun
	if _, enough := h.Usual(t.Context(), "customer_profile"); enough {
		t.Error("something is known before it was computed")
	}
	close(finish)
	if !<-done {
		t.Error("the one who computed was not told")
	}
}
