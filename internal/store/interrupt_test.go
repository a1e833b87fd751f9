package store

import (
	"errors"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// adopt is a decision that records a SID in the step preflight.
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
	id := newOnboarding(t, b.store)
	r := b.fetch(t, id)
	claimed, err := r.ledger.Claim(r.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.store.Interrupt(t.Context(), id, adopt); err != nil {
		t.Fatal(err)
	}

	late := onboarding.Change{ID: id, Epoch: claimed.Epoch, Status: onboarding.StatusInProgress, Steps: claimed.Steps}
	if err := r.ledger.Record(r.ctx, late); !errors.Is(err, onboarding.ErrLostPlace) {
		t.Errorf("the interrupted runner's write: %v, want ErrLostPlace", err)
	}
	if _, err := r.ledger.Release(r.ctx, nothing(claimed), time.Time{}); !errors.Is(err, onboarding.ErrLostPlace) {
		t.Errorf("the interrupted runner's release: %v, want ErrLostPlace", err)
	}
	if _, err := r.ledger.Claim(r.ctx, id); !errors.Is(err, onboarding.ErrLostPlace) {
		t.Errorf("the interrupted runner's claim: %v, want ErrLostPlace", err)
	}

	next := b.fetch(t, id)
	got, err := next.ledger.Claim(next.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if got.SID("preflight") == "" || !got.Woken || got.Epoch <= claimed.Epoch {
		t.Errorf("the next runner reads SID %q, woken %t, epoch %d after %d", got.SID("preflight"), got.Woken, got.Epoch, claimed.Epoch)
	}
}

func TestAnInterruptionBringsForwardWhatIsScheduled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := newOnboarding(t, b.store)
	r := b.fetch(t, id)
	claimed, err := r.ledger.Claim(r.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.ledger.Release(r.ctx, nothing(claimed), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := b.store.Interrupt(t.Context(), id, adopt); err != nil {
		t.Fatal(err)
	}
	next := b.fetch(t, id)
	if _, err := next.ledger.Claim(next.ctx, id); err != nil {
		t.Error(err)
	}
	var jobs int
	err = b.store.pool.QueryRow(t.Context(),
		"SELECT count(*) FROM river_job WHERE args ->> 'onboarding_id' = $1 AND finalized_at IS NULL AND state <> 'running'", string(id)).Scan(&jobs)
	if err != nil || jobs != 0 {
		t.Errorf("%d jobs are left beside the one that runs (%v)", jobs, err)
	}
}

func TestADecisionAgainstInterruptsNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := newOnboarding(t, b.store)
	r := b.fetch(t, id)
	claimed, err := r.ledger.Claim(r.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	against := errors.New("no")
	err = b.store.Interrupt(t.Context(), id, func(*onboarding.Onboarding, time.Time) (onboarding.Change, error) {
		return onboarding.Change{}, against
	})
	if !errors.Is(err, against) {
		t.Errorf("error %v, want the decision's", err)
	}
	if _, err := r.ledger.Release(r.ctx, nothing(claimed), time.Time{}); err != nil {
		t.Errorf("the runner lost its place: %v", err)
	}
	err = b.store.Interrupt(t.Context(), "onb_nobody", adopt)
	if !errors.Is(err, onboarding.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
}
