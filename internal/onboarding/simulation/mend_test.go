package simulation

import (
	"slices"
	"strings"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// mend does what people do when action is required, once an hour until everything is over: they
// read what is asked for, and do it.
func (w *world) mend() {
	waiting := w.acting() || w.hidden
	for _, id := range w.ids {
		o := w.get(id)
		switch o.Status() {
		case onboarding.StatusApproved:
			continue
		case onboarding.StatusCanceled:
			if w.letGo(id) {
				continue
			}
			w.askAgain(id)
		case onboarding.StatusActionRequired:
			if w.resumes[id]++; w.resumes[id] > maxResumes {
				w.violated("stuck: %s still needs action after %d attempts: %+v", id, w.resumes[id], o.Requirements())
				return
			}
			w.answer(id, o)
		case onboarding.StatusInReview:
			if w.broken[id] {
				w.rejectOpen(id) // Nobody can approve what lacks something.
			}
		case onboarding.StatusInProgress:
		}
		waiting = true
	}
	if waiting {
		w.after(time.Hour, w.mend)
	}
}

// answer does one thing that is asked for.
func (w *world) answer(id onboarding.ID, o *onboarding.Onboarding) {
	asked := o.Requirements()
	asks := func(codes ...string) bool {
		return slices.ContainsFunc(asked, func(r onboarding.Requirement) bool { return slices.Contains(codes, r.Code) })
	}
	switch {
	case asks("profile_incomplete") && len(o.Request.AuthorizedRepresentatives) > 1:
		w.amend(id, "without a second representative", func(r *onboarding.Request) { r.AuthorizedRepresentatives = r.AuthorizedRepresentatives[:1] })
	case w.broken[id], asks("20404"):
		// What was deleted at Twilio is not made again: another onboarding has to begin from the
		// beginning.
		w.cancel(id, true)
	case w.mendNumbers(id, o), w.takenOff(id, o):
	case asks("18601", "18602", "18603", "18604", "18605", "18606") && corrected(o.Request).Business != o.Request.Business,
		asks("18603", "18604", "18606") && w.flawed(o.Request):
		if !w.amend(id, "as the reviewer asks", func(r *onboarding.Request) { *r = corrected(*r) }) {
			w.content(id) // It is not about the profile.
		}
	case slices.ContainsFunc(asked, func(r onboarding.Requirement) bool {
		return strings.HasPrefix(r.Message, "It is already assigned to bundle")
	}):
		for _, n := range o.Request.PhoneNumbers {
			w.addNumbers(id, n, true)
		}
		w.resume(id)
	default:
		w.content(id)
	}
}

func (w *world) flawed(r onboarding.Request) bool {
	good := corrected(r)
	return good.Address != r.Address || good.AuthorizedRepresentatives[0] != r.AuthorizedRepresentatives[0]
}

// mendNumbers sees to it that the subaccount has all numbers that the request names.
func (w *world) mendNumbers(id onboarding.ID, o *onboarding.Onboarding) (did bool) {
	account := w.account(id)
	if account == "" {
		return false
	}
	held := w.voiceNumbers(id)
	for _, name := range o.Request.PhoneNumbers {
		if slices.ContainsFunc(held, func(n trusthubsim.PhoneNumberState) bool { return n.SID == name || n.PhoneNumber == name }) {
			continue
		}
		did = true
		if strings.HasPrefix(name, "+") && w.rng.IntN(2) == 0 || len(o.Request.PhoneNumbers) == 1 && strings.HasPrefix(name, "+") {
			w.buy(account, name)
			w.after(w.scenario.lag+time.Second, func() { w.resume(id) })
			continue
		}
		if !w.removeNumber(id, name) { // It is the last one.
			addNumber(w, id)
		}
	}
	return did
}

// takenOff takes numbers off products in the Console that were on them before attestd came, and
// keep them on the profile.
func (w *world) takenOff(id onboarding.ID, o *onboarding.Onboarding) (did bool) {
	for _, s := range o.Steps {
		number, ok := strings.CutPrefix(string(s.Key), "customer_profile.number.")
		if !ok || s.State != onboarding.StepFailed || wantedNumbers(o, w.sim.State().Accounts[w.account(id)])[number] {
			continue
		}
		for _, b := range w.ours(id) {
			if a := assignmentOf(b, number); b.PolicySID != trusthubsim.PolicySecondaryProfile && w.handmade[a] {
				did = true
				w.tracef("%s is taken off %s in the Console: %v", number, b.SID, w.sim.DeleteInConsole(a))
			}
		}
	}
	if did {
		w.resume(id)
	}
	return did
}

// content has the reviewers be content and renew what has ended, or asks them once more with the
// same; then the onboarding goes on.
func (w *world) content(id onboarding.ID) {
	ours := w.ours(id)
	for _, old := range w.sim.State().Accounts[w.account(id)].TrustProducts { // A replaced one whose profile is gone is never decided about.
		isOurs := slices.ContainsFunc(ours, func(b trusthubsim.BundleState) bool { return b.SID == old.SID })
		if !isOurs && (old.Status == trusthubsim.StatusInReview || old.Status == trusthubsim.StatusPendingReview) {
			w.decide(old.SID, trusthubsim.Decision{Status: trusthubsim.StatusRejected, Errors: trusthubsim.Codes(18602)})
		}
	}
	for _, b := range ours {
		switch {
		case b.Status == trusthubsim.StatusRejected && w.rng.IntN(2) == 0:
			if w.amend(id, "the same once more", func(*onboarding.Request) {}) {
				return
			}
		case b.Status == trusthubsim.StatusRejected && w.still(id, b), b.Status == trusthubsim.StatusApproved && b.ValidUntil != nil && time.Until(*b.ValidUntil) < 48*time.Hour:
			until := time.Now().Add(365 * 24 * time.Hour).UTC()
			w.decide(b.SID, trusthubsim.Decision{Status: trusthubsim.StatusApproved, ValidUntil: &until})
		}
	}
	w.resume(id)
}

// letGo tells whether nothing can be done any more about what a canceled onboarding has left:
// nothing is left, or Twilio was asked once more with no review in the way.
func (w *world) letGo(id onboarding.ID) bool {
	return w.askedAgain[id] || !slices.ContainsFunc(w.get(id).Kept(), func(s onboarding.Step) bool { return !w.handmade[s.SID] })
}

// askAgain has Twilio asked once more to let go of what a canceled onboarding has left, once no
// review is in the way.
func (w *world) askAgain(id onboarding.ID) {
	w.rejectOpen(id)
	w.askedAgain[id] = true
	w.resume(id)
}

// rejectOpen ends the reviews of the onboarding's bundles.
func (w *world) rejectOpen(id onboarding.ID) {
	for _, b := range w.ours(id) {
		if b.Status == trusthubsim.StatusPendingReview || b.Status == trusthubsim.StatusInReview {
			w.decide(b.SID, trusthubsim.Decision{Status: trusthubsim.StatusRejected, Errors: trusthubsim.Codes(18602)})
		}
	}
}
