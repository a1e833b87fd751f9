package trusthubsim

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// TestAnAutomaticReview goes to in-review half-way, and the product's ends only after the
// profile's.
func TestAnAutomaticReview(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, Config{ReviewDelay: 10 * time.Second})
		p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
		want := func(status Status) {
			t.Helper()
			synctest.Wait()
			if got := b.sub.status(p.path); got != string(status) {
				t.Errorf("the profile is %s, want %s", got, status)
			}
		}
		b.sub.submit(p.path)
		want(StatusPendingReview)
		pass(4 * time.Second)
		want(StatusPendingReview)
		pass(2 * time.Second)
		want(StatusInReview)
		pass(4 * time.Second)
		want(StatusApproved)
		got, err := time.Parse(time.RFC3339, b.sub.get(p.path).text("valid_until"))
		if wanted := time.Now().Add(365 * 24 * time.Hour); err != nil || got.Sub(wanted).Abs() > time.Second {
			t.Errorf("valid until %v (%v), want %v", got, err, wanted)
		}
	})
}

// TestAProductWaitsForItsProfile: its review does not end before the profile is approved.
func TestAProductWaitsForItsProfile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, Config{ReviewDelay: 10 * time.Second, ProductGate: GateSubmitted})
		p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
		b.sub.post("/v1/EndUsers/"+p.business, "Attributes", business("business_registration_number", "12-3450000")).want(200)
		product := productPath(b.sub.draftProduct(PolicyShakenStir))
		b.sub.assign(product, p.profile).want(201)
		b.sub.submit(p.path)
		b.sub.submit(product)
		pass(20 * time.Second)
		synctest.Wait()
		if profile, got := b.sub.status(p.path), b.sub.status(product); profile != "twilio-rejected" || got != "in-review" {
			t.Fatalf("the profile is %s and the product %s", profile, got)
		}
		b.sub.post("/v1/EndUsers/"+p.business, "Attributes", business()).want(200)
		b.sub.submit(p.path)
		pass(10 * time.Second)
		synctest.Wait()
		if profile, got := b.sub.status(p.path), b.sub.status(product); profile != "twilio-approved" || got != "twilio-approved" {
			t.Errorf("the profile is %s and the product %s", profile, got)
		}
	})
}

// TestARejectionIsCorrected on the same SID, whatever it was about, and leads to approval.
func TestARejectionIsCorrected(t *testing.T) {
	t.Parallel()
	for _, test := range reviewCases {
		if test.policy != PolicySecondaryProfile {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			b := setup(t, Config{ReviewDelay: time.Second, CallbackClient: &mailbox{}, Doubts: test.needs})
			p, second := b.customer(test.flaw)
			review := func(want string) {
				t.Helper()
				b.sub.submit(p.path)
				if got := b.sub.get(p.path).body["errors"]; got != nil {
					t.Errorf("errors %v while in review", got)
				}
				pass(time.Second)
				if got := b.outcome(p.path); got != want {
					t.Errorf("the profile is %s, want %s", got, want)
				}
			}
			review(rejected(test.code))
			if got := b.sub.get(p.path).body["valid_until"]; got != nil {
				t.Errorf("rejected, it is valid until %v", got)
			}
			b.sub.post(p.path, "Email", "notify@example.com").want(200)
			b.sub.post("/v1/EndUsers/"+p.business, "Attributes", business()).want(200)
			b.sub.post("/v1/EndUsers/"+p.representative, "Attributes", representative()).want(200)
			b.sub.post("/v1/EndUsers/"+second, "Attributes", representative()).want(200)
			b.sub.post("/v1/SupportingDocuments/"+p.document, "Attributes", `{"address_sids": "`+p.address+`"}`).want(200)
			review(approvedOutcome)
			if got := b.sim.State().Accounts[b.sub.sid].CustomerProfiles[0].Submissions; got != 2 {
				t.Errorf("%d submissions, want 2", got)
			}
		})
	}
}

