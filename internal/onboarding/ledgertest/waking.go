package ledgertest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// wantDue fails the test unless the onboarding's job is due at that time, give or take a few
// seconds.
func wantDue(t *testing.T, h Harness, id onboarding.ID, want time.Time) {
	t.Helper()
	due, ok := h.Due(t, id)
	switch {
	case !ok:
		t.Errorf("no job, want one for %s", want)
	case due.Sub(want).Abs() > 10*time.Second:
		t.Errorf("due at %s, want %s", due, want)
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
	// One that is due soon is run then, and not before.
	o := fresh()
	create(t, h, o)
	ctx, ledger, claimed := claim(t, h, o.ID)
	next := claimed.ReadAt.Add(300 * time.Millisecond)
	release(ctx, t, ledger, claimed, next)
	_, _, again := claim(t, h, o.ID)
	if again.ReadAt.Before(next) {
		t.Errorf("ran at %s, want not before %s", again.ReadAt, next)
	}
	if late := again.ReadAt.Sub(next); late > 2*time.Second {
		t.Errorf("ran %s late", late)
	}
	if again.Woken {
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
	_, _, again := claim(t, h, o.ID)
	if !again.Woken {
		t.Error("not woken, though it was")
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
		t.Fatal("not woken, though it was during the run")
	}
	// What the run has learned is written. Nothing is released: the same runner goes on.
	same(t, "numbers", 1, len(get(t, h, o.ID).Numbers))
	if err := ledger.Record(ctx, changeOf(claimed)); err != nil {
		t.Errorf("record after a release that was none: %v", err)
	}
	again, err := ledger.Claim(ctx, o.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !again.Woken {
		t.Error("the claim does not say that it was woken")
	}
	release(ctx, t, ledger, again, time.Time{})
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
		t.Error("not woken, though it was before the claim")
	}
	// The claim has seen it: that was all there is to do, and two wake-ups are one.
	release(ctx, t, ledger, claimed, time.Time{})
	wantNoJob(t, h, o.ID)
}

func wakeUpOfARunThatDiedIsToldToTheNext(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger := h.Fetch(t, o.ID)
	wake(t, h, o.ID)
	// Each of these runs dies without a word; the last ends in order.
	for range 3 {
		claimed, err := ledger.Claim(ctx, o.ID)
		if err != nil {
			t.Fatal(err)
		}
		if !claimed.Woken {
			t.Fatal("the wake-up died with the run that was told of it")
		}
	}
	claimed, err := ledger.Claim(ctx, o.ID)
	if err != nil {
		t.Fatal(err)
	}
	release(ctx, t, ledger, claimed, claimed.ReadAt)
	if _, _, after := claim(t, h, o.ID); after.Woken {
		t.Error("told of a wake-up that a run before had acted on")
	}
}

func wakeUpBringsTheScheduledJobForward(t *testing.T, h Harness) {
	for _, after := range []time.Duration{time.Hour, 3 * time.Second} {
		o := fresh()
		create(t, h, o)
		ctx, ledger, claimed := claim(t, h, o.ID)
		release(ctx, t, ledger, claimed, claimed.ReadAt.Add(after))
		wake(t, h, o.ID)
		ctx, ledger, again := claim(t, h, o.ID)
		if took := again.ReadAt.Sub(claimed.ReadAt); !again.Woken || took >= 3*time.Second {
			t.Errorf("woken %t after %s, want at once", again.Woken, took)
		}
		release(ctx, t, ledger, again, time.Time{})
		wantNoJob(t, h, o.ID)
	}
}

func wakeUpOfAnAbandonedRunIsKept(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	claim(t, h, o.ID)
	wake(t, h, o.ID)
	h.Abandon(t, o.ID)
	_, _, again := claim(t, h, o.ID)
	if !again.Woken {
		t.Error("the wake-up died with the runner")
	}
}

// noWakeUpIsLost lets many wake one onboarding, each leaving a mark, while a runner claims and
// releases it as fast as it can. Whenever the last mark was left, a claim has to come after it: or
// else the onboarding sleeps over it.
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
		// Wake-ups meet no job, one for much later, and one that is about to begin.
		next := []time.Time{{}, time.Now().Add(time.Hour), time.Now().Add(5 * time.Millisecond)}[round%3]
		ctx, ledger := h.Fetch(t, o.ID) // a wake-up that is lost leaves nothing to fetch, and that fails the test
		for woken, claims := true, 0; woken; claims++ {
			if claims > wakers*each {
				t.Fatal("woken more often than somebody woke it")
			}
			claimed, err := ledger.Claim(ctx, o.ID)
			if err != nil {
				t.Fatal(err)
			}
			seen = marks(claimed)
			woken, err = ledger.Release(ctx, nothing(claimed), next)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func updateDecidesOnWhatIsThere(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	_, _, claimed := claim(t, h, o.ID)
	change := changeOf(claimed)
	change.Epoch = 0 // whoever updates needs none
	err := h.Repository.Update(t.Context(), o.ID, func(current *onboarding.Onboarding, now time.Time) (onboarding.Change, error) {
		same(t, "handed in", o, current, notTheReading)
		if current.Epoch != claimed.Epoch {
			t.Errorf("epoch %d, want %d", current.Epoch, claimed.Epoch)
		}
		if age := time.Since(now).Abs(); age > time.Minute {
			t.Errorf("the ledger's time is %s off", age)
		}
		return change, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := *o
	want.Steps = []onboarding.Step{change.Steps[1], change.Steps[0]}
	want.Numbers = change.Numbers
	same(t, "read back", &want, get(t, h, o.ID), notTheReading)
	same(t, "history", append([]onboarding.Event{created(o)}, change.Events...), events(t, h, o.ID))
}

func refusedUpdateChangesNothing(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, claimed := claim(t, h, o.ID)
	refusal := errors.New("refused")
	err := h.Repository.Update(t.Context(), o.ID, func(o *onboarding.Onboarding, _ time.Time) (onboarding.Change, error) {
		o.Request.NotificationEmail = "changed@example.com"
		return changeOf(o), refusal
	})
	if !errors.Is(err, refusal) {
		t.Errorf("error %v, want %v", err, refusal)
	}
	wantUntouched(t, h, o)
	release(ctx, t, ledger, claimed, time.Time{})
}

// delivery is a callback for the onboarding.
func delivery(o *onboarding.Onboarding, token string) onboarding.Callback {
	return onboarding.Callback{
		OnboardingID:     o.ID,
		ReceivedAt:       at(7),
		IdempotencyToken: token,
		SignedBy:         o.SubaccountSID,
		ContentType:      "application/x-www-form-urlencoded",
		Body:             []byte("Status=twilio-approved&x=\x00\xff"),
		BundleSID:        sid("BU"),
		Status:           onboarding.BundleApproved,
	}
}

func callbacks(t *testing.T, h Harness, id onboarding.ID) []onboarding.Callback {
	t.Helper()
	all, err := h.Repository.Callbacks(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func record(t *testing.T, h Harness, c onboarding.Callback, wake bool) {
	t.Helper()
	if err := h.Repository.RecordCallback(t.Context(), c, wake); err != nil {
		t.Fatal(err)
	}
}

func callbackIsKept(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	bare := onboarding.Callback{OnboardingID: o.ID, ReceivedAt: at(8)}
	all := []onboarding.Callback{delivery(o, "first"), delivery(o, ""), delivery(o, ""), bare, delivery(o, "second")}
	for _, c := range all {
		record(t, h, c, false)
	}
	same(t, "kept", all, callbacks(t, h, o.ID))
}

func callbackIsKeptOnce(t *testing.T, h Harness) {
	o, other := fresh(), fresh()
	create(t, h, o)
	create(t, h, other)
	ctx, ledger, claimed := claim(t, h, o.ID)
	release(ctx, t, ledger, claimed, time.Time{})

	first := delivery(o, "token")
	record(t, h, first, false)
	// The same token again, with whatever in it, wakes nobody.
	record(t, h, delivery(o, "token"), true)
	same(t, "kept", []onboarding.Callback{first}, callbacks(t, h, o.ID))
	wantNoJob(t, h, o.ID)

	// Another onboarding's token is another's.
	record(t, h, delivery(other, "token"), false)
	same(t, "number kept for the other", 1, len(callbacks(t, h, other.ID)))
}

func callbackWakesOnlyIfAsked(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, claimed := claim(t, h, o.ID)
	release(ctx, t, ledger, claimed, time.Time{})

	record(t, h, delivery(o, "first"), false)
	wantNoJob(t, h, o.ID)
	record(t, h, delivery(o, "second"), true)
	wantDue(t, h, o.ID, time.Now())
	_, _, again := claim(t, h, o.ID)
	if !again.Woken {
		t.Error("the claim does not say that a callback came")
	}
}
