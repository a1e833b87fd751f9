// Package ledgertest specifies [onboarding.Ledger] and [onboarding.Repository] by tests. Each
// implementation runs them, so that proofs over the ledger in memory hold for Postgres as well.
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
	// Fetch waits until the onboarding's job is due and begins it as a worker does. The ledger is
	// bound to that job and used with the context. Fetch fails the test when no job becomes due for
	// a long time.
	Fetch func(t testing.TB, id onboarding.ID) (context.Context, onboarding.Ledger)
	// Due returns when the onboarding's job is or was due, and false if it has none.
	Due func(t testing.TB, id onboarding.ID) (time.Time, bool)
	// Abandon makes the onboarding's job that of a dead process, and has the onboarding rescued.
	Abandon func(t testing.TB, id onboarding.ID)
}

// Repository is the port with the whole history of an onboarding, oldest first.
type Repository interface {
	onboarding.InterruptibleRepository
	Events(ctx context.Context, id onboarding.ID) ([]onboarding.Event, error)
	Callbacks(ctx context.Context, id onboarding.ID) ([]onboarding.Callback, error)
}

// test is one promise of the suite.
type test struct {
	name string
	run  func(t *testing.T, h Harness)
}

// shared are the tests that each make onboardings of their own, beside those of others.
var shared = []test{
	{"CreatedIsReadBackWhole", createdIsReadBackWhole},
	{"CreatedIsDueAtOnce", createdIsDueAtOnce},
	{"UnknownOnboardingIsNotFound", unknownOnboardingIsNotFound},
	{"SubaccountConflictComesFirst", subaccountConflictComesFirst},
	{"NoExternalIDIsNoConflict", noExternalIDIsNoConflict},
	{"CallbackTokenFindsTheOnboarding", callbackTokenFindsTheOnboarding},

	{"ChangeIsReadBackWhole", changeIsReadBackWhole},
	{"LastOfOneKeyCounts", lastOfOneKeyCounts},
	{"ChangeWithoutStepsIsWritten", changeWithoutStepsIsWritten},
	{"ReadersAndWritersHaveCopies", readersAndWritersHaveCopies},

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
	{"WakeUpOfAnAbandonedRunIsToldToTheNext", wakeUpOfAnAbandonedRunIsToldToTheNext},
	{"NoWakeUpIsLost", noWakeUpIsLost},

	{"InterruptEndsTheRunnersPlace", interruptEndsTheRunnersPlace},
	{"RefusedInterruptInterruptsNobody", refusedInterruptInterruptsNobody},
	{"InterruptOfOneThatWaitsRunsItNow", interruptOfOneThatWaitsRunsItNow},
	{"InterruptWritesTheNextRequest", interruptWritesTheNextRequest},
	{"CanceledIsNotWoken", canceledIsNotWoken},

	{"UpdateDecidesOnWhatIsThere", updateDecidesOnWhatIsThere},
	{"RefusedUpdateChangesNothing", refusedUpdateChangesNothing},

	{"CallbackIsStored", callbackIsStored},
	{"CallbackIsStoredOnce", callbackIsStoredOnce},
	{"CallbackWakesOnlyIfAsked", callbackWakesOnlyIfAsked},
}

// alone are the tests of lists, which show the onboardings of all.
var alone = []test{
	{"ListIsPagedNewestFirst", listIsPagedNewestFirst},
	{"ListIsFiltered", listIsFiltered},
	{"ListShowsBundlesAndRequirements", listShowsBundlesAndRequirements},
}

// Run runs the suite. setup makes a harness that lasts until its test ends. Most tests share one.
func Run(t *testing.T, setup func(t *testing.T) Harness) {
	h := setup(t)
	for _, test := range shared {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, h)
		})
	}
	for _, test := range alone {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, setup(t))
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

// nothing is the change of a run that changes nothing.
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

// notTheReading leaves out the members that differ from one reading to the next.
var notTheReading = cmpopts.IgnoreFields(onboarding.Onboarding{}, "ReadAt", "UpdatedAt", "Epoch", "Woken")
