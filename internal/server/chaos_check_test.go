package server_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// requestJournal stores the requests to Twilio that had an effect, and those that Twilio refused by
// its own rules. The log of the simulator drops old requests.
type requestJournal struct {
	sim  *trusthubsim.Simulator
	mu   sync.Mutex
	kept map[int]trusthubsim.Request // by number
}

func newRequestJournal(sim *trusthubsim.Simulator) *requestJournal {
	return &requestJournal{sim: sim, kept: make(map[int]trusthubsim.Request)}
}

// keep reads the log of the simulator every now and then until ctx ends.
func (j *requestJournal) keep(ctx context.Context) {
	for wait(ctx, 5*time.Second) {
		j.take()
	}
}

func (j *requestJournal) take() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.sim.Requests() {
		if made := r.Method == http.MethodPost && r.SID != ""; made || r.Status >= 400 && r.FaultID == 0 {
			j.kept[r.Number] = r
		}
	}
}

// byAccount returns the requests by the account that they acted on, in the order of their arrival.
func (j *requestJournal) byAccount() map[string][]trusthubsim.Request {
	j.take()
	all := make(map[string][]trusthubsim.Request)
	for _, r := range j.kept {
		all[r.AccountSID] = append(all[r.AccountSID], r)
	}
	for _, requests := range all {
		slices.SortFunc(requests, func(a, b trusthubsim.Request) int { return a.Number - b.Number })
	}
	return all
}

// check checks that nothing was lost, that nothing is there twice, and that nothing came out of
// order.
func (c *chaos) check() {
	c.t.Helper()
	held, requests := c.sim.State(), c.requests.byAccount()
	for _, o := range c.orders {
		var faults []string
		a := c.get(o.id)
		account := held.Accounts[o.customer.sid]
		if a.Status != "approved" || a.Attestation == nil || *a.Attestation != "A" {
			faults = append(faults, fmt.Sprintf("status %s without attestation A", a.Status))
		}
		if diff := eachOnce(account, o.representatives, len(o.customer.numbers)); diff != "" {
			faults = append(faults, "what Twilio holds (-want +got):\n"+diff)
		}
		if len(faults) == 0 {
			if diff := cmp.Diff(sidsAtTwilio(a, account), a.sids()); diff != "" {
				faults = append(faults, "SIDs (-at Twilio +in the API):\n"+diff)
			}
			faults = append(faults, outOfOrder(account, requests[o.customer.sid])...)
		}
		for _, r := range requests[o.customer.sid] {
			if r.Status >= 400 && r.FaultID == 0 {
				faults = append(faults, fmt.Sprintf("Twilio refused %s %s %v with %d, code %d: it came at the wrong time", r.Method, r.Path, r.Form, r.Status, r.ErrorCode))
			}
		}
		if len(faults) > 0 {
			c.t.Errorf("%s\n%s", strings.Join(faults, "\n"), c.story(o.id))
		}
	}
	for _, line := range c.fleet.logLines("woke onboardings that had no job") {
		c.t.Errorf("the sweep had to wake what the protocol had left asleep: %s", line)
	}
	for _, line := range c.fleet.logLines("panic") {
		c.t.Errorf("a panic: %s", line)
	}
	var late []takeover
	for _, took := range c.takeovers() {
		if took.claimedAlone && took.claimed > takeoverLimit {
			late = append(late, took)
		}
	}
	if len(late) > 0 {
		// A log line and no failure: the time depends on what else the machine does.
		d := late[0].death
		c.t.Logf("%d onboardings went on late, the first of them %v after its replica was killed, want %v at most; since then the replicas said:\n%s", len(late),
			late[0].claimed, takeoverLimit, strings.Join(c.fleet.complaintsBetween(d.at.Add(-takeoverLimit), d.at.Add(late[0].claimed)), "\n"))
	}
}

