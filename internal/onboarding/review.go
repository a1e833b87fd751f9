package onboarding

import "time"

// Review is a bundle that waits for Twilio's reviewers.
type Review struct {
	// Bundle is the key of the bundle's step.
	Bundle Key
	BundleRef
	SubmittedAt time.Time
	// NextCheckAt is when the bundle is read next, unless a callback comes first; zero before the
	// first wait is written down.
	NextCheckAt time.Time
}

// Reviews are the bundles that wait for Twilio's reviewers, in the order of the steps, which are
// arranged.
func (o *Onboarding) Reviews() []Review {
	if !o.CanceledAt.IsZero() {
		return nil
	}
	var all []Review
	for _, s := range o.Steps {
		if s.Kind != KindReview || s.State != StepWaiting && s.State != StepPending {
			continue
		}
		submission := o.Step(s.Bundle.Submission())
		if submission == nil || submission.State != StepSucceeded {
			continue
		}
		all = append(all, Review{
			Bundle: s.Bundle, BundleRef: o.Bundle(s.Bundle), SubmittedAt: submission.FinishedAt, NextCheckAt: s.NextAttemptAt,
		})
	}
	return all
}
