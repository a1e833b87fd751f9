package trusthubsim

import (
	"errors"
	"fmt"
	"time"
)

// ReviewError is one entry of a bundle's errors: "code", and whatever else a reviewer adds.
type ReviewError map[string]any

// Codes builds the errors of a rejection.
func Codes(codes ...int) []ReviewError {
	built := make([]ReviewError, len(codes))
	for i, code := range codes {
		built[i] = ReviewError{"code": code}
	}
	return built
}

// Decision is what a review comes to.
type Decision struct {
	// Status is StatusApproved, StatusRejected, or StatusInReview for a review that begins.
	Status Status `json:"status"`
	// Errors say why a bundle is rejected.
	Errors []ReviewError `json:"errors,omitempty"`
	// FailureReason is what the callback of a rejection says; by default the words of Errors.
	FailureReason string `json:"failure_reason,omitempty"`
	// ReasonIn says where a client can read why; by default where Doubts.RejectionReason says.
	ReasonIn RejectionReason `json:"reason_in,omitempty"`
	// ValidUntil is when an approval lapses; Config.ApprovalValidity from now by default. It may
	// lie in the past.
	ValidUntil *time.Time `json:"valid_until,omitempty"`
}

// Errors of Simulator.Review.
var (
	ErrNoSuchBundle = errors.New("no such bundle")
	ErrNotReviewed  = errors.New("the bundle's status does not allow this decision")
	ErrBadDecision  = errors.New("bad decision")
)

// Review decides about a bundle that was submitted, in either review mode. A bundle that was
// decided about before may be decided about again: an approval can be taken back or its end be set.
// It returns ErrNoSuchBundle, ErrBadDecision for a ReasonIn that does not exist, and ErrNotReviewed
// for a draft or an unusable status.
func (s *Simulator) Review(bundleSID string, decision Decision) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.findBundle(bundleSID)
	if b == nil {
		return fmt.Errorf("reviewing %s: %w", bundleSID, ErrNoSuchBundle)
	}
	switch decision.ReasonIn {
	case "", ReasonErrors, ReasonCallback, ReasonEvaluation:
	default:
		return fmt.Errorf("reviewing %s: %w: reason_in is %q", bundleSID, ErrBadDecision, decision.ReasonIn)
	}
	usable := decision.Status == StatusApproved || decision.Status == StatusRejected ||
		decision.Status == StatusInReview && b.status == StatusPendingReview
	if b.status == StatusDraft || !usable {
		return fmt.Errorf("reviewing %s, which is %s: %w", bundleSID, b.status, ErrNotReviewed)
	}
	s.decide(b, decision, b.findingsOf(decision.Errors), time.Now().UTC())
	return nil
}

// findBundle looks through all accounts.
func (s *Simulator) findBundle(sid string) *bundle {
	for _, a := range s.accounts.order {
		if b, ok := a.profiles.get(sid); ok {
			return b
		}
		if b, ok := a.products.get(sid); ok {
			return b
		}
	}
	return nil
}

// submit puts a compliant bundle into review. Any other it refuses or leaves as it is, as the
// switch says. The caller holds the lock.
func (s *Simulator) submit(b *bundle, now time.Time) *apiError {
	if _, compliant := s.hold(b, now); !compliant {
		if s.cfg.RefuseIncomplete {
			return badRequest(codeBadRequest, "%s is not compliant with %s and cannot be submitted", b.sid, b.policy.sid)
		}
		return nil
	}
	b.submissions++
	b.errors, b.validUntil, b.reviewOver, b.calledReason = nil, nil, false, ""
	b.review, b.checked = nil, s.check(b)
	if s.cfg.SubmittedInReview {
		s.turn(b, StatusInReview, now)
	} else {
		s.turn(b, StatusPendingReview, now)
	}
	round := b.submissions
	plan := func(d time.Duration, part func(*bundle, time.Time)) {
		b.review = append(b.review, s.after(d, func() { s.step(b, round, part) }))
	}
	if len(b.checked) > 0 {
		plan(s.cfg.CheckDelay, s.endChecks)
	}
	if s.cfg.Review == ReviewAuto {
		plan(s.cfg.ReviewDelay/2, s.beginReview)
		plan(s.cfg.ReviewDelay, s.endReview)
	}
	return nil
}

