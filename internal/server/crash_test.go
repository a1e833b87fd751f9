package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding/engine"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// simLatency is how long each call takes at Twilio, so that several are under way when something
// happens.
const simLatency = 60 * time.Millisecond

// The process is killed with SIGKILL at every point of every step, and another process finishes the
// onboarding. At the end each SID is the one that was recorded before the death, and Twilio holds
// one of everything.
//
// The points of a step share a world. The process that finishes one onboarding is the next to die.
// That halves the number of processes, and needs a fifth of the databases.
func TestKilledAtAnyPointOfAnyStepAnotherProcessFinishes(t *testing.T) {
	t.Parallel()
	for _, step := range steps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, trusthubsim.Config{Latency: simLatency})
			// A callback that comes while no process lives is lost.
			w.environ["REVIEW_POLL_MIN"] = "200ms"
			living := w.spawn()
			for _, point := range pointsOf(step) {
				t.Run(string(point), func(t *testing.T) { living = w.killAndFinish(t, living, point, step) })
			}
		})
	}
}

// killAndFinish posts an onboarding. The process dies when it reaches the point of the step.
// killAndFinish returns the process that finishes the onboarding.
func (w *world) killAndFinish(t *testing.T, doomed *process, point engine.Point, step string) (heir *process) {
	t.Helper()
	customer := w.subaccount(1)
	request := customer.request(map[string]any{"authorized_representatives": []any{representative("first"), representative("second")}})
	var id string
	if point == pointSent {
		sent := w.holdStep(beforeWork, step)
		id = w.post(request).ID
		sent.await()
		doomed.kill()
		sent.letGo()
	} else {
		doomed.dieAt(t, point, step)
		id = w.post(request).ID
		waitFor(t, doomed.ended, "the process to die")
	}
	w.awaitCallsOfTheDead()
	heir = w.spawn()
	before := w.get(id).sids()
	after := w.await(id, "approved").sids()
	wantKept(t, before, after)
	wantEachOnce(t, w.held(customer), 2, 1)
	wantNothingDeleted(t, w.held(customer))
	return heir
}

// wantKept checks that every SID that was known before is the one at the end.
func wantKept(t *testing.T, before, after map[string]string) {
	t.Helper()
	for key, sid := range before {
		if strings.HasSuffix(key, ".evaluation") {
			continue // The product is evaluated a second time when its profile is approved.
		}
		if after[key] != sid {
			t.Errorf("%s was %s before and is %s at the end", key, sid, after[key])
		}
	}
}
