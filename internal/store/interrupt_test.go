package store

import (
	"errors"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// adopt is a decision that gives the step preflight a SID.
func adopt(_ *onboarding.Onboarding, now time.Time) (onboarding.Change, error) {
	step := onboarding.Step{Key: "preflight", State: onboarding.StepSucceeded, SID: "AC00000000000000000000000000000001"}
	return onboarding.Change{
		Status: onboarding.StatusInProgress, Steps: []onboarding.Step{step},
		Events: []onboarding.Event{{At: now, Kind: "step.adopted", Step: step.Key, Actor: "reconcile"}},
	}, nil
}

func TestAnInterruptedRunnerCanWriteNoMoreAndAnotherGoesOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r, claimed := b.claimNew(t)
	if err := b.store.Interrupt(t.Context(), claimed.ID, adopt); err != nil {
		t.Fatal(err)
	}

	late := onboarding.Change{ID: claimed.ID, Epoch: claimed.Epoch, Status: onboarding.StatusInProgress}
	if err := r.ledger.Record(r.ctx, late); !errors.Is(err, onboarding.ErrLostPlace) {
		t.Errorf("the interrupted runner's write: %v, want ErrLostPlace", err)
	}
	if _, err := r.ledger.Release(r.ctx, nothing(claimed), time.Time{}); !errors.Is(err, onboarding.ErrLostPlace) {
		t.Errorf("the interrupted runner's release: %v, want ErrLostPlace", err)
	}
	if _, err := r.ledger.Claim(r.ctx, claimed.ID); !errors.Is(err, onboarding.ErrLostPlace) {
		t.Errorf("the interrupted runner's claim: %v, want ErrLostPlace", err)
	}

	_, next := b.inbox.claim(t, claimed.ID)
	if next.SID("preflight") == "" || !next.Woken || next.Epoch <= claimed.Epoch {
		t.Errorf("the next runner reads SID %q, woken %t, epoch %d after %d", next.SID("preflight"), next.Woken, next.Epoch, claimed.Epoch)
	}
}

func TestAnInterruptionBringsForwardWhatIsScheduled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r, claimed := b.claimNew(t)
	r.release(t, claimed, claimed.ReadAt.Add(time.Hour))
	if err := b.store.Interrupt(t.Context(), claimed.ID, adopt); err != nil {
		t.Fatal(err)
	}
	b.inbox.claim(t, claimed.ID)
	if jobs := b.unfinishedJobs(t, claimed.ID); jobs != 1 {
		t.Errorf("%d jobs are not finished, want the one that runs", jobs)
	}
}

func TestADecisionAgainstInterruptsNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r, claimed := b.claimNew(t)
	against := errors.New("no")
	err := b.store.Interrupt(t.Context(), claimed.ID, func(*onboarding.Onboarding, time.Time) (onboarding.Change, error) {
		return onboarding.Change{}, against
	})
	if !errors.Is(err, against) {
		t.Errorf("error %v, want the decision's", err)
	}
	r.release(t, claimed, time.Time{})
	err = b.store.Interrupt(t.Context(), "onb_nobody", adopt)
	if !errors.Is(err, onboarding.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
}
