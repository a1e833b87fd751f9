package server_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// decision is a result of a review.
type decision struct {
	trusthubsim.Decision
	// profile and product tell whether the onboarding has come to the consequence of this decision
	// about the profile, or the product.
	profile, product func(answer) bool
}

var decisions = map[string]decision{
	"approved": {
		Decision: trusthubsim.Decision{Status: trusthubsim.StatusApproved},
		profile: func(a answer) bool {
			return a.Status == "in_review" && a.CustomerProfile.Status == "twilio-approved" && a.TrustProduct.Status == "pending-review"
		},
		product: func(a answer) bool {
			return a.Status == "approved" && a.TrustProduct.Status == "twilio-approved" && a.Attestation != nil && *a.Attestation == "A"
		},
	},
	"rejected": {
		Decision: trusthubsim.Decision{Status: trusthubsim.StatusRejected, Errors: trusthubsim.Codes(18602)},
		profile: func(a answer) bool {
			return a.CustomerProfile.Status == "twilio-rejected" && corrigible(a)
		},
		product: func(a answer) bool {
			return a.CustomerProfile.Status == "twilio-approved" && a.TrustProduct.Status == "twilio-rejected" && corrigible(a)
		},
	},
}

// corrigible tells whether the onboarding waits for the one correction that the reviewer asks for.
func corrigible(a answer) bool {
	return a.Status == "action_required" && a.Attestation == nil && len(a.Requirements) == 1 &&
		a.Requirements[0].Source == "review" && strings.Contains(a.Requirements[0].Code, "18602")
}

// review is a review of the bundle that is about to end.
type review struct {
	*world
	post     *letterbox
	customer subaccount
	id       string
	bundle   string
	decision decision
	outcome  func(answer) bool
}

// reviewPath is a way on which the service learns of the end of a review.
type reviewPath struct {
	name string
	// polls tells whether the service polls the bundle several times a second, or in an hour.
	polls bool
	// take ends the review, and lets the service know or find out.
	take func(r *review)
}

