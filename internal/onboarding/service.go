package onboarding

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Service is what the HTTP API asks for. It decides; a [Repository] keeps. The [Runner] does the work afterwards.
type Service struct {
	Repository InterruptibleRepository
	Plan       Plan
	// NewID returns a new onboarding ID, NewToken an unguessable token for a callback URL.
	NewID    func() ID
	NewToken func() string
	Now      func() time.Time
}

// Create accepts a valid request: from here on the onboarding goes on by itself. actor is who asked, for the history.
// Errors: *ConflictError.
func (s *Service) Create(ctx context.Context, actor string, r Request) (*Onboarding, error) {
	now := s.Now().UTC().Truncate(time.Microsecond) // As the ledger will give it back.
	o := &Onboarding{
		ID:            s.NewID(),
		Request:       r,
		CallbackToken: s.NewToken(),
		SubaccountSID: r.SubaccountSID,
		Version:       1,
		CreatedAt:     now,
		UpdatedAt:     now,
	}
	err := s.Repository.Create(ctx, o, Event{At: now, Kind: "onboarding.created", Actor: actor})
	if err != nil {
		return nil, fmt.Errorf("create onboarding: %w", err)
	}
	s.Plan.Arrange(o)
	return o, nil
}

// Get returns one onboarding, its steps in the plan's order. Errors: ErrNotFound.
func (s *Service) Get(ctx context.Context, id ID) (*Onboarding, error) {
	o, err := s.Repository.Get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("get onboarding %s: %w", id, err)
	}
	s.Plan.Arrange(o)
	return o, nil
}

// List returns a page of onboardings, newest first, and the cursor of the next page or nil.
func (s *Service) List(ctx context.Context, f Filter) ([]Summary, *Cursor, error) {
	page, next, err := s.Repository.List(ctx, f)
	if err != nil {
		return nil, nil, fmt.Errorf("list onboardings: %w", err)
	}
	return page, next, nil
}

// Resume makes failed steps due again, and due now what waits to be tried again or is read again now and then, a rejection included. Of a canceled onboarding it
// tries once more to delete what Twilio did not let go of. It is safe to call at any time, also when there is nothing to resume.
// Errors: ErrNotFound.
func (s *Service) Resume(ctx context.Context, actor string, id ID) (*Onboarding, error) {
	o, err := s.Repository.Get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("resume onboarding %s: %w", id, err)
	}
	change := s.Repository.Update
	if !o.CanceledAt.IsZero() {
		change = s.Repository.Interrupt // Nothing else wakes it.
	}
	err = change(ctx, id, func(o *Onboarding, now time.Time) (Change, error) {
		nodes, _ := s.Plan.arrange(o)
		return resume(o, nodes, actor, now), nil
	})
	if err != nil {
		return nil, fmt.Errorf("resume onboarding %s: %w", id, err)
	}
	return s.Get(ctx, id)
}

func resume(o *Onboarding, nodes []Node, actor string, now time.Time) Change {
	toGo := make(map[Key]bool)
	for _, n := range nodes {
		toGo[n.Key] = n.Aim == AimGone
	}
	change := Change{ID: o.ID, Events: []Event{{At: now, Kind: "onboarding.resumed", Actor: actor}}}
	numberFailed := slices.ContainsFunc(o.Steps, func(s Step) bool { return s.State == StepFailed && s.Key.isNumber() && !toGo[s.Key] })
	for i := range o.Steps {
		step := &o.Steps[i]
		switch {
		case step.State == StepFailed && step.NextAttemptAt.IsZero(),
			// It may be another by now: one that was released and bought again.
			step.Key == keyPreflight && step.State == StepSucceeded && numberFailed && o.CanceledAt.IsZero():
			step.State = StepPending
			step.Requirements = nil
			change.Events = append(change.Events, stepEvent(step, now, actor))
		case step.State == StepCanceled && step.SID != "" && toGo[step.Key]:
			step.State, step.Error = StepPending, nil
			change.Events = append(change.Events, stepEvent(step, now, actor))
		case step.State == StepWaiting && step.WaitsFor == "", !step.NextAttemptAt.IsZero():
			step.NextAttemptAt = now
		default:
			continue
		}
		change.Steps = append(change.Steps, *step)
	}
	change.conclude(o)
	return change
}

// ReceiveCallback keeps a callback whose signature was checked, and wakes the onboarding. Only one that claims the bundle is still on its
// way wakes nobody: there is nothing to act on, and polling finds what it may have hidden.
func (s *Service) ReceiveCallback(ctx context.Context, c Callback) error {
	c.ReceivedAt = s.Now()
	var wake bool
	switch strings.ToLower(c.Status) {
	case BundleDraft, BundlePendingReview, BundleInReview:
	default:
		wake = true
	}
	if err := s.Repository.RecordCallback(ctx, c, wake); err != nil {
		return fmt.Errorf("record callback for onboarding %s: %w", c.OnboardingID, err)
	}
	return nil
}

// stepEvent is the event of a step that has just come into its state.
func stepEvent(step *Step, at time.Time, actor string) Event {
	e := Event{At: at, Kind: "step." + string(step.State), Step: step.Key, Actor: actor, Detail: step.SID}
	if step.Error != nil && step.State != StepSucceeded && step.Error.Code != 0 {
		e.Detail = fmt.Sprintf("code %d", step.Error.Code)
	}
	return e
}
