package simulation

import (
	"fmt"
	"net/http"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// mishap makes one thing happen that nobody wishes for, beyond the faults of single requests.
func (w *world) mishap() {
	living := w.living()
	if len(living) == 0 {
		return
	}
	r, id := pick(w.rng, living...), pick(w.rng, w.ids...)
	switch w.rng.IntN(9) {
	case 0:
		w.crash(r)
	case 1:
		w.pause(r, w.upTo(3*time.Second))
	case 2:
		w.pause(r, w.upTo(5*time.Minute))
	case 3:
		w.tracef("%s is taken for dead", r.name)
		r.abandon()
	case 4:
		w.stop(r)
	case 5:
		w.resume(id)
	case 6:
		w.forge(id)
	case 7:
		if !w.scenario.strained {
			w.tracef("the token of %s changes", id)
			w.tokens.change(w.subaccounts[id])
		}
	case 8:
		switch w.rng.IntN(2) {
		case 0:
			w.reject(id)
		case 1:
			w.tracef("the ledger is down")
			w.ledgerDownUntil = time.Now().Add(w.upTo(20 * time.Second))
		}
	}
}

// aim adds to a slow call what is worst for it: its process dies, or is taken for dead, while
// nobody can know yet what became of it.
func (w *world) aim(r *replica, method string, f fate) {
	if f.fault == nil || f.fault.Delay == 0 || method != http.MethodPost || r.dead || r.stops {
		return
	}
	switch w.rng.IntN(4) {
	case 0:
		w.after(w.upTo(time.Second), func() {
			if !r.dead {
				w.crash(r)
			}
		})
	case 1:
		w.after(w.upTo(time.Second), r.abandon)
	}
}

func (w *world) upTo(most time.Duration) time.Duration {
	return time.Duration(1 + w.rng.Int64N(int64(most)))
}

// crash kills a process. What it has sent arrives; others notice after a while, and it is started
// again.
func (w *world) crash(r *replica) {
	w.tracef("%s dies", r.name)
	w.turns.bury(r)
	r.kill()
	w.after(w.upTo(pick(w.rng, 500*time.Millisecond, 5*time.Second)), r.abandon)
	w.after(w.upTo(10*time.Second), w.start)
}

// pause stops a process that does not know of it. The others take it for dead if it lasts.
func (w *world) pause(r *replica, d time.Duration) {
	if r.paused {
		return
	}
	w.tracef("%s is paused for %s", r.name, d)
	r.paused = true
	if noticed := w.upTo(5 * time.Second); noticed < d {
		w.after(noticed, func() {
			if r.paused {
				r.abandon()
			}
		})
	}
	w.after(d, func() {
		w.tracef("%s goes on", r.name)
		r.paused = false
	})
}

// stop asks a process to end, and starts another in its place.
func (w *world) stop(r *replica) {
	if r.paused {
		return
	}
	w.tracef("%s is asked to stop", r.name)
	r.stops = true
	close(r.stopping)
	w.after(w.upTo(time.Second), w.start)
}

// forge sends a callback that Twilio never sent: it claims a status that the bundle may not have.
func (w *world) forge(id onboarding.ID) {
	o := w.get(id)
	key := pick(w.rng, onboarding.Key("customer_profile"), onboarding.Key("trust_product"))
	status := pick(w.rng, onboarding.BundleApproved, onboarding.BundleRejected, onboarding.BundleDraft, "")
	w.tracef("forged callback: %s of %s is %s", key, id, status)
	err := w.receive(onboarding.Callback{
		OnboardingID: id, BundleSID: o.SID(key), Status: status, IdempotencyToken: fmt.Sprintf("forged-%d", w.turns.given),
	})
	if err != nil {
		w.violated("forged callback: %v", err)
	}
}

// reject has a reviewer reject a bundle without a reason that a request could mend.
func (w *world) reject(id onboarding.ID) {
	o := w.get(id)
	sid := o.SID(pick(w.rng, onboarding.Key("customer_profile"), onboarding.Key("trust_product")))
	b := bundle(w.sim.State().Accounts[w.subaccounts[id]], sid)
	if b == nil || b.Status != trusthubsim.StatusPendingReview && b.Status != trusthubsim.StatusInReview {
		return
	}
	err := w.sim.Review(sid, trusthubsim.Decision{Status: trusthubsim.StatusRejected, Errors: trusthubsim.Codes(18602)})
	w.tracef("rejecting %s: %v", sid, err)
}
