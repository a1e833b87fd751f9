package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/trusthubsim"
)

func TestWhoWaitsForAReviewIsToldHowLongOthersWaited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
	stop := w.serve()
	for range 5 {
		id := w.post(w.subaccount(1).request(nil)).ID
		reviewed(w, w.await(id, "in_review").CustomerProfile.SID, trusthubsim.StatusApproved)
		w.awaitThat(id, "the product in review", func(a answer) bool { return a.TrustProduct.Status == "pending-review" })
	}
	id := w.post(w.subaccount(1).request(nil)).ID
	w.await(id, "in_review")
	// The usual durations are computed every few minutes, and at the start.
	stop()
	w.serve()

	var shown struct {
		Reviews []struct {
			Bundle      string
			SubmittedAt time.Time  `json:"submitted_at"`
			NextCheckAt *time.Time `json:"next_check_at"`
			UsualReview *struct {
				MedianSeconds int `json:"median_seconds"`
				P90Seconds    int `json:"p90_seconds"`
				SampleSize    int `json:"sample_size"`
			} `json:"usual_review"`
		}
	}
	if status, raw := w.call(http.MethodGet, "/onboardings/"+id, nil, &shown); status != http.StatusOK || len(shown.Reviews) != 1 {
		t.Fatalf("answered %d: %s", status, raw)
	}
	r := shown.Reviews[0]
	if r.Bundle != "customer_profile" || r.SubmittedAt.IsZero() || r.NextCheckAt == nil || !r.NextCheckAt.After(r.SubmittedAt) {
		t.Errorf("review %+v", r)
	}
	if r.UsualReview == nil || r.UsualReview.SampleSize != 5 || r.UsualReview.P90Seconds < r.UsualReview.MedianSeconds {
		t.Errorf("usually %+v, want what five reviews took", r.UsualReview)
	}
}
