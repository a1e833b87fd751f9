package ledgertest

import (
	"sync"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// wantDueNow fails the test unless the onboarding has a job that is due by the ledger's clock.
func wantDueNow(t *testing.T, h Harness, id onboarding.ID) {
	t.Helper()
	due, ok := h.Due(t, id)
	if now := get(t, h, id).ReadAt; !ok || due.After(now) {
		t.Errorf("a job: %t, due at %s, want by %s", ok, due, now)
	}
}

func wantNoJob(t *testing.T, h Harness, id onboarding.ID) {
	t.Helper()
	if due, ok := h.Due(t, id); ok {
		t.Errorf("a job is due at %s, want none", due)
	}
}

func releaseSchedules(t *testing.T, h Harness) {
	for _, after := range []time.Duration{time.Hour, 2 * time.Minute} {
		o := fresh()
		create(t, h, o)
		ctx, ledger, claimed := claim(t, h, o.ID)
		next := claimed.ReadAt.Add(after)
		release(ctx, t, ledger, claimed, next)
		due, ok := h.Due(t, o.ID)
		if !ok || !due.Equal(next) {
			t.Errorf("due at %s, %t, want %s", due, ok, next)
		}
	}
	// A job that is due soon runs at its time, and not before.
	o := fresh()
	create(t, h, o)
	ctx, ledger, claimed := claim(t, h, o.ID)
	soon := claimed.ReadAt.Add(300 * time.Millisecond)
	release(ctx, t, ledger, claimed, soon)
	_, _, next := claim(t, h, o.ID)
	if next.ReadAt.Before(soon) {
		t.Errorf("ran at %s, want not before %s", next.ReadAt, soon)
	}
	if next.Woken {
		t.Error("woken by its time")
	}
}

func releaseForThePastIsDueAtOnce(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, claimed := claim(t, h, o.ID)
	release(ctx, t, ledger, claimed, claimed.ReadAt.Add(-time.Hour))
	claim(t, h, o.ID)
}

func releaseWithoutATimeWaitsForAWakeUp(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, claimed := claim(t, h, o.ID)
	release(ctx, t, ledger, claimed, time.Time{})
	wantNoJob(t, h, o.ID)

	wake(t, h, o.ID)
	_, _, next := claim(t, h, o.ID)
	if !next.Woken {
		t.Error("the claim is not told of the wake-up")
	}
}

func wakeUpDuringARunIsToldAtRelease(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, claimed := claim(t, h, o.ID)
	wake(t, h, o.ID)
	woken, err := ledger.Release(ctx, changeOf(claimed), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if !woken {
		t.Fatal("the release does not tell of the wake-up")
	}
	// The change is written. Nothing is released: the same runner goes on.
	same(t, "numbers", 1, len(get(t, h, o.ID).Numbers))
	if err := ledger.Record(ctx, changeOf(claimed)); err != nil {
		t.Errorf("record after a release that released nothing: %v", err)
	}
	second, err := ledger.Claim(ctx, o.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !second.Woken {
		t.Error("the claim is not told of the wake-up")
	}
	release(ctx, t, ledger, second, time.Time{})
	wantNoJob(t, h, o.ID)
}

func wakeUpBeforeTheClaimIsToldByTheClaim(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger := h.Fetch(t, o.ID)
	wake(t, h, o.ID)
	wake(t, h, o.ID)
	claimed, err := ledger.Claim(ctx, o.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !claimed.Woken {
		t.Error("the claim is not told of the wake-ups")
	}
	// The claim was told, and the release is not: two wake-ups are one.
	release(ctx, t, ledger, claimed, time.Time{})
	wantNoJob(t, h, o.ID)
}

func wakeUpOfARunThatDiedIsToldToTheNext(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger := h.Fetch(t, o.ID)
	wake(t, h, o.ID)
	// Each of these runs dies without a release. The last one ends in order.
	for range 3 {
		claimed, err := ledger.Claim(ctx, o.ID)
		if err != nil {
			t.Fatal(err)
		}
		if !claimed.Woken {
			t.Fatal("the wake-up is lost with the run that was told of it")
		}
	}
	claimed, err := ledger.Claim(ctx, o.ID)
	if err != nil {
		t.Fatal(err)
	}
	release(ctx, t, ledger, claimed, claimed.ReadAt)
	if _, _, after := claim(t, h, o.ID); after.Woken {
		t.Error("told of a wake-up that an earlier run has acted on")
	}
}

func wakeUpBringsTheScheduledJobForward(t *testing.T, h Harness) {
	for _, after := range []time.Duration{time.Hour, 3 * time.Second} {
		o := fresh()
		create(t, h, o)
		ctx, ledger, claimed := claim(t, h, o.ID)
		release(ctx, t, ledger, claimed, claimed.ReadAt.Add(after))
		wake(t, h, o.ID)
		wantDueNow(t, h, o.ID)
		ctx, ledger, next := claim(t, h, o.ID)
		if !next.Woken {
			t.Error("the claim is not told of the wake-up")
		}
		release(ctx, t, ledger, next, time.Time{})
		wantNoJob(t, h, o.ID)
	}
}

func wakeUpOfAnAbandonedRunIsToldToTheNext(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	claim(t, h, o.ID)
	wake(t, h, o.ID)
	h.Abandon(t, o.ID)
	_, _, next := claim(t, h, o.ID)
	if !next.Woken {
		t.Error("the wake-up is lost with the runner")
	}
}

// noWakeUpIsLost has many goroutines wake one onboarding, while a runner claims and releases it as
// fast as it can. Each wake-up leaves a mark. After the last mark a claim must come: otherwise the
// onboarding sleeps although it was woken.
func noWakeUpIsLost(t *testing.T, h Harness) {
	const wakers, each = 8, 20
	o := fresh()
	create(t, h, o)
	marks := func(o *onboarding.Onboarding) int {
		if s := o.Step("marks"); s != nil {
			return s.Attempts
		}
		return 0
	}
	var done sync.WaitGroup
	defer done.Wait()
	for range wakers {
		done.Go(func() {
			for range each {
				err := h.Repository.Update(t.Context(), o.ID, func(o *onboarding.Onboarding, _ time.Time) (onboarding.Change, error) {
					mark := onboarding.Step{Key: "marks", State: onboarding.StepPending, Attempts: marks(o) + 1}
					return onboarding.Change{Status: o.Status(), Steps: []onboarding.Step{mark}}, nil
				})
				if err != nil {
					t.Errorf("wake: %v", err)
				}
			}
		})
	}
	for seen, round := 0, 0; seen < wakers*each; round++ {
		// After a wake-up that is lost there is no job, and Fetch fails the test.
		ctx, ledger := h.Fetch(t, o.ID)
		for woken, claims := true, 0; woken; claims++ {
			if claims > wakers*each {
				t.Fatal("told of more wake-ups than there were")
			}
			claimed, err := ledger.Claim(ctx, o.ID)
			if err != nil {
				t.Fatal(err)
			}
			seen = marks(claimed)
			// Wake-ups meet no job, a job for much later, and a job that is about to begin.
			now := claimed.ReadAt
			next := []time.Time{{}, now.Add(time.Hour), now.Add(5 * time.Millisecond)}[round%3]
			woken, err = ledger.Release(ctx, nothing(claimed), next)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
