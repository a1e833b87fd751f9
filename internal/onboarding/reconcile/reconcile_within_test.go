package reconcile_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/reconcile"
)

// busy is what Twilio answers for as long as it has no time.
var busy = &onboarding.RemoteError{Class: onboarding.ClassRepeatable, HTTPStatus: 503}

func TestAComparisonOutOfTimeIsMadeOfWhatWasLookedUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := reconcileSetup(t, made("IT1"), made("BV1"))
		b.reconciler.Within = time.Second
		b.held = map[onboarding.Key][]string{objectKey: {"IT1"}, "IT1": {"BV1"}}
		b.failures[assignedKey] = slices.Repeat([]error{busy}, 100)
		report, err := b.reconciler.Compare(t.Context(), reconciled)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]reconcile.Verdict{"object IT1": reconcile.VerdictSame, "bundle.object BV1": reconcile.VerdictNotCompared}
		if diff := cmp.Diff(want, b.verdicts(report)); diff != "" {
			t.Errorf("verdicts (-want +got):\n%s", diff)
		}
		if err := report.Failure(); err != nil {
			t.Errorf("failed with %v, although something was compared", err)
		}
	})
}

func TestAStepThatTheTimeDidNotReachIsNotCompared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := reconcileSetup(t, pending, pending)
		b.reconciler.Within = time.Second
		b.failures[objectKey] = slices.Repeat([]error{busy}, 100)
		report, err := b.reconciler.Compare(t.Context(), reconciled)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]reconcile.Verdict{"object ": reconcile.VerdictNotCompared, "bundle.object ": reconcile.VerdictNotCompared}
		if diff := cmp.Diff(want, b.verdicts(report)); diff != "" {
			t.Errorf("verdicts (-want +got):\n%s", diff)
		}
		if report.Failure() == nil {
			t.Error("nothing was compared, and that is no failure")
		}
	})
}

func TestTheFailureOfAComparisonIsThatOfItsFirstLookup(t *testing.T) {
	t.Parallel()
	b := reconcileSetup(t, made("IT1"), made("BV1"))
	b.held = map[onboarding.Key][]string{objectKey: {"IT1"}, "IT1": {"BV1"}}
	refused := &onboarding.RemoteError{Class: onboarding.ClassPermanent, HTTPStatus: 403, Code: 20005}
	b.failures[objectKey] = []error{refused}
	b.failures[assignedKey] = []error{errors.New("another")}
	report, err := b.reconciler.Compare(t.Context(), reconciled)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Failure(); !errors.Is(err, refused) {
		t.Errorf("failed with %v, want what Twilio said first", err)
	}
}
