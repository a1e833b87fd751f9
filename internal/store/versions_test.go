package store

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/onboarding"
)

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
