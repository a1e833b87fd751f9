package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/attestd/attestd/internal/onboarding"
)

// Ledger is the [onboarding.Ledger] of one job. It claims the onboarding only while the
// onboarding's row names that job.
type Ledger struct {
	store *Store
	job   *river.Job[advanceArgs]
}

// claimRow asks for a claim.
type claimRow struct {
	ID    onboarding.ID `json:"id"`
	JobID int64         `json:"job_id"`
}

// Claim implements [onboarding.Ledger]. It also returns [onboarding.ErrLostPlace]: when the
// onboarding's row names another job.
func (l *Ledger) Claim(ctx context.Context, id onboarding.ID) (*onboarding.Onboarding, error) {
	claimed := ask(claimOnboardings, id, claimRow{id, l.job.ID})
	read := &reading{id: id}
	err := l.store.group.write(ctx, id, claimed, read)
	switch {
	case err != nil:
	case read.onboarding == nil:
		err = onboarding.ErrNotFound
	case !claimed.answered:
		err = onboarding.ErrLostPlace
	}
	if err != nil {
		return nil, fmt.Errorf("claim onboarding %s: %w", id, err)
	}
	read.onboarding.Woken = read.waking
	return read.onboarding, nil
}

// Record implements [onboarding.Ledger].
func (l *Ledger) Record(ctx context.Context, c onboarding.Change) error {
	change := &change{Change: c, jobID: l.job.ID}
	err := l.store.group.write(ctx, c.ID, change)
	if err == nil && !change.written {
		err = onboarding.ErrLostPlace
	}
	if err != nil {
		return fmt.Errorf("write a change of onboarding %s: %w", c.ID, err)
	}
	return nil
}

// releaseRow asks for a release.
type releaseRow struct {
	ID    onboarding.ID `json:"id"`
	Epoch int64         `json:"epoch"`
	JobID int64         `json:"job_id"`
	Due   stamp         `json:"due"`
}

// Release implements [onboarding.Ledger].
func (l *Ledger) Release(
	ctx context.Context, c onboarding.Change, next time.Time,
) (woken bool, err error) {
	change := &change{Change: c, jobID: l.job.ID}
	released := ask(releaseOnboardings, c.ID, releaseRow{c.ID, c.Epoch, l.job.ID, stamp{next}})
	err = l.store.group.write(ctx, c.ID, change, released)
	if err == nil && !released.answered {
		err = onboarding.ErrLostPlace
	}
	if err == nil {
		err = json.Unmarshal(released.answer, &woken)
	}
	if err != nil {
		return false, fmt.Errorf("release onboarding %s: %w", c.ID, err)
	}
	return woken, nil
}
