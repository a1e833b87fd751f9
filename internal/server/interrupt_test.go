package server_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding/engine"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// The process lives, but every connection to the database is cut at the point.
func TestCutOffFromTheDatabaseAtAnyPointOfAnyStepTheOnboardingIsFinished(t *testing.T) {
	t.Parallel()
	everyPoint(t, func(r *rig) func(*testing.T, context.Context) {
		return func(t *testing.T, _ context.Context) {
			t.Helper()
			conn, err := pgx.Connect(t.Context(), r.environ["DATABASE_URL"])
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close(t.Context())
			_, err = conn.Exec(t.Context(), `
				SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
			if err != nil {
				t.Error(err)
			}
		}
	})
}

// The run's context is cancelled at the point, as it is when a stop has waited long enough, and the calls in flight are given up; then the
// replica goes on.
func TestCutShortAtAnyPointOfAnyStepTheOnboardingIsFinished(t *testing.T) {
	t.Parallel()
	everyPoint(t, func(r *rig) func(*testing.T, context.Context) {
		return func(t *testing.T, run context.Context) {
			t.Helper()
			restarted := make(chan struct{})
			t.Cleanup(func() { <-restarted })
			r.cutShort(run, t, func() { close(restarted) })
		}
	})
}

// everyPoint interrupts an onboarding at every point of every step. The points of one step share a rig.
func everyPoint(t *testing.T, spring func(*rig) func(*testing.T, context.Context)) {
	t.Helper()
	for _, step := range steps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, rigOptions{})
			for _, point := range pointsOf(step) {
				t.Run(string(point), func(t *testing.T) { r.interrupt(t, point, step, spring(r)) })
			}
		})
	}
}

// Twilio does the work of a step's call, but answers when nobody waits any more.
func TestTimedOutAfterTheWorkOfAnyStepTheOnboardingIsFinished(t *testing.T) {
	t.Parallel()
	const callTimeout = 500 * time.Millisecond
	for _, step := range steps {
		if readOnly[step] {
			continue
		}
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, rigOptions{concurrency: 1, callTimeout: callTimeout}) // One call at a time: the next one is this step's.
			r.interrupt(t, engine.AfterIntent, step, func(t *testing.T, _ context.Context) {
				t.Helper()
				_, err := r.sim.AddFault(trusthubsim.Fault{
					Method: http.MethodPost, Effect: trusthubsim.EffectDelayAfter, Delay: trusthubsim.Duration(2 * callTimeout), Times: 1,
				})
				if err != nil {
					t.Error(err)
				}
			})
			if struck := r.sim.Faults()[0].Hits; struck != 1 {
				t.Errorf("%d calls timed out, want 1", struck)
			}
		})
	}
}

// A call may be under way at Twilio until the moment its run ends, however long after the intent that is: what it makes is waited for from
// then on.
func TestACallThatWasStillUnderWayWhenItsRunEndedIsNotRepeatedTooSoon(t *testing.T) {
	t.Parallel()
	timing := rigTiming
	timing.Settle = 2 * time.Second
	r := newRig(t, rigOptions{timing: timing})
	r.interrupt(t, engine.AfterIntent, "customer_profile", func(t *testing.T, run context.Context) {
		t.Helper()
		// By the intent's time alone all would have settled when the run is cut short, and the profile is made a second later.
		cut := timing.SendWindow + timing.Settle + 200*time.Millisecond
		_, err := r.sim.AddFault(trusthubsim.Fault{
			Method: http.MethodPost, Path: "/v1/CustomerProfiles", Effect: trusthubsim.EffectDelay, Delay: trusthubsim.Duration(cut + time.Second), Times: 1,
		})
		if err != nil {
			t.Error(err)
		}
		restarted := make(chan struct{})
		t.Cleanup(func() { <-restarted })
		time.AfterFunc(cut, func() { r.cutShort(run, t, func() { close(restarted) }) })
	})
}