// TestManualReviews decide when they are told to, and may be taken back.
func TestManualReviews(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, Config{Review: ReviewManual, ReviewDelay: time.Second})
		p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
		refused := func(sid string, status Status, want error) {
			t.Helper()
			if err := b.sim.Review(sid, Decision{Status: status}); !errors.Is(err, want) {
				t.Errorf("reviewing %s: %v, want %v", sid, err, want)
			}
		}
		refused(p.profile, StatusApproved, ErrNotReviewed)
		refused("BU00000000000000000000000000000000", StatusApproved, ErrNoSuchBundle)
		b.sub.submit(p.path)
		pass(time.Hour)
		if got := b.sub.status(p.path); got != "pending-review" {
			t.Fatalf("without a decision the profile is %s", got)
		}
		refused(p.profile, StatusDraft, ErrNotReviewed)
		refused(p.profile, "approved", ErrNotReviewed)
		for _, status := range []Status{StatusInReview, StatusRejected, StatusApproved, StatusRejected} {
			b.decide(t, p.profile, status)
			if got := b.sub.status(p.path); got != string(status) {
				t.Errorf("the profile is %s, want %s", got, status)
			}
		}
		refused(p.profile, StatusInReview, ErrNotReviewed)
		if got := fmt.Sprint(b.sub.get(p.path).body["errors"]); got != "[]" {
			t.Errorf("a rejection without codes has errors %s, want an empty list", got)
		}
	})
}

// TestApprovalsLapse: past its valid_until a profile still says approved, but no longer supports a
// product.
func TestApprovalsLapse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, Config{ReviewDelay: time.Second, ApprovalValidity: time.Hour})
		p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
		b.sub.submit(p.path)
		pass(time.Second)
		synctest.Wait()
		product := productPath(b.sub.draftProduct(PolicyShakenStir))
		b.sub.assign(product, p.profile).want(201)
		if got := b.sub.evaluate(product).text("status"); got != "compliant" {
			t.Fatalf("before the lapse the product is %s", got)
		}
		pass(time.Hour)
		if got := b.sub.status(p.path); got != "twilio-approved" {
			t.Errorf("after the lapse the profile is %s", got)
		}
		if got := b.sub.evaluate(product).text("status"); got != "noncompliant" {
			t.Errorf("after the lapse the product is %s", got)
		}
	})
}

// TestAnApprovalIsTakenBack by command, with codes and a callback; the correction leads to approval
// again.
func TestAnApprovalIsTakenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &mailbox{}
		b, p := called(t, Callbacks{}, m, StatusApproved)
		before := len(m.received())
		b.sub.post("/v1/EndUsers/"+p.business, "Attributes", business()).refused(409, codeConflict)
		if status, _ := b.control(t, http.MethodPost, "/_sim/reviews/"+p.profile, `{"status": "twilio-rejected", "errors": [{"code": 18602}]}`); status != 204 {
			t.Fatalf("the decision is answered %d", status)
		}
		got := m.received()[before:]
		if want := values("AccountSid", b.sub.sid, "BundleSid", p.profile, "Status", "twilio-rejected", "FailureReason", wordsByCode[18602]); len(got) != 1 || got[0].body != want.Encode() {
			t.Errorf("callbacks %+v, want one of %s", got, want.Encode())
		}
		if r := b.sub.get(p.path); r.text("status") != "twilio-rejected" || fmt.Sprint(r.body["errors"]) != "[map[code:18602]]" || r.body["valid_until"] != nil {
			t.Errorf("the profile reads %v", r.body)
		}
		b.sub.post("/v1/EndUsers/"+p.business, "Attributes", business("business_registration_number", "98-7654321")).want(200)
		if got := b.sub.submit(p.path); got != "pending-review" {
			t.Errorf("submitted again: %s", got)
		}
		b.decide(t, p.profile, StatusApproved)
	})
}

