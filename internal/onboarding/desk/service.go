package desk

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// Service is what the HTTP API asks for. It decides; a Repository stores. The engine does the work
// afterwards.
type Service struct {
	Repository onboarding.InterruptibleRepository
	Plan       onboarding.Plan
	// NewID returns a new onboarding ID, NewToken an unguessable token for a callback URL.
	NewID    func() onboarding.ID
	NewToken func() string
	Now      func() time.Time
}

// Create accepts a valid request: from here on the onboarding goes on by itself. actor is who
// asked, for the history. Errors: *onboarding.ConflictError.
func (s *Service) Create(ctx context.Context, actor string, r onboarding.Request) (*onboarding.Onboarding, error) {
	now := s.Now().UTC().Truncate(time.Microsecond) // As the ledger will give it back.
	o := &onboarding.Onboarding{
		ID:            s.NewID(),
		Request:       r,
		CallbackToken: s.NewToken(),
		SubaccountSID: r.SubaccountSID,
		Version:       1,
		CreatedAt:     now,
		UpdatedAt:     now,
	}
	err := s.Repository.Create(ctx, o, onboarding.Event{At: now, Kind: "onboarding.created", Actor: actor})
	if err != nil {
		return nil, fmt.Errorf("create onboarding: %w", err)
	}
	s.Plan.Arrange(o)
	return o, nil
}

// Get returns one onboarding, its steps in the plan's order. Errors: onboarding.ErrNotFound.
func (s *Service) Get(ctx context.Context, id onboarding.ID) (*onboarding.Onboarding, error) {
	o, err := s.Repository.Get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("get onboarding %s: %w", id, err)
	}
	s.Plan.Arrange(o)
	return o, nil
}

// List returns a page of onboardings, newest first, and the cursor of the next page or nil.
func (s *Service) List(ctx context.Context, f onboarding.Filter) ([]onboarding.Summary, *onboarding.Cursor, error) {
	page, next, err := s.Repository.List(ctx, f)
	if err != nil {
		return nil, nil, fmt.Errorf("list onboardings: %w", err)
	}
	return page, next, nil
}

// ReceiveCallback stores a callback whose signature was checked, and wakes the onboarding. Only one
// that claims the bundle is still on its way wakes nobody: there is nothing to act on, and polling
// finds what it may have hidden.
func (s *Service) ReceiveCallback(ctx context.Context, c onboarding.Callback) error {
	c.ReceivedAt = s.Now()
	var wake bool
	switch strings.ToLower(c.Status) {
	case onboarding.BundleDraft, onboarding.BundlePendingReview, onboarding.BundleInReview:
	default:
		wake = true
	}
	if err := s.Repository.RecordCallback(ctx, c, wake); err != nil {
		return fmt.Errorf("record callback for onboarding %s: %w", c.OnboardingID, err)
	}
	return nil
}
