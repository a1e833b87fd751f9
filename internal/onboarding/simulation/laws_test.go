package simulation

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// This file has what must hold of each call as it leaves; counts_test.go what must hold of what
// there is at Twilio, and end_test.go what must hold when everything is over.

// request is a request that leaves a process, with what is known of where it goes.
type request struct {
	call
	*http.Request
	form url.Values
	// resource and sid are what it is about: "EndUsers" and the end user's SID, say; sid is "" if
	// something is made. Of what is on a bundle part is the collection, such as
	// "EntityAssignments", and sid the bundle's; partSID is "" if something is put on it.
	resource, sid, part, partSID string

	o    *onboarding.Onboarding
	held trusthubsim.AccountState
}

// departs checks a request that leaves a process.
func (w *world) departs(of call, r *http.Request, body []byte) {
	w.judging.Lock()
	defer w.judging.Unlock()
	x := request{call: of, Request: r}
	w.signedRightly(x)
	if r.Method == http.MethodGet {
		return
	}
	x.form, _ = url.ParseQuery(string(body))
	x.o = w.get(of.id)
	x.held = w.sim.State().Accounts[w.account(of.id)]
	path, ok := strings.CutPrefix(strings.TrimSuffix(r.URL.Path, ".json"), "/2010-04-01/Accounts/"+w.account(of.id)+"/")
	if !ok {
		path = strings.TrimPrefix(path, "/v1/")
	}
	parts := append(strings.Split(path, "/"), "", "", "")
	x.resource, x.sid, x.part, x.partSID = parts[0], parts[1], parts[2], parts[3]
	w.intended(x)
	w.afterCancellation(x)
	if r.Method == http.MethodDelete {
		w.removedRightly(x)
		return
	}
	w.editedRightly(x)
	w.inOrder(x)
}

// signedRightly: a request is signed by the account that it is meant for, and is about the
// onboarding's account and no other.
func (w *world) signedRightly(x request) {
	user, _, _ := x.BasicAuth()
	sub, parent := w.account(x.id), trusthubsim.DefaultAccountSID
	path := x.URL.Path
	by := sub
	isPrimary := x.key == "preflight" && strings.HasSuffix(path, "/"+trusthubsim.DefaultPrimaryProfileSID)
	switch of, ok := strings.CutPrefix(path, "/2010-04-01/Accounts"); {
	case isPrimary, of == ".json" && x.key == "subaccount", of == "/"+sub+".json", strings.HasPrefix(of, "/"+sub+"/IncomingPhoneNumbers"):
		by = parent
	case ok && !strings.HasPrefix(of, "/"+sub+"/"):
		w.violated("wrong account: %s %s %s", x.call, x.Method, path)
	}
	if user != by {
		w.violated("wrong account: %s %s %s is signed by %s", x.call, x.Method, path, user)
	}
}

// intended: if a call may leave something behind, the ledger knows of it. An evaluation that was
// about to leave when a correction came changes nothing.
func (w *world) intended(x request) {
	step := x.o.Step(x.key)
	if x.part == "Evaluations" && x.does && step != nil && step.State == onboarding.StepPending && w.amendedAt[x.id].After(x.since) {
		return
	}
	if !x.does && !x.removes || step == nil || step.State != onboarding.StepRunning {
		w.violated("without an intent: %s %s %s leaves", x.call, x.Method, x.URL.Path)
	}
}

// afterCancellation: a run that began after the onboarding was canceled makes nothing, and hands in
// nothing; without cleanup it removes nothing but what is surplus.
func (w *world) afterCancellation(x request) {
	if x.o.CanceledAt.IsZero() || !x.since.After(x.o.CanceledAt) {
		return
	}
	step := x.o.Step(x.key)
	if x.Method != http.MethodDelete || !x.o.Cleanup && step != nil && step.SID == last(x.sid, x.partSID) {
		w.violated("after the end: %s %s %s leaves, and %s was canceled", x.call, x.Method, x.URL.Path, x.id)
	}
}

// last is the last that is not empty.
func last(all ...string) string {
	for _, s := range slices.Backward(all) {
		if s != "" {
			return s
		}
	}
	return ""
}

