package simulation

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// move is a step's way from one state to another.
type move struct {
	read     bool // the step only reads
	from, to onboarding.State
}

// charted tells whether the chart of such a step has the way.
func (m move) charted() bool {
	chart := onboarding.DeedChart()
	if m.read {
		chart = onboarding.ReadChart()
	}
	return m.from == m.to || slices.ContainsFunc(chart, func(t onboarding.Transition) bool { return t.To == m.to && slices.Contains(t.From, m.from) })
}

func isReview(k onboarding.Key) bool {
	return strings.HasSuffix(string(k), ".review")
}

// finished checks what must hold when everything is over.
func (w *world) finished() {
	for _, id := range w.ids {
		o := w.get(id)
		held := w.sim.State().Accounts[w.account(id)]
		kept := w.kept(id)
		for key, c := range census(held) {
			if c.live > 1 && c.live-1 > kept[key]+w.beside[key] && !strings.HasSuffix(key, " submitted") {
				w.violated("left twice: %s", key)
			}
		}
		if o.Status() == onboarding.StatusCanceled {
			w.ended(o, held)
		} else {
			w.agreed(o, held)
			w.correctedAtTwilio(o, held)
		}
		w.attested(o, held)
		w.moves(id)
	}
}

// agreed checks that what the ledger holds is at Twilio, with the numbers that are wanted and no
// others.
func (w *world) agreed(o *onboarding.Onboarding, held trusthubsim.AccountState) {
	live := liveSIDs(held)
	for _, s := range o.Steps {
		isNumber := strings.Contains(string(s.Key), ".number.")
		if s.SID != "" && s.State == onboarding.StepSucceeded && !strings.Contains(string(s.Key), ".replaced.") && s.Key != "preflight" && s.Key != "subaccount" && !live[s.SID] && !(w.broken[o.ID] && !isNumber) {
			w.violated("lost: %s of %s is %s in the ledger, which Twilio does not have", s.Key, o.ID, s.SID)
		}
	}
	wanted := wantedNumbers(o, held)
	for _, b := range w.ours(o.ID) {
		on := map[string]bool{}
		for _, a := range b.ChannelEndpointAssignments {
			if wanted[a.ChannelEndpointSID] || !w.handmade[a.SID] { // What was there before may stay.
				on[a.ChannelEndpointSID] = true
			}
		}
		if !maps.Equal(on, wanted) && !w.broken[o.ID] {
			w.violated("lost: %s has %d numbers, want %d", b.SID, len(on), len(wanted))
		}
	}
}

// liveSIDs are those of all that the subaccount holds. An evaluation counts if it went well.
func liveSIDs(held trusthubsim.AccountState) map[string]bool {
	live := map[string]bool{}
	for _, b := range slices.Concat(held.CustomerProfiles, held.TrustProducts) {
		live[b.SID] = true
		for _, a := range b.EntityAssignments {
			live[a.SID] = true
		}
		for _, a := range b.ChannelEndpointAssignments {
			live[a.SID] = true
		}
		for _, e := range b.Evaluations {
			live[e.SID] = e.Status == "compliant"
		}
	}
	for _, u := range slices.Concat(held.EndUsers, held.SupportingDocuments) {
		live[u.SID] = true
	}
	for _, a := range held.Addresses {
		live[a.SID] = true
	}
	return live
}

// wantedNumbers are the SIDs of the numbers that the request means and the subaccount has.
func wantedNumbers(o *onboarding.Onboarding, held trusthubsim.AccountState) map[string]bool {
	wanted := map[string]bool{}
	for _, n := range held.IncomingPhoneNumbers {
		if o.Request.AllPhoneNumbers || slices.Contains(o.Request.PhoneNumbers, n.SID) || slices.Contains(o.Request.PhoneNumbers, n.PhoneNumber) {
			wanted[n.SID] = true
		}
	}
	return wanted
}

// correctedAtTwilio checks that what Twilio holds is what the request says by now, as far as
// attestd wrote it.
func (w *world) correctedAtTwilio(o *onboarding.Onboarding, held trusthubsim.AccountState) {
	says := func(key onboarding.Key, want map[string]string) {
		for _, u := range held.EndUsers {
			if u.SID != o.SID(key) || w.handmade[u.SID] && !w.writable[string(o.ID)+" "+string(key)] {
				continue
			}
			for name, value := range want {
				if u.Attributes[name] != value {
					w.violated("not corrected: %s of %s has another %s than the request", key, o.ID, name)
				}
			}
		}
	}
	r := o.Request
	says("business_information", r.Business.Attributes())
	says("representative_1", r.AuthorizedRepresentatives[0].Attributes())
	if len(r.AuthorizedRepresentatives) > 1 {
		says("representative_2", r.AuthorizedRepresentatives[1].Attributes())
	}
	says("voice_integrity_user", r.VoiceIntegrity.Attributes())
	says("cnam_user", r.CNAM.Attributes())
	for _, a := range held.Addresses {
		if a.SID == o.SID("address") && r.Address.SID == "" && !w.handmade[a.SID] && (!strings.EqualFold(a.Street, r.Address.Street) || a.IsoCountry != r.Address.ISOCountry) {
			w.violated("not corrected: the address of %s is another than the request's", o.ID)
		}
	}
	for _, d := range held.SupportingDocuments {
		if d.SID == o.SID("address_document") && !w.handmade[d.SID] && d.Attributes["address_sids"] != o.SID("address") {
			w.violated("not corrected: the document of %s names another address", o.ID)
		}
	}
	for _, b := range w.ours(o.ID) {
		second := slices.ContainsFunc(b.EntityAssignments, func(a trusthubsim.EntityAssignmentState) bool { return a.ObjectType == "authorized_representative_2" })
		if b.PolicySID == trusthubsim.PolicySecondaryProfile && !w.broken[o.ID] && r.CustomerProfileSID == "" && second != (len(r.AuthorizedRepresentatives) > 1) {
			w.violated("not corrected: %s has a second representative: %t", b.SID, second)
		}
	}
}

