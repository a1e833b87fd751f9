package store

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/onboarding"
)

// noID is of no onboarding.
const noID onboarding.ID = "onb_00000000-0000-7000-8000-000000000000"

func keep(t *testing.T, s *Store, id onboarding.ID, receivedAt time.Time, token string) {
	t.Helper()
	c := onboarding.Callback{OnboardingID: id, ReceivedAt: receivedAt, IdempotencyToken: token, Body: []byte("Status=in-review"), Status: "in-review"}
	if err := s.RecordCallback(t.Context(), c, false); err != nil {
		t.Fatal(err)
	}
}

// happen appends events to the history, as whoever decides under the row lock does.
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

// amend makes the next version of the request.
func amend(t *testing.T, s *Store, id onboarding.ID, actor string, change func(*onboarding.Request)) {
	t.Helper()
	err := s.Update(t.Context(), id, func(o *onboarding.Onboarding, now time.Time) (onboarding.Change, error) {
		change(&o.Request)
		return onboarding.Change{
			ID: id, Status: onboarding.StatusInProgress, Request: &o.Request, Version: o.Version + 1,
			Events: []onboarding.Event{{At: now, Kind: "onboarding.amended", Actor: actor}},
		}, nil
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
		keep(t, s, id, time.Now(), fmt.Sprint("token-", i))
	}
	keep(t, s, other, time.Now(), "of another")
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

func TestAVersionSaysWhatChangedByWhomAndWhatWasSubmittedUnderIt(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t)})
	id := newOnboarding(t, s)
	submitted := inItsRole(onboarding.Event{Kind: "step.succeeded", Step: "customer_profile.submission"})
	happen(t, s, id, inItsRole(onboarding.Event{Kind: "step.succeeded", Step: "customer_profile", Detail: "BU1"}),
		inItsRole(onboarding.Event{Kind: "step.running", Step: "customer_profile.submission"}), submitted,
		inItsRole(onboarding.Event{Kind: "step.failed", Step: "customer_profile.review"}))
	amend(t, s, id, "key:first", func(r *onboarding.Request) { r.Business.Name = "Other Plumbing LLC" })
	amend(t, s, id, "key:second", func(r *onboarding.Request) { r.ExternalID = "customer-1042" })
	happen(t, s, id, submitted)

	type version struct {
		N           int
		Actor       string
		Changes     []onboarding.RequestChange
		Submissions []onboarding.Decision
	}
	want := []version{
		{3, "key:second", []onboarding.RequestChange{{Pointer: "/external_id", New: "customer-1042"}}, []onboarding.Decision{""}},
		{2, "key:first", []onboarding.RequestChange{{Pointer: "/business/business_name", Old: "Example Plumbing LLC", New: "Other Plumbing LLC"}}, nil},
		{1, "", nil, []onboarding.Decision{onboarding.DecisionRejected}},
	}
	for _, limit := range []int{1, 2, 3} {
		var got []version
		before := 0
		for more := true; more; {
			var page []onboarding.RequestVersion
			var err error
			if page, more, err = s.VersionPage(t.Context(), id, before, limit); err != nil {
				t.Fatal(err)
			}
			for _, v := range page {
				before = v.Version
				shown := version{N: v.Version, Actor: v.Actor, Changes: v.Changes}
				for _, submission := range v.Submissions {
					if submission.Bundle != "customer_profile" || submission.BundleSID != "BU1" {
						t.Errorf("version %d: submission %+v", v.Version, submission)
					}
					shown.Submissions = append(shown.Submissions, submission.Decision)
				}
				got = append(got, shown)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", limit, diff)
		}
	}
	if page, _, err := s.VersionPage(t.Context(), id, 1, 2); err != nil || len(page) != 0 {
		t.Errorf("before the first: %v, %v", page, err)
	}
	if _, _, err := s.VersionPage(t.Context(), noID, 0, 2); !errors.Is(err, onboarding.ErrNotFound) {
		t.Errorf("of no onboarding: %v", err)
	}
	if page, _, err := s.VersionPage(t.Context(), id, math.MaxInt32-1, 2); err != nil || len(page) != 2 {
		t.Errorf("before one that is not there yet: %v, %v", page, err)
	}
}

func TestAReviewTimeIsFromTheSubmissionToTheFirstDecision(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t)})
	begun := time.Now().UTC().Truncate(time.Microsecond)
	at := func(hours int, kind, step string) onboarding.Event {
		return inItsRole(onboarding.Event{At: begun.Add(time.Duration(hours) * time.Hour), Kind: kind, Step: onboarding.Key(step)})
	}
	first, second, takenOver := newOnboarding(t, s), newOnboarding(t, s), newOnboarding(t, s)
	happen(t, s, takenOver, // It was submitted before, nobody knows when.
		at(0, "step.succeeded", "customer_profile.submission"),
		at(1, "step.succeeded", "customer_profile.review"),
	)
	happen(t, s, first,
		at(0, "step.running", "customer_profile.submission"),
		at(0, "step.succeeded", "customer_profile.submission"),
		at(1, "step.succeeded", "trust_product.submission"),
		inItsRole(onboarding.Event{At: begun, Kind: "step.failed", Step: "customer_profile.review", Detail: "code 20003"}), // a read that was refused
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

// inItsRole is an event of a bundle's step with the role that the step has.
func inItsRole(e onboarding.Event) onboarding.Event {
	bundle, part, _ := strings.Cut(string(e.Step), ".")
	e.Bundle, e.StepKind = onboarding.Key(bundle), onboarding.KindBundle
	if part != "" {
		e.StepKind = onboarding.Kind(part)
	}
	return e
}
