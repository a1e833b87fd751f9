package server_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding/engine"
)

// The process lives, but at the point all of its connections to the database are cut.
func TestCutOffFromTheDatabaseAtAnyPointOfAnyStepTheOnboardingIsFinished(t *testing.T) {
	t.Parallel()
	everyPoint(t, func(r *rig) func(*testing.T, context.Context) {
		return func(t *testing.T, _ context.Context) {
			t.Helper()
			conn, err := pgx.Connect(t.Context(), r.databaseURL)
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

// At the point the context of the run is cancelled, as by a stop that has waited long enough. The
// calls in flight are given up. Then the replica goes on.
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

// everyPoint interrupts an onboarding at every point of every step. The points of a step share a
// rig.
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

// Twilio does the work of a call, but answers when nobody waits any more.
func TestTimedOutAfterTheWorkOfAnyStepTheOnboardingIsFinished(t *testing.T) {
	t.Parallel()
	for _, step := range steps {
		if readOnly[step] {
			continue
		}
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, rigOptions{callTimeout: 5 * time.Second}) // No other call takes so long.
			done := r.holdStep(beforeAnswer, step)
			r.interrupt(t, engine.AfterIntent, step, func(t *testing.T, _ context.Context) {
				t.Helper()
				go func() {
					defer done.letGo()
					select {
					case <-done.arrived:
						<-done.callerLeft
					case <-t.Context().Done():
						t.Error("the call did not come")
					}
				}()
			})
			select {
			case <-done.over:
			default:
				t.Error("the onboarding was finished without the call that timed out")
			}
		})
	}
}

// A call may be under way at Twilio until its run ends, however long after the intent. The lookup
// waits for what such a call makes, from the end of the run on.
func TestACallThatWasStillUnderWayWhenItsRunEndedIsNotRepeatedTooSoon(t *testing.T) {
	t.Parallel()
	timing := rigTiming
	timing.Settle = 5 * time.Second
	r := newRig(t, rigOptions{timing: timing})
	made := r.hold(beforeWork, http.MethodPost, "/v1/CustomerProfiles")
	r.interrupt(t, engine.AfterIntent, "customer_profile", func(t *testing.T, run context.Context) {
		t.Helper()
		restarted, looked := make(chan struct{}), make(chan struct{})
		t.Cleanup(func() {
			<-restarted
			<-looked
		})
		go func() {
			defer close(looked)
			// Counted from the intent, everything has settled when the run is cut short.
			<-made.arrived
			wait(t.Context(), timing.SendWindow+timing.Settle)
			lookup := r.hold(beforeAnswer, http.MethodGet, "/v1/CustomerProfiles")
			r.cutShort(run, t, func() { close(restarted) })
			// The next run is told that there is no profile. By then there is one.
			select {
			case <-lookup.arrived:
			case <-t.Context().Done():
				t.Error("the next run did not look for the profile")
			}
			made.letGo()
			<-made.over
			lookup.letGo()
		}()
	})
}
