package simulation

import (
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// This file has what people do at Twilio itself, past attestd.

// deleteInConsole loses something: mostly what attestd can put there again, and that is a number on
// a bundle.
func deleteInConsole(w *world, id onboarding.ID) {
	o := w.get(id)
	numbersOnly := w.rng.IntN(4) > 0
	var sids []onboarding.Step
	for _, s := range o.Steps {
		isNumber := strings.Contains(string(s.Key), ".number.")
		if s.SID != "" && isNumber == numbersOnly && s.Key != "preflight" && s.Key != "subaccount" && !strings.HasSuffix(string(s.Key), ".evaluation") {
			sids = append(sids, s)
		}
	}
	if len(sids) == 0 {
		return
	}
	lost := pick(w.rng, sids...)
	w.loses(id, lost.SID)
	err := w.sim.DeleteInConsole(lost.SID)
	w.tracef("%s of %s is deleted in the Console: %v", lost.Key, id, err)
	if reviewed := o.Step(lost.Key.Review()); !numbersOnly && (reviewed == nil || reviewed.State == onboarding.StepPending) {
		w.broken[id] = true // Only of a bundle that was submitted attestd notices, and makes another.
	}
	w.look(id)
}

// decideAnew has a reviewer come back to what was decided.
func decideAnew(w *world, id onboarding.ID) {
	for _, b := range w.ours(id) {
		switch b.Status {
		case trusthubsim.StatusApproved:
			if w.rng.IntN(2) == 0 {
				w.decide(b.SID, trusthubsim.Decision{Status: trusthubsim.StatusRejected, Errors: trusthubsim.Codes(18602)})
				return
			}
		case trusthubsim.StatusRejected:
			if w.rng.IntN(2) == 0 && w.still(id, b) {
				w.decide(b.SID, trusthubsim.Decision{Status: trusthubsim.StatusApproved})
				return
			}
		default:
		}
	}
}

func (w *world) decide(sid string, d trusthubsim.Decision) {
	w.consoled[sid] = true
	err := w.sim.Review(sid, d)
	w.tracef("the reviewer decides that %s is %s: %v", sid, d.Status, err)
	w.unseen()
}

// submitInConsole hands in again what was rejected, past attestd, and may have attestd look at it;
// so it does what was approved and is taken back in the same moment.
func submitInConsole(w *world, id onboarding.ID) {
	for _, b := range w.ours(id) {
		still := w.still(id, b)
		if b.Status == trusthubsim.StatusApproved && still {
			w.decide(b.SID, trusthubsim.Decision{Status: trusthubsim.StatusRejected, Errors: trusthubsim.Codes(18602)})
			b.Status = trusthubsim.StatusRejected
		}
		if b.Status == trusthubsim.StatusRejected && still {
			kind := "CustomerProfiles"
			if b.PolicySID != trusthubsim.PolicySecondaryProfile {
				kind = "TrustProducts"
			}
			err := w.asAccount(w.account(id), "/v1/"+kind+"/"+b.SID, map[string]string{"Status": string(trusthubsim.StatusPendingReview)}, nil)
			w.tracef("%s is submitted in the Console: %v", b.SID, err)
			w.again[b.SID+" submitted"]++
			w.consoled[b.SID] = true
			w.unseen()
			if w.rng.IntN(2) == 0 {
				tryAgain(w, id)
			}
			return
		}
	}
}