// step runs a part of the review of one submission, if that is still under review.
func (s *Simulator) step(b *bundle, round int, part func(*bundle, time.Time)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && b.submissions == round && b.inReview() {
		part(b, time.Now().UTC())
	}
}

func (s *Simulator) beginReview(b *bundle, now time.Time) {
	if b.status == StatusPendingReview {
		s.turn(b, StatusInReview, now)
	}
}

// endChecks rejects with what the checks after the submission have found. Twilio has no codes for
// that, only words, and its documents say that these come by callback alone.
func (s *Simulator) endChecks(b *bundle, now time.Time) { s.rejectFor(b, b.checked, "", now) }

// endReview decides by the data. A product's review goes on until its profile is approved.
func (s *Simulator) endReview(b *bundle, now time.Time) {
	if profile := b.customerProfile(); b.kind == trustProducts && (profile == nil || !profile.approved(now)) {
		if profile != nil && profile.status == StatusRejected && s.cfg.ProductsFollowProfile {
			s.rejectFor(b, []finding{profileNotApproved(b)}, "", now)
			return
		}
		s.beginReview(b, now)
		b.reviewOver = true
		return
	}
	if len(b.checked) > 0 {
		s.endChecks(b, now)
		return
	}
	found, where := b.tagged()
	found = append(found, s.review(b)...)
	if len(found) == 0 {
		s.decide(b, Decision{Status: StatusApproved}, nil, now)
		return
	}
	s.rejectFor(b, found, where, now)
}

// rejectFor rejects a bundle for what was found.
func (s *Simulator) rejectFor(b *bundle, found []finding, where RejectionReason, now time.Time) {
	rejection := Decision{Status: StatusRejected, ReasonIn: where}
	for _, f := range found {
		if f.code != 0 {
			rejection.Errors = append(rejection.Errors, ReviewError{"code": f.code})
		}
	}
	s.decide(b, rejection, found, now)
}

// decide applies a decision, and lets the reviews end that waited for it. The caller holds the
// lock.
func (s *Simulator) decide(b *bundle, decision Decision, found []finding, now time.Time) {
	if decision.Status != StatusInReview {
		for _, a := range b.review {
			s.cancel(a)
		}
		b.review, b.reviewOver = nil, false
		b.errors, b.calledReason = nil, ""
	}
	if decision.Status == StatusRejected {
		b.validUntil = nil
		s.tellReason(b, decision, found, now)
	}
	if decision.Status == StatusApproved {
		b.validUntil = decision.ValidUntil
		if b.validUntil == nil {
			until := now.Add(s.cfg.ApprovalValidity)
			b.validUntil = &until
		}
	}
	s.turn(b, decision.Status, now)
	for _, product := range b.products {
		along := decision.Status == StatusRejected && s.cfg.ProductsFollowProfile && product.inReview()
		if product.reviewOver || along {
			s.endReview(product, now)
		}
	}
}

// tellReason puts the reason of a rejection where the decision, or else the switch, says.
func (s *Simulator) tellReason(b *bundle, decision Decision, found []finding, now time.Time) {
	words, where := decision.FailureReason, decision.ReasonIn
	setDefault(&words, wordsOf(found))
	setDefault(&where, s.cfg.RejectionReason)
	b.errors = []ReviewError{}
	switch where {
	case ReasonCallback:
		b.calledReason = words
	case ReasonEvaluation:
		b.evaluations.add(s.evaluationOf(b, found, words, now))
	case ReasonErrors:
		b.calledReason = words
		if decision.Errors != nil {
			b.errors = decision.Errors
		}
	}
}

// turn changes a bundle's status and tells its owner; of a review's beginning only where the switch
// says so. The caller holds the lock.
func (s *Simulator) turn(b *bundle, to Status, now time.Time) {
	from := b.status
	b.status, b.updated = to, now
	if from != to && (to != StatusInReview || s.cfg.Callbacks.InReview) {
		s.callBack(b)
	}
}
