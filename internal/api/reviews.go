package api

import (
	"context"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/desk"
)

// ReviewHistory knows how long reviews take.
type ReviewHistory interface {
	// Usual returns how long reviews of this kind of bundle usually take, and false while too few
	// are known.
	Usual(ctx context.Context, bundle onboarding.Key) (desk.UsualReview, bool)
}

var _ ReviewHistory = (*desk.ReviewHistory)(nil)

// shown is an onboarding as it is answered: the content of the ledger, and the usual duration of
// each review that it waits for.
func (h *operationHandlers) shown(ctx context.Context, o *onboarding.Onboarding) Onboarding {
	shown := onboardingJSON(o)
	for i := range shown.Reviews {
		if usual, enough := h.config.Reviews.Usual(ctx, onboarding.Key(shown.Reviews[i].Bundle)); enough {
			shown.Reviews[i].UsualReview = &UsualReview{
				MedianSeconds: int64(usual.Median / time.Second), P90Seconds: int64(usual.P90 / time.Second), SampleSize: usual.SampleSize,
			}
		}
	}
	return shown
}

func reviewsJSON(reviews []onboarding.Review) []Review {
	shown := make([]Review, 0, len(reviews))
	for _, r := range reviews {
		shown = append(shown, Review{
			Bundle:      string(r.Bundle),
			BundleSID:   orNull(r.SID),
			Status:      orNull(r.Status),
			SubmittedAt: timeOrNull(r.SubmittedAt),
			NextCheckAt: timeOrNull(r.NextCheckAt),
		})
	}
	return shown
}