// sidsAtTwilio are the SIDs that the steps of the onboarding should have, by what Twilio holds.
func sidsAtTwilio(a answer, held trusthubsim.AccountState) map[string]string {
	sids := map[string]string{"preflight": held.SID, "address": held.Addresses[0].SID}
	objects := objectKeys(held)
	for sid, key := range objects {
		if sid != trusthubsim.DefaultPrimaryProfileSID {
			sids[key] = sid
		}
	}
	for _, b := range slices.Concat(held.CustomerProfiles, held.TrustProducts) {
		key := objects[b.SID]
		for _, assigned := range b.EntityAssignments {
			sids[key+"."+objects[assigned.ObjectSID]] = assigned.SID
		}
		for _, assigned := range b.ChannelEndpointAssignments {
			sids[key+".number."+assigned.ChannelEndpointSID] = assigned.SID
		}
		for _, e := range b.Evaluations {
			// There may be another evaluation whose answer was lost. Nothing depends on it.
			if step := key + ".evaluation"; e.SID == a.step(step).SID && e.Status == "compliant" {
				sids[step] = e.SID
			}
		}
	}
	return sids
}

// outOfOrder returns what was done before something that must precede it. The requests are those of
// one account, in the order of their arrival.
func outOfOrder(held trusthubsim.AccountState, requests []trusthubsim.Request) (faults []string) {
	compliant := make(map[string]bool) // evaluations, and then bundles that had one
	for _, b := range slices.Concat(held.CustomerProfiles, held.TrustProducts) {
		for _, e := range b.Evaluations {
			compliant[e.SID] = e.Status == "compliant"
		}
	}
	profile, product := held.CustomerProfiles[0].SID, held.TrustProducts[0].SID
	done := make(map[string]bool)
	for _, r := range requests {
		if r.Method != http.MethodPost || r.SID == "" {
			continue
		}
		form := func(name string) string {
			if values := r.Form[name]; len(values) > 0 {
				return values[0]
			}
			return ""
		}
		bundle, what := cutBundle(r.Path)
		switch number := form("ChannelEndpointSid"); {
		case what == "Evaluations" && compliant[r.SID]:
			done["evaluated "+bundle] = true
		case what == "EntityAssignments":
			done["assigned "+form("ObjectSid")+" to "+bundle] = true
		case number != "":
			if bundle == product && !done["assigned "+number+" to "+profile] {
				faults = append(faults, number+" was put on the product before it was on the profile")
			}
			if bundle == product && !done["assigned "+profile+" to "+product] {
				faults = append(faults, number+" was put on the product before the profile was")
			}
			done["assigned "+number+" to "+bundle] = true
		case form("Status") == "pending-review" && !done["evaluated "+bundle]:
			faults = append(faults, bundle+" was submitted without a compliant evaluation")
		}
	}
	return faults
}

// cutBundle returns the bundle, and what is below it, in a path such as
// /v1/TrustProducts/BU…/Evaluations.
func cutBundle(path string) (bundle, what string) {
	parts := strings.Split(path, "/")
	if len(parts) > 3 {
		bundle = parts[3]
	}
	if len(parts) > 4 {
		what = parts[4]
	}
	return bundle, what
}

// report prints what was measured.
func (c *chaos) report(took time.Duration) {
	kinds := make(map[string]int)
	for _, d := range c.fleet.disturbances {
		kind, _, _ := strings.Cut(d.what, " for ")
		kinds[kind]++
	}
	held, twice := c.sim.State(), 0
	for _, o := range c.orders {
		twice += deletions(held.Accounts[o.customer.sid])
	}
	c.t.Logf("%d onboardings in %v: %.0f a minute", len(c.orders), took.Round(100*time.Millisecond), float64(len(c.orders))/took.Minutes())
	c.t.Logf("what was done to them: %v", kinds)
	c.t.Logf("objects that were made twice and removed: %d", twice)

	var claimed, acted, anyhow []time.Duration
	for _, one := range c.takeovers() {
		anyhow = append(anyhow, one.claimed)
		if one.claimedAlone {
			claimed = append(claimed, one.claimed)
		}
		if one.actedAlone {
			acted = append(acted, one.acted)
		}
	}
	line := func(what string, times []time.Duration) {
		typical, worst := typicalAndWorst(times)
		c.t.Logf("from a SIGKILL until another replica %s: typically %v, at worst %v (%d onboardings)", what, typical, worst, len(times))
	}
	line("had the onboarding, nothing else being wrong", claimed)
	line("called Twilio for it or wrote to its ledger, nothing else being wrong", acted)
	line("had it, whatever else was wrong", anyhow)
	c.t.Logf("what the replicas complained of: %v", c.fleet.complaints())
}
