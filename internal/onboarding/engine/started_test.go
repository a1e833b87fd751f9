package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// A step shows how long its call took, whether or not an intent preceded it.
func TestAStepStartsWithItsCall(t *testing.T) {
	t.Parallel()
	const took = 3 * time.Second
	slowly := func(context.Context, onboarding.TrustHub) (onboarding.Outcome, error) {
		<-time.After(took)
		return onboarding.Done{}, nil
	}
	for name, effect := range map[string]onboarding.Effect{
		"with an intent": {Do: slowly, Find: findingNothing},
		"without one":    {Look: slowly},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := strain(t, 1, effect)
			s.run(t)
			step := s.step(t, "step_0")
			if got := step.FinishedAt.Sub(step.StartedAt); step.State != onboarding.StepSucceeded || got != took {
				t.Errorf("%s: the step is %s and took %s, want %s", name, step.State, got, took)
			}
		})
	}
}
