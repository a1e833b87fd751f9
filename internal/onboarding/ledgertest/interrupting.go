package ledgertest

import (
	"errors"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// interrupt interrupts with that change.
func interrupt(t testing.TB, h Harness, id onboarding.ID, change onboarding.Change) {
	t.Helper()
	err := h.Repository.Interrupt(t.Context(), id, func(o *onboarding.Onboarding, _ time.Time) (onboarding.Change, error) {
		change.ID, change.Status = id, o.Status()
		if change.Canceled != nil {
			change.Status = onboarding.StatusCanceled
		}
		return change, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func interruptEndsTheRunnersPlace(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, claimed := claim(t, h, o.ID)
	decided := onboarding.Step{Key: "preflight", State: onboarding.StepFailed}
	interrupt(t, h, o.ID, onboarding.Change{Steps: []onboarding.Step{decided}})

	late := onboarding.Change{ID: o.ID, Epoch: claimed.Epoch, Steps: []onboarding.Step{{Key: "preflight", State: onboarding.StepSucceeded}}}
	if err := ledger.Record(ctx, late); !errors.Is(err, onboarding.ErrLostPlace) {
		t.Errorf("the interrupted runner records with %v, want ErrLostPlace", err)
	}
	if _, err := ledger.Release(ctx, nothing(claimed), time.Time{}); !errors.Is(err, onboarding.ErrLostPlace) {
		t.Errorf("the interrupted runner releases with %v, want ErrLostPlace", err)
	}
	_, _, next := claim(t, h, o.ID)
	if next.Epoch <= claimed.Epoch || !next.Woken {
		t.Errorf("the next claim has epoch %d and woken %t, want more than %d and true", next.Epoch, next.Woken, claimed.Epoch)
	}
	same(t, "the step that was decided", &decided, next.Step("preflight"))
}

func refusedInterruptInterruptsNobody(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, claimed := claim(t, h, o.ID)
	refusal := errors.New("refused")
	err := h.Repository.Interrupt(t.Context(), o.ID, func(*onboarding.Onboarding, time.Time) (onboarding.Change, error) {
		return onboarding.Change{}, refusal
	})
	if !errors.Is(err, refusal) {
		t.Errorf("got %v, want the refusal", err)
	}
	err = ledger.Record(ctx, onboarding.Change{ID: o.ID, Epoch: claimed.Epoch, Status: claimed.Status()})
	if err != nil {
		t.Errorf("the runner cannot record: %v", err)
	}
	release(ctx, t, ledger, claimed, time.Time{})
}

func interruptOfOneThatWaitsRunsItNow(t *testing.T, h Harness) {
	for _, after := range []time.Duration{0, time.Hour} {
		o := fresh()
		create(t, h, o)
		ctx, ledger, claimed := claim(t, h, o.ID)
		var next time.Time
		if after > 0 {
			next = claimed.ReadAt.Add(after)
		}
		release(ctx, t, ledger, claimed, next)
		interrupt(t, h, o.ID, onboarding.Change{})
		ctx, ledger, interrupted := claim(t, h, o.ID)
		if !interrupted.Woken {
			t.Error("not woken")
		}
		release(ctx, t, ledger, interrupted, time.Time{})
		wantNoJob(t, h, o.ID) // There was one job in all.
	}
}

func interruptWritesTheNextRequest(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	amended := o.Request
	amended.Business.RegistrationNumber = "11-1111111"
	interrupt(t, h, o.ID, onboarding.Change{Request: &amended, Version: 2, Numbers: []onboarding.PhoneNumber{{SID: sid("PN"), Number: "+12025550100"}}})
	want := *get(t, h, o.ID)
	amended.PhoneNumbers[0] = "changed" // The ledger has a copy.
	got := get(t, h, o.ID)
	if got.Version != 2 || len(got.Numbers) != 1 {
		t.Errorf("version %d with %d numbers, want 2 and 1", got.Version, len(got.Numbers))
	}
	same(t, "the registration number", amended.Business.RegistrationNumber, got.Request.Business.RegistrationNumber)
	same(t, "the request", want.Request, got.Request)
}

// A callback about a canceled onboarding's bundle wakes nothing. A cleanup is asked for by an
// interrupt.
func canceledIsNotWoken(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	interrupt(t, h, o.ID, onboarding.Change{Canceled: &onboarding.Cancellation{At: at(5)}})
	ctx, ledger, claimed := claim(t, h, o.ID)
	if !claimed.CanceledAt.Equal(at(5)) || claimed.Cleanup {
		t.Errorf("canceled at %s with cleanup %t", claimed.CanceledAt, claimed.Cleanup)
	}
	release(ctx, t, ledger, claimed, time.Time{})
	wake(t, h, o.ID)
	wantNoJob(t, h, o.ID)
	// It is in the way of no other.
	next := fresh()
	next.SubaccountSID, next.Request.ExternalID = o.SubaccountSID, o.Request.ExternalID
	create(t, h, next)
	interrupt(t, h, o.ID, onboarding.Change{Canceled: &onboarding.Cancellation{At: at(5), Cleanup: true}})
	if _, _, cleaning := claim(t, h, o.ID); !cleaning.Cleanup {
		t.Error("no cleanup")
	}
}
