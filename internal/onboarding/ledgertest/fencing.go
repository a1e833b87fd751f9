package ledgertest

import (
	"errors"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

func claimRaisesTheEpoch(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, first := claim(t, h, o.ID)
	second, err := ledger.Claim(ctx, o.ID)
	if err != nil {
		t.Fatal(err)
	}
	if second.Epoch <= first.Epoch {
		t.Errorf("epoch %d after %d, want a higher one", second.Epoch, first.Epoch)
	}
}

// changeOf is a change that a reader would see.
func changeOf(o *onboarding.Onboarding) onboarding.Change {
	return onboarding.Change{
		ID:      o.ID,
		Epoch:   o.Epoch,
		Status:  onboarding.StatusActionRequired,
		Steps:   []onboarding.Step{everyField("preflight"), everyField("added")},
		Numbers: []onboarding.PhoneNumber{{SID: sid("PN"), Number: "+12025550100"}},
		Events:  []onboarding.Event{{At: at(1), Kind: "step.failed", Step: "preflight", Actor: "replica:test"}},
	}
}

// wantUntouched fails the test unless the onboarding is as it was created.
func wantUntouched(t *testing.T, h Harness, o *onboarding.Onboarding) {
	t.Helper()
	same(t, "read back", o, get(t, h, o.ID), notTheReading)
	same(t, "history", []onboarding.Event{created(o)}, events(t, h, o.ID))
	listed, _, err := h.Repository.List(t.Context(), onboarding.Filter{Limit: 10, SubaccountSID: o.SubaccountSID})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "listed status", o.Status(), listed[0].Status)
}

func wantLostPlace(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, onboarding.ErrLostPlace) {
		t.Errorf("%s: %v, want %v", what, err, onboarding.ErrLostPlace)
	}
}

func oldEpochWritesNothing(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, old := claim(t, h, o.ID)
	if _, err := ledger.Claim(ctx, o.ID); err != nil {
		t.Fatal(err)
	}
	wantLostPlace(t, "record", ledger.Record(ctx, changeOf(old)))
	wantUntouched(t, h, o)
}

func oldEpochReleasesNothing(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, old := claim(t, h, o.ID)
	current, err := ledger.Claim(ctx, o.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, err = ledger.Release(ctx, changeOf(old), time.Time{})
	wantLostPlace(t, "release", err)
	wantUntouched(t, h, o)
	if err := ledger.Record(ctx, changeOf(current)); err != nil {
		t.Errorf("record under the newest epoch: %v", err)
	}
	release(ctx, t, ledger, current, time.Time{})
}

func abandonedJobCannotClaim(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger := h.Fetch(t, o.ID)
	h.Abandon(t, o.ID)
	_, err := ledger.Claim(ctx, o.ID)
	wantLostPlace(t, "claim", err)

	newCtx, newLedger, claimed := claim(t, h, o.ID)
	_, err = ledger.Claim(ctx, o.ID)
	wantLostPlace(t, "claim beside another runner", err)
	if err := newLedger.Record(newCtx, changeOf(claimed)); err != nil {
		t.Errorf("record by the next runner: %v", err)
	}
}

func abandonedRunnerCannotRelease(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, claimed := claim(t, h, o.ID)
	h.Abandon(t, o.ID)
	// No other runner has claimed yet: the epoch is still the newest.
	_, err := ledger.Release(ctx, changeOf(claimed), time.Time{})
	wantLostPlace(t, "release", err)
	wantUntouched(t, h, o)
	if _, scheduled := h.Due(t, o.ID); !scheduled {
		t.Error("the next job is gone")
	}
	newCtx, newLedger, next := claim(t, h, o.ID)
	wantLostPlace(t, "record", ledger.Record(ctx, changeOf(claimed)))
	wantUntouched(t, h, o)
	release(newCtx, t, newLedger, next, time.Time{})
}

func nothingIsClaimedAfterTheRelease(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, claimed := claim(t, h, o.ID)
	change := changeOf(claimed)
	if woken, err := ledger.Release(ctx, change, claimed.ReadAt.Add(time.Hour)); err != nil || woken {
		t.Fatalf("release: woken %t, %v", woken, err)
	}
	same(t, "number of steps read back", 2, len(get(t, h, o.ID).Steps))
	same(t, "history", append([]onboarding.Event{created(o)}, change.Events...), events(t, h, o.ID))
	_, err := ledger.Claim(ctx, o.ID)
	wantLostPlace(t, "claim", err)
	_, err = ledger.Release(ctx, nothing(claimed), time.Time{})
	wantLostPlace(t, "release", err)
}
