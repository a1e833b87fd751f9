package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/onboarding"
)

// noID is no onboarding's.
const noID onboarding.ID = "onb_00000000-0000-7000-8000-000000000000"

// storeCallback stores a callback that wakes nothing.
func storeCallback(t *testing.T, s *Store, id onboarding.ID, receivedAt time.Time, token string) {
	t.Helper()
	c := onboarding.Callback{OnboardingID: id, ReceivedAt: receivedAt, IdempotencyToken: token, Body: []byte("Status=in-review"), Status: "in-review"}
	if err := s.RecordCallback(t.Context(), c, false); err != nil {
		t.Fatal(err)
	}
}

// happen appends events to the history.
func happen(t *testing.T, s *Store, id onboarding.ID, events ...onboarding.Event) {
	t.Helper()
	err := s.Update(t.Context(), id, func(_ *onboarding.Onboarding, now time.Time) (onboarding.Change, error) {
		for i := range events {
			if events[i].At.IsZero() {
				events[i].At = now
			}
		}
		return onboarding.Change{ID: id, Status: onboarding.StatusInProgress, Events: events}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCallbacksAreReadNewestFirstPageByPage(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t)})
	id, other := newOnboarding(t, s), newOnboarding(t, s)
	if page, more, err := s.CallbackPage(t.Context(), id, 0, 2); err != nil || len(page) != 0 || more {
		t.Errorf("before any came: %v, %t, %v", page, more, err)
	}
	for i := range 5 {
		storeCallback(t, s, id, time.Now(), fmt.Sprint("token-", i))
	}
	storeCallback(t, s, other, time.Now(), "of another")
	var got []string
	before := int64(0)
	for range 3 {
		page, more, err := s.CallbackPage(t.Context(), id, before, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page {
			got = append(got, c.IdempotencyToken)
			before = c.ID
		}
		if want := len(got) < 5; more != want {
			t.Errorf("after %d there are more: %t", len(got), more)
		}
	}
	if diff := cmp.Diff([]string{"token-4", "token-3", "token-2", "token-1", "token-0"}, got); diff != "" {
		t.Errorf("callbacks (-want +got):\n%s", diff)
	}
	if _, _, err := s.CallbackPage(t.Context(), noID, 0, 2); !errors.Is(err, onboarding.ErrNotFound) {
		t.Errorf("of no onboarding: %v", err)
	}
}

func TestTheHistoryIsReadFromEitherEnd(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t)})
	id := newOnboarding(t, s)
	for i := range 3 {
		happen(t, s, id, onboarding.Event{Kind: fmt.Sprint("happened.", i), Step: "preflight", Actor: "test", Detail: "detail"})
	}
	want := []string{"onboarding.created", "happened.0", "happened.1", "happened.2"}
	for _, oldestFirst := range []bool{true, false} {
		var got []string
		from := int64(0)
		for more := true; more; {
			var page []onboarding.PastEvent
			var err error
			if page, more, err = s.EventPage(t.Context(), id, oldestFirst, from, 2); err != nil {
				t.Fatal(err)
			}
			for _, e := range page {
				from = e.ID
				if oldestFirst {
					got = append(got, e.Kind)
				} else {
					got = append([]string{e.Kind}, got...)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("oldest first %t (-want +got):\n%s", oldestFirst, diff)
		}
	}
	if _, _, err := s.EventPage(t.Context(), noID, true, 0, 2); !errors.Is(err, onboarding.ErrNotFound) {
		t.Errorf("of no onboarding: %v", err)
	}
}

func TestAReviewTimeIsFromTheSubmissionToTheFirstDecision(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t)})
	begun := time.Now().UTC().Truncate(time.Microsecond)
	at := func(hours int, kind, step string) onboarding.Event {
		return inItsRole(onboarding.Event{At: begun.Add(time.Duration(hours) * time.Hour), Kind: kind, Step: onboarding.Key(step)})
	}
	first, second, adopted := newOnboarding(t, s), newOnboarding(t, s), newOnboarding(t, s)
	happen(t, s, adopted, // It was submitted elsewhere, at an unknown time.
		at(0, "step.succeeded", "customer_profile.submission"),
		at(1, "step.succeeded", "customer_profile.review"),
	)
	happen(t, s, first,
		at(0, "step.running", "customer_profile.submission"),
		at(0, "step.succeeded", "customer_profile.submission"),
		at(1, "step.succeeded", "trust_product.submission"),
		// A read that Twilio refused.
		inItsRole(onboarding.Event{At: begun, Kind: "step.failed", Step: "customer_profile.review", Detail: "code 20003"}),
		at(24, "step.failed", "customer_profile.review"),
		at(30, "step.succeeded", "customer_profile.submission"),
		at(70, "step.succeeded", "customer_profile.review"),
		at(900, "step.failed", "customer_profile.review"), // The approval has lapsed.
	)
	happen(t, s, second,
		at(3, "step.running", "customer_profile.submission"),
		at(3, "step.succeeded", "customer_profile.submission"),
		at(10, "step.succeeded", "customer_profile.review"),
		at(11, "step.succeeded", "customer_profile.submission"), // not decided yet
	)
	got, err := s.ReviewTimes(t.Context(), "customer_profile", 100)
	if err != nil {
		t.Fatal(err)
	}
	var hours []float64
	for _, r := range got {
		hours = append(hours, r.DecidedAt.Sub(r.SubmittedAt).Hours())
	}
	if diff := cmp.Diff([]float64{7, 40, 24}, hours); diff != "" {
		t.Errorf("hours, newest first (-want +got):\n%s", diff)
	}
	if got, err := s.ReviewTimes(t.Context(), "trust_product", 100); err != nil || len(got) != 0 {
		t.Errorf("of a kind without a decision: %v, %v", got, err)
	}
	if got, err := s.ReviewTimes(t.Context(), "customer_profile", 1); err != nil || len(got) != 1 {
		t.Errorf("the newest alone: %v, %v", got, err)
	}
}

// inItsRole is the event of a bundle's step, with the role of the step.
func inItsRole(e onboarding.Event) onboarding.Event {
	bundle, part, _ := strings.Cut(string(e.Step), ".")
	e.Bundle, e.StepKind = onboarding.Key(bundle), onboarding.KindBundle
	if part != "" {
		e.StepKind = onboarding.Kind(part)
	}
	return e
}