var reviewPaths = []reviewPath{
	{"by the callback, before any poll", false, func(r *review) {
		r.decide()
		r.accepted(r.letter())
	}},
	{"by the poll, and the callback comes late", true, func(r *review) {
		r.decide()
		r.awaitOutcome()
		r.accepted(r.letter())
	}},
	{"by the poll alone, as callbacks are lost", true, func(r *review) {
		r.decide()
	}},
	{"by the poll, which saw the review begin", true, func(r *review) {
		if err := r.sim.Review(r.bundle, trusthubsim.Decision{Status: trusthubsim.StatusInReview}); err != nil {
			r.t.Fatal(err)
		}
		r.awaitThat(r.id, "the beginning of the review", func(a answer) bool {
			return a.CustomerProfile.Status == "in-review" || a.TrustProduct.Status == "in-review"
		})
		r.decide()
	}},
	{"by both, while the poll brings the status of before", true, func(r *review) {
		oldStatus := r.holdReading(beforeAnswer)
		oldStatus.await()
		r.decide()
		r.accepted(r.letter())
		oldStatus.letGo()
	}},
	{"by both, while the poll brings the status of after", true, func(r *review) {
		question := r.holdReading(beforeWork)
		question.await()
		r.decide()
		r.accepted(r.letter())
		question.letGo()
	}},
	{"by a callback that comes while an earlier one is acted on", false, func(r *review) {
		oldStatus := r.holdReading(beforeAnswer)
		r.accepted(r.pending().claiming(r.decision.Status, r.token()))
		oldStatus.await()
		r.decide()
		r.accepted(r.letter())
		oldStatus.letGo()
	}},
	{"by a callback that claims the contrary", false, func(r *review) {
		contrary := trusthubsim.StatusRejected
		if r.decision.Status == contrary {
			contrary = trusthubsim.StatusApproved
		}
		r.decide()
		r.accepted(r.letter().claiming(contrary, r.token()))
	}},
	{"by a callback that comes again and again, at once", false, func(r *review) {
		r.decide()
		one := r.letter()
		var copies sync.WaitGroup
		for range 5 {
			copies.Go(func() { r.accepted(one) })
		}
		copies.Wait()
	}},
	{"by a callback that overtakes those of before", false, func(r *review) {
		r.decide()
		r.letter()
		all := r.post.of(r.bundle)
		slices.Reverse(all)
		for _, one := range all {
			r.accepted(one)
			r.awaitOutcome()
		}
	}},
	{"by a poll and by callbacks of before, which come last", true, func(r *review) {
		r.decide()
		r.awaitOutcome()
		for _, one := range r.post.of(r.bundle) {
			r.accepted(one)
			r.accepted(one)
		}
	}},
	{"not by a callback that nobody has signed", false, func(r *review) {
		r.decide()
		one := r.letter()
		before := r.reads()
		wrong := one
		wrong.header = one.header.Clone()
		wrong.header.Set("X-Twilio-Signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
		altered := one
		altered.body += "&Extra=1"
		elsewhere := one
		elsewhere.url = one.url[:len(one.url)-1] + "x"
		for what, forged := range map[string]letter{
			"unsigned": one.claiming(one.status, ""), "with a signature that is none's": wrong, "altered": altered,
			"with another token in its URL": elsewhere, "signed by a stranger": one.claiming(one.status, r.subaccountToken(r.subaccount(0).sid)),
		} {
			if got := r.deliver(forged); got != http.StatusForbidden {
				r.t.Errorf("a callback %s is answered %d, want 403", what, got)
			}
		}
		if a := r.get(r.id); a.Status != "in_review" {
			r.t.Errorf("after the forged callbacks the onboarding is %s", a.Status)
		}
		r.accepted(one)
		r.awaitOutcome()
		if got := r.reads() - before; got != 1 {
			r.t.Errorf("the bundle was read %d times, want once: for the callback that was signed", got)
		}
	}},
}

// The service learns of the end of a review on every path, for both bundles and both decisions. The
// onboarding comes to the consequence of the decision, with one submission of each bundle and one
// of everything.
func TestTheEndOfAReview(t *testing.T) {
	t.Parallel()
	polling, waiting := newReviewWorld(t, "200ms", "400ms"), newReviewWorld(t, "1h", "1h")
	for _, path := range reviewPaths {
		for _, ofProduct := range []bool{false, true} {
			for name, decision := range decisions {
				bundle := map[bool]string{false: "profile", true: "product"}[ofProduct]
				t.Run("the "+bundle+" is "+name+"; it is known "+path.name, func(t *testing.T) {
					t.Parallel()
					w := waiting
					if path.polls {
						w = polling
					}
					r := w.begin(t, ofProduct, decision)
					path.take(r)
					r.awaitOutcome()
					r.wantOneOfEverything(ofProduct)
					if !ofProduct && decision.Status == trusthubsim.StatusApproved {
						r.approveProduct()
						r.wantOneOfEverything(true)
					}
				})
			}
		}
	}
}

// A callback of the round before may come during the next round. It does not reject the corrected
// profile, which is in review again.
func TestACallbackOfTheRoundBeforeDecidesNothing(t *testing.T) {
	t.Parallel()
	r := newReviewWorld(t, "200ms", "400ms").begin(t, false, decisions["rejected"])
	r.decide()
	r.awaitOutcome()
	late := r.letter()
	correction := map[string]any{"business": map[string]any{"business_registration_number": "98-7654321"}}
	if status, raw := r.patch(r.id, 1, correction); status != http.StatusAccepted {
		t.Fatalf("the correction answered %d: %s", status, raw)
	}
	again := func(a answer) bool { return a.Status == "in_review" && a.CustomerProfile.Status == "pending-review" }
	r.awaitThat(r.id, "the second round", again)

	before := r.reads()
	r.accepted(late)
	eventually(r.t, "a look at the profile", func() bool { return r.reads() > before }, func() string { return "nobody looked" })
	if a := r.get(r.id); !again(a) {
		t.Errorf("after the callback of the round before the onboarding is %s, the profile %s", a.Status, a.CustomerProfile.Status)
	}
	r.decision = decisions["approved"]
	r.decide()
	r.accepted(r.letter())
	r.awaitThat(r.id, "the approval", decisions["approved"].profile)
	r.approveProduct()
	if held := r.held(r.customer); held.CustomerProfiles[0].Submissions != 2 || held.TrustProducts[0].Submissions != 1 || deletions(held) != 0 {
		t.Errorf("%d and %d submissions, %d deletions, want 2, 1 and none",
			held.CustomerProfiles[0].Submissions, held.TrustProducts[0].Submissions, deletions(held))
	}
}

// reviewWorld is a world in which the test ends reviews, and callbacks go into a letterbox.
type reviewWorld struct {
	*world
	post *letterbox
}

// newReviewWorld makes one whose service polls bundles in review at these intervals.
func newReviewWorld(t *testing.T, pollMin, pollMax string) *reviewWorld {
	t.Helper()
	post := &letterbox{}
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual, CallbackClient: post})
	w.environ["REVIEW_POLL_MIN"], w.environ["REVIEW_POLL_MAX"] = pollMin, pollMax
	w.serve()
	return &reviewWorld{world: w, post: post}
}

