// Package ledgertest is the specification of [onboarding.Ledger] and [onboarding.Repository] as
// tests. Each implementation runs it, so that what is proved over the ledger in memory holds for
// Postgres as well.
//
// Start reading at [Run].
package ledgertest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/attestd/attestd/internal/onboarding"
)

// Harness is an implementation under test, with nothing in it to begin with.
type Harness struct {
	Repository Repository
	// Fetch waits until the onboarding's job is due and takes it as a worker would. The ledger is
	// bound to that job and used with the context. It fails the test when no job becomes due for a
	// long time.
	Fetch func(t testing.TB, id onboarding.ID) (context.Context, onboarding.Ledger)
	// Due returns when the onboarding's job is or was due, and false if it has none.
	Due func(t testing.TB, id onboarding.ID) (time.Time, bool)
	// Abandon makes the onboarding's job that of a dead process, and has others take over.
	Abandon func(t testing.TB, id onboarding.ID)
}

// Repository is what both implementations keep beyond what a service asks for.
type Repository interface {
	onboarding.InterruptibleRepository
	Events(ctx context.Context, id onboarding.ID) ([]onboarding.Event, error)
	Callbacks(ctx context.Context, id onboarding.ID) ([]onboarding.Callback, error)
}

// promise is something that every ledger holds.
type promise struct {
	name string
	run  func(t *testing.T, h Harness)
}

// promises are held beside whatever else is in the ledger.
var promises = []promise{
	{"CreatedIsReadBackWhole", createdIsReadBackWhole},
	{"CreatedIsDueAtOnce", createdIsDueAtOnce},
	{"UnknownOnboardingIsNotFound", unknownOnboardingIsNotFound},
	{"SubaccountConflictComesFirst", subaccountConflictComesFirst},
	{"NoExternalIDIsNoConflict", noExternalIDIsNoConflict},
	{"CallbackTokenFindsTheOnboarding", callbackTokenFindsTheOnboarding},

	{"RecordedIsReadBackWhole", recordedIsReadBackWhole},
	{"LastOfOneKeyCounts", lastOfOneKeyCounts},
	{"ChangeWithoutStepsIsWritten", changeWithoutStepsIsWritten},
	{"WhatIsHandedOutIsACopy", whatIsHandedOutIsACopy},

	{"ClaimRaisesTheEpoch", claimRaisesTheEpoch},
	{"OldEpochWritesNothing", oldEpochWritesNothing},
	{"OldEpochReleasesNothing", oldEpochReleasesNothing},
	{"AbandonedJobCannotClaim", abandonedJobCannotClaim},
	{"AbandonedRunnerCannotRelease", abandonedRunnerCannotRelease},
	{"NothingIsClaimedAfterTheRelease", nothingIsClaimedAfterTheRelease},

	{"ReleaseSchedules", releaseSchedules},
	{"ReleaseForThePastIsDueAtOnce", releaseForThePastIsDueAtOnce},
	{"ReleaseWithoutATimeWaitsForAWakeUp", releaseWithoutATimeWaitsForAWakeUp},
	{"WakeUpDuringARunIsToldAtRelease", wakeUpDuringARunIsToldAtRelease},
	{"WakeUpBeforeTheClaimIsToldByTheClaim", wakeUpBeforeTheClaimIsToldByTheClaim},
	{"WakeUpOfARunThatDiedIsToldToTheNext", wakeUpOfARunThatDiedIsToldToTheNext},
	{"WakeUpBringsTheScheduledJobForward", wakeUpBringsTheScheduledJobForward},
	{"WakeUpOfAnAbandonedRunIsKept", wakeUpOfAnAbandonedRunIsKept},
	{"NoWakeUpIsLost", noWakeUpIsLost},

	{"InterruptTakesTheOnboardingAway", interruptTakesTheOnboardingAway},
	{"RefusedInterruptInterruptsNobody", refusedInterruptInterruptsNobody},
	{"InterruptOfOneThatWaitsRunsItNow", interruptOfOneThatWaitsRunsItNow},
	{"InterruptWritesTheNextRequest", interruptWritesTheNextRequest},
	{"CanceledSleepsThroughWakeUps", canceledSleepsThroughWakeUps},

	{"UpdateDecidesOnWhatIsThere", updateDecidesOnWhatIsThere},
	{"RefusedUpdateChangesNothing", refusedUpdateChangesNothing},
	{"CallbackIsKept", callbackIsKept},
	{"CallbackIsKeptOnce", callbackIsKeptOnce},
	{"CallbackWakesOnlyIfAsked", callbackWakesOnlyIfAsked},
}

// promisesOfLists are held by a ledger of their own: a list shows what all others left.
var promisesOfLists = []promise{
	{"ListIsPagedNewestFirst", listIsPagedNewestFirst},
	{"ListIsFiltered", listIsFiltered},
	{"ListShowsBundlesAndRequirements", listShowsBundlesAndRequirements},
}

// Run runs the suite. setup makes a harness that is good until its test ends; most tests share one.
func Run(t *testing.T, setup func(t *testing.T) Harness) {
	shared := setup(t)
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.run(t, shared)
		})
	}
	for _, p := range promisesOfLists {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.run(t, setup(t))
		})
	}
}

// create stores a new onboarding.
func create(t testing.TB, h Harness, o *onboarding.Onboarding) {
	t.Helper()
	if err := h.Repository.Create(t.Context(), o, created(o)); err != nil {
		t.Fatal(err)
	}
}

// claim fetches and claims.
func claim(t testing.TB, h Harness, id onboarding.ID) (context.Context, onboarding.Ledger, *onboarding.Onboarding) {
	t.Helper()
	ctx, ledger := h.Fetch(t, id)
	o, err := ledger.Claim(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return ctx, ledger, o
}

// nothing is the change of a run that has nothing to write.
func nothing(o *onboarding.Onboarding) onboarding.Change {
	return onboarding.Change{ID: o.ID, Epoch: o.Epoch, Status: o.Status(), Attestation: o.Attestation()}
}

// release releases and expects that nothing woke the onboarding.
func release(ctx context.Context, t testing.TB, ledger onboarding.Ledger, o *onboarding.Onboarding, next time.Time) {
	t.Helper()
	woken, err := ledger.Release(ctx, nothing(o), next)
	if err != nil {
		t.Fatal(err)
	}
	if woken {
		t.Fatal("woken, though nothing happened since the claim")
	}
}

// wake wakes without changing anything.
func wake(t testing.TB, h Harness, id onboarding.ID) {
	t.Helper()
	err := h.Repository.Update(t.Context(), id, func(o *onboarding.Onboarding, _ time.Time) (onboarding.Change, error) {
		return onboarding.Change{Status: o.Status()}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func get(t testing.TB, h Harness, id onboarding.ID) *onboarding.Onboarding {
	t.Helper()
	o, err := h.Repository.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func events(t testing.TB, h Harness, id onboarding.ID) []onboarding.Event {
	t.Helper()
	all, err := h.Repository.Events(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// same fails the test unless got is want; an empty slice is none.
func same[T any](t testing.TB, what string, want, got T, options ...cmp.Option) {
	t.Helper()
	options = append(options, cmpopts.EquateEmpty(), cmpopts.EquateComparable(onboarding.Requirement{}))
	if diff := cmp.Diff(want, got, options...); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// notTheReading leaves out what belongs to the reading and not to the onboarding.
var notTheReading = cmpopts.IgnoreFields(onboarding.Onboarding{}, "ReadAt", "UpdatedAt", "Epoch", "Woken")
