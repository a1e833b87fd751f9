package simulation

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// move is a step's way from one state to another.
type move struct{ from, to onboarding.State }

// departs checks a request that leaves a process: it is signed by the account that it is meant for, and if it may leave something behind,
// the ledger knows of it.
func (w *world) departs(of call, r *http.Request, body []byte) {
	user, _, _ := r.BasicAuth()
	sub, parent := w.subaccounts[of.id], trusthubsim.DefaultAccountSID
	by := sub
	if of.key == "preflight" || strings.HasSuffix(r.URL.Path, "/Accounts/"+sub+".json") {
		by = parent
	}
	if user != by {
		w.violated("wrong account: %s %s %s is signed by %s", of, r.Method, r.URL.Path, user)
	}
	if r.Method == http.MethodGet {
		return
	}
	o := w.get(of.id)
	if r.Method == http.MethodDelete {
		for _, s := range o.Steps {
			if !of.looks || s.SID == r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:] {
				w.violated("removed: %s %s, which is what the ledger holds for %s", of, r.URL.Path, s.Key)
			}
		}
		return
	}
	if step := o.Step(of.key); !of.does || step == nil || step.State != onboarding.StepRunning {
		w.violated("without an intent: %s %s %s leaves", of, r.Method, r.URL.Path)
	}
	form, _ := url.ParseQuery(string(body))
	held := w.sim.State().Accounts[sub]
	switch segments := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/"); {
	case form.Get("Status") != "":
		if b := bundle(held, segments[1]); b == nil || len(b.Evaluations) == 0 || b.Evaluations[len(b.Evaluations)-1].Status != "compliant" {
			w.violated("out of order: %s submits what was not found compliant", of)
		}
	case r.Method == http.MethodPost && segments[0] == "TrustProducts" && len(segments) == 3 && segments[2] == "ChannelEndpointAssignments":
		onProfile := slices.ContainsFunc(held.CustomerProfiles, func(b trusthubsim.BundleState) bool {
			return slices.ContainsFunc(b.ChannelEndpointAssignments, func(a trusthubsim.ChannelAssignmentState) bool {
				return a.ChannelEndpointSID == form.Get("ChannelEndpointSid")
			})
		})
		if !onProfile {
			w.violated("out of order: %s puts a number on the product that is not on the profile", of)
		}
	}
}

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

// census counts what a subaccount holds, by name or by parent and object.
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
	for live, h := range map[bool]trusthubsim.Holdings{true: held.Holdings, false: held.Deleted.Holdings} {
		for _, b := range slices.Concat(h.CustomerProfiles, h.TrustProducts) {
			add(live, b.FriendlyName)
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
			add(live, u.FriendlyName)
		}
		for _, a := range h.Addresses {
			add(live, a.FriendlyName)
		}
	}
	return counts
}

// counted checks, after each request that changes something at Twilio, that nothing was made twice: but for what the network itself sent
// twice.
func (w *world) counted(of call) {
	surplus := 0
	for key, c := range census(w.sim.State().Accounts[w.subaccounts[of.id]]) {
		surplus += c.made - 1
		if c.made-1 > w.doubled {
			w.violated("made twice: %s, %d times", key, c.made)
		}
	}
	if surplus > w.doubled {
		w.violated("made twice: there are %d too many, of which the network made %d (%s)", surplus, w.doubled, of)
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
	for _, s := range c.Steps {
		if was := before.Step(s.Key); was != nil && was.State == s.State {
			w.take(move{s.State, s.State})
		}
		if s.Key.IsReview() && s.State == onboarding.StepSucceeded {
			w.reviewedTruly(c.ID, s.Key)
		}
	}
}

// reviewedTruly checks that the reviewers have approved what the ledger says they have.
func (w *world) reviewedTruly(id onboarding.ID, review onboarding.Key) {
	o := w.get(id)
	sid := o.SID(onboarding.Key(strings.TrimSuffix(string(review), ".review")))
	b := bundle(w.sim.State().Accounts[w.subaccounts[id]], sid)
	if b == nil || b.Submissions == 0 || b.Status != trusthubsim.StatusApproved && b.Status != trusthubsim.StatusRejected {
		w.violated("believed: %s of %s is concluded, and nobody has reviewed it", review, id)
	}
}

// finished checks an onboarding that is over: the ledger and Twilio agree, and there is one of everything.
func (w *world) finished() {
	for _, id := range w.ids {
		o := w.get(id)
		held := w.sim.State().Accounts[w.subaccounts[id]]
		live := map[string]bool{}
		kept := w.kept(id)
		for key, c := range census(held) {
			if c.live > 1 && c.live-1 > kept[key] {
				w.violated("left twice: %s", key)
			}
		}
		for _, b := range slices.Concat(held.CustomerProfiles, held.TrustProducts) {
			if b.SID != o.SID("customer_profile") && b.SID != o.SID("trust_product") {
				continue // a surplus one that Twilio refused to remove
			}
			live[b.SID] = b.Status == trusthubsim.StatusApproved
			for _, a := range b.EntityAssignments {
				live[a.SID] = true
			}
			for _, a := range b.ChannelEndpointAssignments {
				live[a.SID] = true
			}
			for _, e := range b.Evaluations {
				live[e.SID] = e.Status == "compliant"
			}
			if len(b.ChannelEndpointAssignments) != w.scenario.numbers {
				w.violated("lost: %s has %d numbers, want %d", b.SID, len(b.ChannelEndpointAssignments), w.scenario.numbers)
			}
		}
		for _, u := range slices.Concat(held.EndUsers, held.SupportingDocuments) {
			live[u.SID] = true
		}
		for _, a := range held.Addresses {
			live[a.SID] = true
		}
		for _, s := range o.Steps {
			if s.SID != "" && s.Key != "preflight" && !live[s.SID] {
				w.violated("lost: %s of %s is %s in the ledger, which Twilio does not have", s.Key, id, s.SID)
			}
		}
		w.moves(id)
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
		if e.Kind == "step.extra_kept" {
			kept[fmt.Sprintf("%s/%s", id, e.Step)]++
		}
	}
	return kept
}

// moves reads from the history how each step went from state to state, and checks that the table of transitions has each way.
func (w *world) moves(id onboarding.ID) {
	events, err := w.store.Events(w.ctx, id)
	if err != nil {
		w.violated("events: %v", err)
	}
	at := map[onboarding.Key]onboarding.State{}
	for _, e := range events {
		to, ok := strings.CutPrefix(e.Kind, "step.")
		if !ok || e.Kind == "step.outcome_unknown" || e.Kind == "step.adopted" || strings.HasPrefix(e.Kind, "step.extra_") {
			continue
		}
		from := cmp.Or(at[e.Step], onboarding.StepPending)
		way := move{from, onboarding.State(to)}
		w.take(way)
		at[e.Step] = way.to
		if !slices.ContainsFunc(onboarding.Transitions(), func(t onboarding.Transition) bool { return t.From == way.from && t.To == way.to }) {
			w.violated("no such way: %s of %s goes from %s to %s", e.Step, id, way.from, way.to)
		}
	}
}
