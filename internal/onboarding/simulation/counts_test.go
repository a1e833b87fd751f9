package simulation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

func bundle(held trusthubsim.AccountState, sid string) *trusthubsim.BundleState {
	for _, b := range slices.Concat(held.CustomerProfiles, held.TrustProducts) {
		if b.SID == sid {
			return &b
		}
	}
	return nil
}

// count says how many there are, and were ever made, of what an onboarding needs one of.
type count struct{ live, made int }

// census counts what a subaccount holds, by name or by parent and object. What was made by hand is
// not counted by its name.
func census(held trusthubsim.AccountState) map[string]count {
	counts := map[string]count{}
	add := func(live bool, key string) {
		c := counts[key]
		c.made++
		if live {
			c.live++
		}
		counts[key] = c
	}
	named := func(live bool, name string) {
		if strings.HasPrefix(name, "onb_") {
			add(live, name)
		}
	}
	for live, h := range map[bool]trusthubsim.Holdings{true: held.Holdings, false: held.Deleted.Holdings} {
		for _, b := range slices.Concat(h.CustomerProfiles, h.TrustProducts) {
			named(live, b.FriendlyName)
			for _, a := range b.EntityAssignments {
				add(true, a.BundleSID+" "+a.ObjectSID)
			}
			for _, a := range b.ChannelEndpointAssignments {
				add(true, a.BundleSID+" "+a.ChannelEndpointSID)
			}
			for range b.Submissions {
				add(true, b.SID+" submitted")
			}
		}
		for _, u := range slices.Concat(h.EndUsers, h.SupportingDocuments) {
			named(live, u.FriendlyName)
		}
		for _, a := range h.Addresses {
			named(live, a.FriendlyName)
		}
	}
	return counts
}

// counted checks, after each request that changes something at Twilio, that nothing was made twice:
// but for what the network itself sent twice, and what had gone. Each correction is one more
// submission, of each bundle.
func (w *world) counted(of call) {
	state := w.sim.State()
	surplus := 0
	for key, c := range census(state.Accounts[w.account(of.id)]) {
		more := c.made - 1 - w.again[key]
		if strings.HasSuffix(key, " submitted") {
			more -= w.again[string(of.id)+" submitted"]
		}
		surplus += max(0, more)
		if more > w.doubled {
			w.violated("made twice: %s, %d times", key, c.made)
		}
	}
	if surplus > w.doubled {
		w.violated("made twice: there are %d too many, of which the network made %d (%s)", surplus, w.doubled, of)
	}
	if of.key != "subaccount" {
		return
	}
	accounts := 0
	for _, a := range state.Accounts {
		if a.FriendlyName == fmt.Sprintf("%s/subaccount", of.id) || a.FriendlyName == w.get(of.id).Request.Subaccount.FriendlyName {
			accounts++
		}
	}
	if accounts > 1 {
		w.violated("made twice: %d subaccounts of %s", accounts, of.id)
	}
}

// take counts a change of state. Two writes may come to the ledger at one moment.
func (w *world) take(m move) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken[m]++
}

// recorded checks what was written to the ledger: a review is over only if Twilio says so.
func (w *world) recorded(before *onboarding.Onboarding, c onboarding.Change) {
	w.judging.Lock()
	defer w.judging.Unlock()
	if before.Request.AllPhoneNumbers {
		for _, n := range before.Numbers {
			w.amongAll[string(c.ID)+n.SID] = true
		}
	}
	for _, s := range c.Steps {
		if isReview(s.Key) && s.State == onboarding.StepSucceeded {
			w.reviewedTruly(c.ID, s.Key)
		}
	}
	for _, e := range c.Events {
		if e.Kind == "bundle.replaced" {
			name := fmt.Sprintf("%s/%s", c.ID, e.Step)
			w.again[name]++
			w.beside[name]++
		}
	}
}

// reviewedTruly checks that the reviewers have approved what the ledger says they have.
func (w *world) reviewedTruly(id onboarding.ID, review onboarding.Key) {
	o := w.get(id)
	sid := o.SID(onboarding.Key(strings.TrimSuffix(string(review), ".review")))
	b := bundle(w.sim.State().Accounts[w.account(id)], sid)
	if b == nil && w.lost[sid] {
		return
	}
	if b == nil || b.Submissions == 0 || b.Status == trusthubsim.StatusDraft {
		w.violated("believed: %s of %s is concluded, and nobody has reviewed it", review, id)
	}
}

// kept counts what Twilio refused to remove, and the history says so, by the names of the objects.
func (w *world) kept(id onboarding.ID) map[string]int {
	kept := map[string]int{}
	events, err := w.store.Events(w.ctx, id)
	if err != nil {
		w.violated("events: %v", err)
	}
	for _, e := range events {
		if e.Kind == "step.surplus_kept" {
			kept[fmt.Sprintf("%s/%s", id, e.Step)]++
		}
	}
	return kept
}