// begin makes an onboarding whose profile, or product, is in review.
func (shared *reviewWorld) begin(t *testing.T, ofProduct bool, d decision) *review {
	t.Helper()
	w := shared.world.in(t)
	r := &review{world: w, post: shared.post, customer: w.subaccount(1), decision: d, outcome: d.profile}
	r.id = w.post(r.customer.request(nil)).ID
	r.bundle = w.awaitThat(r.id, "the profile in review", func(a answer) bool {
		return a.Status == "in_review" && a.CustomerProfile.Status == "pending-review"
	}).CustomerProfile.SID
	if ofProduct {
		reviewed(r.world, r.bundle, trusthubsim.StatusApproved)
		r.accepted(r.letterOf(r.bundle, trusthubsim.StatusApproved))
		r.bundle = w.awaitThat(r.id, "the product in review", decisions["approved"].profile).TrustProduct.SID
		r.outcome = d.product
	}
	return r
}

func (r *review) decide() {
	r.t.Helper()
	if err := r.sim.Review(r.bundle, r.decision.Decision); err != nil {
		r.t.Fatal(err)
	}
}

func (r *review) awaitOutcome() {
	r.t.Helper()
	r.awaitThat(r.id, "what follows from the decision", r.outcome)
}

// letter is the callback about the decision, pending the one about the submission.
func (r *review) letter() letter { return r.letterOf(r.bundle, r.decision.Status) }

func (r *review) pending() letter { return r.letterOf(r.bundle, trusthubsim.StatusPendingReview) }

func (r *review) letterOf(bundle string, status trusthubsim.Status) (found letter) {
	r.t.Helper()
	eventually(r.t, "the callback about "+string(status), func() (ok bool) {
		found, ok = r.post.about(bundle, status)
		return ok
	}, func() string { return bundle })
	return found
}

// accepted delivers a callback that the service must accept.
func (r *review) accepted(one letter) {
	r.t.Helper()
	if got := r.deliver(one); got != http.StatusNoContent {
		r.t.Errorf("the callback about %s is answered %d, want 204", one.status, got)
	}
}

// token is that of the subaccount, which signs its callbacks.
func (r *review) token() string { return r.subaccountToken(r.customer.sid) }

func (r *review) subaccountToken(sid string) string { return r.sim.State().Accounts[sid].AuthToken }

// holdReading holds the next reading of the bundle.
func (r *review) holdReading(at moment) *hold {
	r.t.Helper()
	return r.hold(at, http.MethodGet, "/v1/*/"+r.bundle)
}

// reads is how often the bundle was read.
func (r *review) reads() (n int) {
	for _, q := range r.sim.Requests() {
		if q.Method == http.MethodGet && strings.HasSuffix(q.Path, r.bundle) {
			n++
		}
	}
	return n
}

// approveProduct approves the product of an onboarding with an approved profile.
func (r *review) approveProduct() {
	r.t.Helper()
	product := r.get(r.id).TrustProduct.SID
	reviewed(r.world, product, trusthubsim.StatusApproved)
	r.accepted(r.letterOf(product, trusthubsim.StatusApproved))
	r.awaitThat(r.id, "the end", decisions["approved"].product)
}

// wantOneOfEverything checks that nothing was made twice, and that each bundle in review was
// submitted once.
func (r *review) wantOneOfEverything(productSubmitted bool) {
	r.t.Helper()
	held := r.held(r.customer)
	wantNothingDeleted(r.t, held)
	if !productSubmitted && len(held.TrustProducts) == 1 && r.decision.Status == trusthubsim.StatusRejected {
		if n := held.TrustProducts[0].Submissions; n != 0 {
			r.t.Errorf("the product was submitted %d times above a profile that was rejected", n)
		}
		held.TrustProducts[0].Submissions = 1 // All else is as in an onboarding that is over.
	}
	wantEachOnce(r.t, held, 1, 1)
}