// TestAnApprovalEndsWhenItIsTold: a past valid_until makes the bundle count as not approved, a
// later one restores it, and neither calls back.
func TestAnApprovalEndsWhenItIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &mailbox{}
		b, p := called(t, Callbacks{}, m, StatusApproved)
		before := len(m.received())
		product := productPath(b.sub.draftProduct(PolicyShakenStir))
		b.sub.assign(product, p.profile).want(201)
		for _, test := range []struct {
			until time.Duration
			want  string
		}{{-time.Second, "noncompliant"}, {time.Hour, "compliant"}} {
			until := time.Now().UTC().Add(test.until).Truncate(time.Second)
			body := fmt.Sprintf(`{"status": "twilio-approved", "valid_until": %q}`, until.Format(time.RFC3339))
			if status, _ := b.control(t, http.MethodPost, "/_sim/reviews/"+p.profile, body); status != 204 {
				t.Fatalf("%s is answered %d", body, status)
			}
			r := b.sub.get(p.path)
			if got := r.text("valid_until"); r.text("status") != "twilio-approved" || got != until.Format(time.RFC3339) {
				t.Errorf("the profile is %s until %s, want %v", r.text("status"), got, until)
			}
			if got := b.sub.evaluate(product).text("status"); got != test.want {
				t.Errorf("with an approval until %v the product is %s, want %s", until, got, test.want)
			}
		}
		if got := m.received()[before:]; len(got) != 0 {
			t.Errorf("callbacks %+v", got)
		}
	})
}

// TestAFinalProductGivesItsNumbersUp, so that another product can have them.
func TestAFinalProductGivesItsNumbersUp(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Review: ReviewManual, RejectedProductsFinal: true})
	a := b.approvedPair(t)
	b.decide(t, a.product, StatusRejected, 18602)
	b.sub.addNumber(a.productPath, b.sub.number()).refused(409, codeConflict)
	b.sub.delete(a.productPath+"/EntityAssignments/"+a.productAssignment).refused(409, codeConflict)
	next := productPath(b.sub.draftProduct(PolicyShakenStir))
	b.sub.assign(next, a.profile).want(201)
	b.sub.addNumber(next, a.number).refused(409, codeConflict)
	b.sub.delete(a.productPath + "/ChannelEndpointAssignments/" + a.onProduct).want(204)
	b.sub.addNumber(next, a.number).want(201)
	b.sub.delete(a.productPath).want(204)
}

// TestReopeningARejectedProduct is possible unless the switch forbids it; a profile can always be
// corrected.
func TestReopeningARejectedProduct(t *testing.T) {
	t.Parallel()
	for _, final := range []bool{false, true} {
		b := setup(t, Config{Review: ReviewManual, RejectedProductsFinal: final})
		p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
		b.sub.submit(p.path)
		b.decide(t, p.profile, StatusRejected, 18601)
		b.sub.submit(p.path)
		b.decide(t, p.profile, StatusApproved)
		sid := b.sub.draftProduct(PolicyShakenStir)
		b.sub.assign(productPath(sid), p.profile).want(201)
		b.sub.submit(productPath(sid))
		b.decide(t, sid, StatusRejected, 18601)
		edit, again := b.sub.post(productPath(sid), "FriendlyName", "Renamed"), b.sub.post(productPath(sid), "Status", "pending-review")
		if final {
			edit.refused(409, codeConflict)
			again.refused(409, codeConflict)
			b.sub.delete(productPath(sid)).want(204)
			continue
		}
		edit.want(200)
		if again.want(200); again.text("status") != "pending-review" {
			t.Errorf("resubmitted: %s", again.text("status"))
		}
	}
}

// TestCloseStopsReviews and does not wait for them.
func TestCloseStopsReviews(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, Config{ReviewDelay: time.Second})
		p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
		b.sub.submit(p.path)
		b.sim.Close()
		pass(time.Hour)
		if got := b.sub.status(p.path); got != "pending-review" {
			t.Errorf("after Close the profile went on to %s", got)
		}
	})
}
