package ledgertest

import (
	"errors"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

func updateDecidesOnWhatIsThere(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	_, _, claimed := claim(t, h, o.ID)
	change := changeOf(claimed)
	change.Epoch = 0 // An update needs none.
	err := h.Repository.Update(t.Context(), o.ID, func(current *onboarding.Onboarding, now time.Time) (onboarding.Change, error) {
		same(t, "handed in", o, current, notTheReading)
		if current.Epoch != claimed.Epoch {
			t.Errorf("epoch %d, want %d", current.Epoch, claimed.Epoch)
		}
		if !now.Equal(current.ReadAt) || now.Before(claimed.ReadAt) {
			t.Errorf("decides at %s, read at %s, claimed at %s", now, current.ReadAt, claimed.ReadAt)
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