// attested checks that the onboarding has attestation A exactly if calls from each of its numbers
// get it.
func (w *world) attested(o *onboarding.Onboarding, held trusthubsim.AccountState) {
	wanted := wantedNumbers(o, held)
	truly := len(wanted) > 0 && o.CanceledAt.IsZero()
	for _, key := range []onboarding.Key{"customer_profile", "trust_product"} {
		b := bundle(held, o.SID(key))
		if b == nil || b.Status != trusthubsim.StatusApproved || b.ValidUntil != nil && !time.Now().Before(*b.ValidUntil) {
			truly = false
			continue
		}
		for number := range wanted {
			truly = truly && hasNumber(*b, number)
		}
	}
	if says := o.Attestation() == onboarding.AttestationA; says != truly {
		w.violated("attestation: %s has it by the ledger: %t, by Twilio: %t", o.ID, says, truly)
	}
	page, _, err := w.store.List(w.ctx, onboarding.Filter{Limit: 10})
	if err != nil {
		w.violated("list: %v", err)
	}
	for _, s := range page {
		if s.ID == o.ID && (s.Attestation != o.Attestation() || s.Status != o.Status()) {
			w.violated("attestation: the list says that %s is %s with %q, and it is %s with %q", o.ID, s.Status, s.Attestation, o.Status(), o.Attestation())
		}
	}
}

// ended checks a canceled onboarding: nothing is open, and after a cleanup Twilio holds nothing of
// it that it would let go of, and the rest is told of.
func (w *world) ended(o *onboarding.Onboarding, held trusthubsim.AccountState) {
	for _, s := range o.Steps {
		if s.State != onboarding.StepCanceled && s.State != onboarding.StepSucceeded {
			w.violated("not settled: %s of %s is %s", s.Key, o.ID, s.State)
		}
	}
	live := liveSIDs(held)
	if !o.Cleanup {
		return
	}
	told := map[string]bool{}
	for _, s := range o.Kept() {
		told[s.SID] = true
		if !live[s.SID] && s.Key != "subaccount" && !w.broken[o.ID] {
			w.violated("not kept: %s of %s is said to be left, and is not there", s.Key, o.ID)
		}
	}
	mine := func(name, sid string) bool { return strings.HasPrefix(name, string(o.ID)+"/") && !w.surplus(o.ID, sid) }
	left := func(name, sid, path string) {
		switch {
		case !mine(name, sid):
		case !told[sid]:
			w.violated("left behind: %s is at Twilio and nobody is told", name)
		case o.Request.CustomerProfileSID == "" && w.send(http.MethodDelete, path+sid, nil, held.SID, held.AuthToken, nil) == nil:
			w.violated("left behind: %s, and Twilio would have let go of it", name)
		}
	}
	for _, b := range held.TrustProducts {
		left(b.FriendlyName, b.SID, "/v1/TrustProducts/")
	}
	for _, b := range held.CustomerProfiles {
		left(b.FriendlyName, b.SID, "/v1/CustomerProfiles/")
	}
	for _, u := range held.EndUsers {
		left(u.FriendlyName, u.SID, "/v1/EndUsers/")
	}
	for _, d := range held.SupportingDocuments {
		left(d.FriendlyName, d.SID, "/v1/SupportingDocuments/")
	}
	for _, a := range held.Addresses {
		left(a.FriendlyName, a.SID, "/2010-04-01/Accounts/"+held.SID+"/Addresses/")
	}
}

// surplus tells whether the history says of an object that it was found twice and could not be
// removed.
func (w *world) surplus(id onboarding.ID, sid string) bool {
	events, err := w.store.Events(w.ctx, id)
	return err == nil && slices.ContainsFunc(events, func(e onboarding.Event) bool { return e.Kind == "step.surplus_kept" && e.Detail == sid })
}

// moves reads from the history how each step went from state to state, and checks that the chart
// has each way.
func (w *world) moves(id onboarding.ID) {
	events, err := w.store.Events(w.ctx, id)
	if err != nil {
		w.violated("events: %v", err)
	}
	at := map[onboarding.Key]onboarding.State{}
	read := map[onboarding.Key]bool{}
	for _, s := range w.get(id).Steps {
		read[s.Key] = s.Kind.IsRead()
	}
	for _, e := range events {
		to, ok := strings.CutPrefix(e.Kind, "step.")
		if !ok || !slices.Contains(states, onboarding.State(to)) {
			continue
		}
		from := cmp.Or(at[e.Step], onboarding.StepPending)
		if at[e.Step] == "" && strings.Contains(string(e.Step), ".replaced.") {
			from = onboarding.StepSucceeded // It tells of what was made under another key.
		}
		way := move{read[e.Step], from, onboarding.State(to)}
		w.take(way)
		at[e.Step] = way.to
		if !way.charted() {
			w.violated("no such way: %s of %s goes from %s to %s", e.Step, id, way.from, way.to)
		}
	}
}

var states = []onboarding.State{
	onboarding.StepPending, onboarding.StepRunning, onboarding.StepWaiting, onboarding.StepSucceeded, onboarding.StepFailed, onboarding.StepCanceled,
}
