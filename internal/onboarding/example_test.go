package onboarding_test

import (
	"fmt"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/plan"
)

// An onboarding's status follows from its steps, once a plan has arranged them.
func ExampleOnboarding_Status() {
	o := &onboarding.Onboarding{ID: "onb_example", Steps: []onboarding.Step{
		{Key: onboarding.PreflightKey, State: onboarding.StepSucceeded},
		{Key: onboarding.AddressKey, State: onboarding.StepFailed, Requirements: []onboarding.Requirement{
			{Pointer: "/address", Code: "21628", Message: "Twilio could not validate the address."},
		}},
	}}
	plan.TrustHub(plan.Config{Now: time.Now}).Arrange(o)

	fmt.Println(o.Status())
	for _, r := range o.Requirements() {
		fmt.Println(r.Pointer, r.Code)
	}
	// Output:
	// action_required
	// /address 21628
}

// A step goes the ways of its kind's chart.
func ExampleStep_Enter() {
	review := onboarding.Step{Role: onboarding.Role{Kind: onboarding.KindReview}, State: onboarding.StepWaiting}
	fmt.Println(review.Enter(onboarding.StepSucceeded, time.Now()), review.State)
	fmt.Println(review.Enter(onboarding.StepRunning, time.Now()), "a read writes no intent")
	// Output:
	// true succeeded
	// false a read writes no intent
}