// removedRightly: what is deleted is surplus, or is what the plan takes back; never what was there
// before, nor a number that is wanted, nor what is on a bundle that was approved, unless all of it
// goes.
func (w *world) removedRightly(x request) {
	sid := last(x.sid, x.partSID)
	isNumber := x.part == "ChannelEndpointAssignments"
	if w.handmade[sid] && !(x.part != "" && x.o.CanceledAt.IsZero()) {
		w.violated("removed: %s %s, which was there before", x.call, x.URL.Path)
	}
	step := x.o.Step(x.key)
	back := step != nil && step.SID == sid && w.takesBack(x)
	for _, s := range x.o.Steps {
		if s.SID == sid && !(back && s.Key == x.key) {
			w.violated("removed: %s %s, which is what the ledger holds for %s", x.call, x.URL.Path, s.Key)
		}
	}
	if back {
		w.back[sid] = true
	}
	b := bundle(x.held, x.sid)
	switch {
	case b == nil || x.part == "":
	case !isNumber && b.Status == trusthubsim.StatusApproved && x.o.CanceledAt.IsZero():
		w.violated("edited: %s takes something off %s, which is %s", x.call, b.SID, b.Status)
	case isNumber && back:
		w.numberRemovedRightly(x, b)
	}
}

// takesBack tells whether the plan is to take back what the step has made, or was when the run
// began.
func (w *world) takesBack(x request) bool {
	if !x.o.CanceledAt.IsZero() && !x.since.After(x.o.CanceledAt) {
		return true
	}
	return slices.ContainsFunc(w.plan.Nodes(x.o), func(n onboarding.Node) bool { return n.Key == x.key && n.Aim == onboarding.AimGone })
}

// numberRemovedRightly: a number leaves only if nobody wants it, and the products before the
// profile.
func (w *world) numberRemovedRightly(x request, b *trusthubsim.BundleState) {
	var number string
	for _, a := range b.ChannelEndpointAssignments {
		if a.SID == x.partSID {
			number = a.ChannelEndpointSID
		}
	}
	for _, n := range x.held.IncomingPhoneNumbers {
		named := slices.Contains(x.o.Request.PhoneNumbers, n.SID) || slices.Contains(x.o.Request.PhoneNumbers, n.PhoneNumber)
		if n.SID == number && x.o.CanceledAt.IsZero() && (named || x.o.Request.AllPhoneNumbers && w.amongAll[string(x.id)+number]) {
			w.violated("removed: %s takes %s off %s, and it is wanted", x.call, number, b.SID)
		}
	}
	if x.resource != "CustomerProfiles" {
		return
	}
	for _, p := range x.held.TrustProducts {
		if a := assignmentOf(p, number); a != "" && !w.handmade[a] {
			w.violated("out of order: %s takes %s off the profile, and it is on %s", x.call, number, p.SID)
		}
	}
}

func hasNumber(b trusthubsim.BundleState, number string) bool { return assignmentOf(b, number) != "" }

// assignmentOf is the SID of the assignment that puts the number on the bundle, or "".
func assignmentOf(b trusthubsim.BundleState, number string) string {
	for _, a := range b.ChannelEndpointAssignments {
		if a.ChannelEndpointSID == number {
			return a.SID
		}
	}
	return ""
}

// editedRightly: only what holds what a person has corrected is written to, and nothing that is
// under review or approved.
func (w *world) editedRightly(x request) {
	isObject := x.resource == "EndUsers" || x.resource == "SupportingDocuments" || x.resource == "Addresses"
	isBundle := x.resource == "CustomerProfiles" || x.resource == "TrustProducts"
	switch {
	case isObject && x.sid != "":
		if !w.writable[string(x.id)+" "+string(x.key)] {
			w.violated("edited: %s writes to %s, and nobody has corrected it", x.call, x.sid)
		}
		for _, b := range bundlesWith(x.held, x.sid) {
			if locked(b) {
				w.violated("edited: %s writes to %s, which is on %s, which is %s", x.call, x.sid, b.SID, b.Status)
			}
		}
	case isBundle && x.sid != "" && (x.part == "EntityAssignments" || x.part == ""):
		if b := bundle(x.held, x.sid); b != nil && locked(*b) {
			w.violated("edited: %s posts to %s, which is %s", x.call, b.SID, b.Status)
		}
	}
}

