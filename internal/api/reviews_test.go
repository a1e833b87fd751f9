package api

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/desk"
)

// fakeReviews knows how long reviews of some kinds of bundle take.
type fakeReviews map[onboarding.Key]desk.UsualReview

func (r fakeReviews) Usual(_ context.Context, bundle onboarding.Key) (desk.UsualReview, bool) {
	usual, known := r[bundle]
	return usual, known
}

func TestAnOnboardingInReviewSaysSinceWhenAndHowLongThatUsuallyTakes(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) {
		c.Reviews = fakeReviews{"customer_profile": {Median: 26 * time.Hour, P90: 72*time.Hour + time.Millisecond, SampleSize: 12}}
	})
	next := testNow.Add(20 * time.Minute)
	b.service.byID[testID] = inTheirRoles(&onboarding.Onboarding{
		ID: testID, Request: validRequest(), Version: 1, CreatedAt: testNow, UpdatedAt: testNow,
		Steps: []onboarding.Step{
			{Key: "customer_profile", State: onboarding.StepSucceeded, SID: testPrimary, RemoteStatus: "draft"},
			{Key: "customer_profile.submission", State: onboarding.StepSucceeded, RemoteStatus: "pending-review", FinishedAt: testNow},
			{Key: "customer_profile.review", State: onboarding.StepWaiting, RemoteStatus: "in-review", NextAttemptAt: next},
			{Key: "trust_product.submission", State: onboarding.StepSucceeded, FinishedAt: testNow},
			{Key: "trust_product.review", State: onboarding.StepWaiting},
		},
	})
	for method, path := range map[string]string{http.MethodGet: "", http.MethodPost: "/resume"} {
		var shown Onboarding
		b.call(method, "/onboardings/"+string(testID)+path, nil).decode(t, &shown)
		if len(shown.Reviews) != 2 {
			t.Fatalf("%s: reviews %+v, want two", method, shown.Reviews)
		}
		profile, product := shown.Reviews[0], shown.Reviews[1]
		if profile.Bundle != "customer_profile" || value(profile.BundleSID) != testPrimary || value(profile.Status) != "in-review" ||
			!value(profile.SubmittedAt).Equal(testNow) || !value(profile.NextCheckAt).Equal(next) {
			t.Errorf("%s: review %+v", method, profile)
		}
		if usual := profile.UsualReview; usual == nil || *usual != (UsualReview{MedianSeconds: 93600, P90Seconds: 259200, SampleSize: 12}) {
			t.Errorf("%s: usually %+v", method, usual)
		}
		if product.UsualReview != nil || product.NextCheckAt != nil {
			t.Errorf("%s: of a kind that nothing is known about: %+v", method, product)
		}
	}
}
