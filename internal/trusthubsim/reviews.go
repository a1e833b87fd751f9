package trusthubsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
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
	// ValidUntil is when an approval lapses; Config.ApprovalValidity from now by default. It may lie in the past.
	ValidUntil *time.Time `json:"valid_until,omitempty"`
}

// Errors of Simulator.Review.
var (
	ErrNoSuchBundle = errors.New("no such bundle")
	ErrNotReviewed  = errors.New("the bundle's status does not allow this decision")
)

// Review decides about a bundle that was submitted, in either review mode. A bundle that was decided about before may be
// decided about again: an approval can be taken back or its end be set. It returns ErrNoSuchBundle, and ErrNotReviewed
// for a draft or an unusable status.
func (s *Simulator) Review(bundleSID string, decision Decision) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.findBundle(bundleSID)
	if b == nil {
		return fmt.Errorf("reviewing %s: %w", bundleSID, ErrNoSuchBundle)
	}
	usable := decision.Status == StatusApproved || decision.Status == StatusRejected ||
		decision.Status == StatusInReview && b.status == StatusPendingReview
	if b.status == StatusDraft || !usable {
		return fmt.Errorf("reviewing %s, which is %s: %w", bundleSID, b.status, ErrNotReviewed)
	}
	s.decide(b, decision, time.Now().UTC())
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

// submit puts a compliant bundle into review and leaves any other as it is. The caller holds the lock.
func (s *Simulator) submit(b *bundle, now time.Time) {
	if _, compliant := s.hold(b, now); !compliant {
		return
	}
	b.submissions++
	b.errors, b.validUntil, b.reviewOver = nil, nil, false
	s.turn(b, StatusPendingReview, now)
	if s.cfg.Review == ReviewManual {
		return
	}
	round := b.submissions
	b.review = []*alarm{
		s.after(s.cfg.ReviewDelay/2, func() { s.step(b, round, s.beginReview) }),
		s.after(s.cfg.ReviewDelay, func() { s.step(b, round, s.endReview) }),
	}
}

// step runs a part of the automatic review of one submission, if that is still under review.
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

// endReview decides by the data. A product's review goes on until its profile is approved.
func (s *Simulator) endReview(b *bundle, now time.Time) {
	if b.kind == trustProducts {
		if profile := b.customerProfile(); profile == nil || !profile.approved(now) {
			s.beginReview(b, now)
			b.reviewOver = true
			return
		}
		s.decide(b, Decision{Status: StatusApproved}, now)
		return
	}
	if found := s.findings(b); len(found) > 0 {
		s.decide(b, Decision{Status: StatusRejected, Errors: Codes(found...)}, now)
		return
	}
	s.decide(b, Decision{Status: StatusApproved}, now)
}

// decide applies a decision, and lets the reviews end that waited for it. The caller holds the lock.
func (s *Simulator) decide(b *bundle, decision Decision, now time.Time) {
	if decision.Status != StatusInReview {
		for _, a := range b.review {
			s.cancel(a)
		}
		b.review, b.reviewOver = nil, false
		b.errors = nil
	}
	if decision.Status == StatusRejected {
		b.errors, b.validUntil = decision.Errors, nil
		if b.errors == nil {
			b.errors = []ReviewError{}
		}
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
		if product.reviewOver {
			s.endReview(product, now)
		}
	}
}

// turn changes a bundle's status and tells its owner, except of a review's beginning. The caller holds the lock.
func (s *Simulator) turn(b *bundle, to Status, now time.Time) {
	from := b.status
	b.status, b.updated = to, now
	if from != to && to != StatusInReview {
		s.callBack(b)
	}
}

// findings are the codes with which a customer profile is rejected (see the package comment).
func (s *Simulator) findings(b *bundle) []int {
	var codes []int
	get := func(objectType, name string) string {
		if a := b.ofType(objectType); a != nil && a.endUser != nil {
			return attributeText(a.endUser.attributes, name)
		}
		return ""
	}
	add := func(found bool, code int) {
		if found {
			codes = append(codes, code)
		}
	}
	add(strings.Contains(get(businessInformation, "business_name"), "Unverified"), 18601)
	add(strings.HasSuffix(get(businessInformation, "business_registration_number"), "0000"), 18602)
	if a := b.ofType(profileAddress); a != nil {
		addresses, _ := a.document.addresses()
		for _, one := range addresses {
			add(strings.Contains(strings.ToLower(one.street), "unverified"), 18603)
		}
	}
	add(get(representative1, "last_name") == "Unverified", 18604)
	add(get(representative2, "last_name") == "Unverified", 18605)
	if !s.cfg.AnyEmailDomain {
		site := get(businessInformation, "website_url")
		foreign := func(address string) bool { return address != "" && !sameDomain(site, address) }
		add(foreign(get(representative1, "email")) || foreign(get(representative2, "email")), 18606)
	}
	return codes
}

// sameDomain reports whether an e-mail address is of a website's domain, or one of them of a subdomain of the other.
func sameDomain(site, email string) bool {
	u, err := url.Parse(site)
	if err != nil {
		return false
	}
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	domain := strings.ToLower(email[strings.LastIndex(email, "@")+1:])
	return host == domain || strings.HasSuffix(host, "."+domain) || strings.HasSuffix(domain, "."+host)
}

// failureReason is a rejection in one line, for callbacks.
func (b *bundle) failureReason() string {
	if b.status != StatusRejected {
		return ""
	}
	reasons := make([]string, len(b.errors))
	for i, e := range b.errors {
		text, _ := json.Marshal(e["code"])
		reasons[i] = string(text)
	}
	return strings.Join(reasons, ", ")
}