func locked(b trusthubsim.BundleState) bool {
	return b.Status == trusthubsim.StatusPendingReview || b.Status == trusthubsim.StatusInReview || b.Status == trusthubsim.StatusApproved
}

// bundlesWith are the bundles that an object is on: an address with the document that names it.
func bundlesWith(held trusthubsim.AccountState, sid string) []trusthubsim.BundleState {
	objects := []string{sid}
	for _, d := range held.SupportingDocuments {
		if named, _ := d.Attributes["address_sids"].(string); strings.Contains(named, sid) {
			objects = append(objects, d.SID)
		}
	}
	var with []trusthubsim.BundleState
	for _, b := range slices.Concat(held.CustomerProfiles, held.TrustProducts) {
		if slices.ContainsFunc(b.EntityAssignments, func(a trusthubsim.EntityAssignmentState) bool { return slices.Contains(objects, a.ObjectSID) }) {
			with = append(with, b)
		}
	}
	return with
}

// inOrder: nothing is submitted that was not found compliant after its last edit, and no number
// reaches a product before the profile.
func (w *world) inOrder(x request) {
	switch {
	case x.form.Get("Status") != "":
		w.wrote(x.id) // What came of a request is seen only when its answer is on the way.
		b := bundle(x.held, x.sid)
		if b == nil || len(b.Evaluations) == 0 || b.Evaluations[len(b.Evaluations)-1].Status != "compliant" {
			w.violated("out of order: %s submits what was not found compliant", x.call)
		} else if w.evaluatedAt[x.sid] < w.edited[x.sid] {
			w.violated("out of order: %s submits what was edited after its evaluation", x.call)
		}
		if b != nil && b.Status == trusthubsim.StatusRejected && x.o.Step(x.key).Attempts > 1 {
			// What became of the submission before is not known, and it may have been rejected
			// since: a review too much is the price.
			w.again[x.sid+" submitted"]++
		}
	case x.resource == "TrustProducts" && x.part == "ChannelEndpointAssignments":
		number := x.form.Get("ChannelEndpointSid")
		if !w.gone[number] && !slices.ContainsFunc(x.held.CustomerProfiles, func(b trusthubsim.BundleState) bool { return hasNumber(b, number) }) {
			w.violated("out of order: %s puts a number on the product that is not on the profile", x.call)
		}
	}
}

// wrote notes what a request has changed at Twilio: which bundles were edited, and which evaluated.
func (w *world) wrote(id onboarding.ID) {
	w.changes++
	for sid, is := range w.look(id) {
		if is.edited {
			w.edited[sid] = w.changes
		}
		if is.evaluated {
			w.evaluatedAt[sid] = w.changes
		}
	}
}

// changed says what has become of a bundle since it was looked at last.
type changed struct{ edited, evaluated bool }

// look compares the bundles of the onboarding's subaccount with what was seen of them before: what
// is on them but numbers, with what that says, and how often they were evaluated.
func (w *world) look(id onboarding.ID) map[string]changed {
	held := w.sim.State().Accounts[w.account(id)]
	says := map[string]any{}
	for _, u := range slices.Concat(held.EndUsers, held.SupportingDocuments) {
		says[u.SID] = u.Attributes
	}
	for _, a := range held.Addresses {
		says[a.SID] = a
	}
	all := map[string]changed{}
	for _, b := range slices.Concat(held.CustomerProfiles, held.TrustProducts) {
		var text strings.Builder
		for _, a := range b.EntityAssignments {
			fmt.Fprintf(&text, "%s %v;", a.SID, says[a.ObjectSID])
			if document, ok := says[a.ObjectSID].(map[string]any); ok && a.ObjectType == "customer_profile_address" {
				address, _ := document["address_sids"].(string)
				fmt.Fprint(&text, says[address])
			}
		}
		evaluations := fmt.Sprint(len(b.Evaluations))
		all[b.SID] = changed{edited: w.seen[b.SID] != text.String(), evaluated: w.seen[b.SID+" evaluations"] != evaluations}
		w.seen[b.SID], w.seen[b.SID+" evaluations"] = text.String(), evaluations
	}
	return all
}
