package trusthubsim

import (
	"net/http"
	"strings"
	"testing"
)

// TestEditsOfWhatIsApproved are refused or, with the switch, made, and the bundle is submitted
// again.
func TestEditsOfWhatIsApproved(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{false, true} {
		b := setup(t, Config{Review: ReviewManual, Doubts: Doubts{EditApproved: allowed}})
		a := b.approvedPair(t)
		for name, edit := range map[string]func() result{
			"an end user":      func() result { return b.sub.post("/v1/EndUsers/"+a.business, "Attributes", business()) },
			"a document":       func() result { return b.sub.post("/v1/SupportingDocuments/"+a.document, "FriendlyName", "Renamed") },
			"the profile":      func() result { return b.sub.post(a.path, "Email", "other@example.com") },
			"the product":      func() result { return b.sub.post(a.productPath, "Email", "other@example.com") },
			"an address":       func() result { return b.sub.post(b.sub.v2010("/Addresses/"+a.address+".json"), "Street", "2 Main St") },
			"the submission":   func() result { return b.sub.post(a.path, "Status", "pending-review") },
			"the product's":    func() result { return b.sub.post(a.productPath, "Status", "pending-review") },
			"the parent's":     func() result { return b.parent.post(profilePath(DefaultPrimaryProfileSID), "Email", "x@example.com") },
			"after it as well": func() result { return b.sub.post(a.path+"/EntityAssignments", "ObjectSid", a.business) },
		} {
			r := edit()
			switch {
			case name == "the parent's" || name == "after it as well":
				r.want(http.StatusConflict)
			case allowed && (name == "the submission" || strings.HasPrefix(name, "the product's")):
				if r.want(200); r.text("status") != "pending-review" {
					t.Errorf("%s: %s", name, r.text("status"))
				}
				sid := r.text("sid")
				b.decide(t, sid, StatusApproved)
			case allowed:
				r.want(200)
			case name == "an address":
				r.refused(400, codeAddressLinked)
			default:
				r.refused(409, codeConflict)
			}
		}
	}
}

// TestStatusWithItsCallback: Twilio's guide sends both in one update. Nothing else goes with
// Status, and with the switch not even that.
func TestStatusWithItsCallback(t *testing.T) {
	t.Parallel()
	const target = "https://example.com/status"
	for _, alone := range []bool{false, true} {
		b := setup(t, Config{Review: ReviewManual, Doubts: Doubts{StatusAlone: alone}, CallbackClient: &mailbox{}})
		p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
		b.sub.post(p.path, "Status", "pending-review", "FriendlyName", "x").refused(400, codeStatusAndProps)
		b.sub.post(p.path, "Status", "pending-review", "StatusCallback", target, "Email", "x@example.com").refused(400, codeStatusAndProps)
		b.sub.post(p.path, "Status", "twilio-approved", "StatusCallback", target).want(400)
		r := b.sub.post(p.path, "Status", "pending-review", "StatusCallback", target)
		if alone {
			r.refused(400, codeStatusAndProps)
			continue
		}
		if r.want(200); r.text("status") != "pending-review" || r.text("status_callback") != target {
			t.Errorf("answered %v", r.body)
		}
		b.sub.post(p.path, "Status", "pending-review", "StatusCallback", "https://example.com/other").refused(409, codeConflict)
		if got := b.sub.get(p.path).text("status_callback"); got != target {
			t.Errorf("a refused submission left the callback %s", got)
		}
	}
}

// TestSubmissionSwitches: the answer that says in-review at once, and the refusal of what is
// incomplete, which leaves everything as it was.
func TestSubmissionSwitches(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Review: ReviewManual, Doubts: Doubts{SubmittedInReview: true, RefuseIncomplete: true}})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	if got := b.sub.submit(p.path); got != "in-review" {
		t.Errorf("submitted: %s", got)
	}
	b.sub.post(p.path, "Status", "pending-review").refused(409, codeConflict)
	b.decide(t, p.profile, StatusApproved)

	empty := profilePath(b.sub.draftProfile())
	b.sub.post(empty, "Status", "pending-review", "StatusCallback", callbackURL).refused(400, codeBadRequest)
	if r := b.sub.get(empty); r.text("status") != "draft" || r.body["status_callback"] != nil {
		t.Errorf("refused, it is %v", r.body)
	}
}

// TestAnUpdateOfAttributesReplacesAll: what is left out is gone.
func TestAnUpdateOfAttributesReplacesAll(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	r := b.sub.post("/v1/EndUsers/"+p.representative, "Attributes", `{"email": "other@example.com"}`).want(200)
	if attributes := r.body["attributes"].(map[string]any); len(attributes) != 1 || attributes["email"] != "other@example.com" {
		t.Errorf("after the update: %v", attributes)
	}
	if got := b.sub.evaluate(p.path).failures(); len(got) != 6 {
		t.Errorf("the evaluation misses %q", got)
	}
}
