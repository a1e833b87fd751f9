package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// Ledger is the [onboarding.Ledger] of one job: it claims the onboarding only while the onboarding's row names that job.
type Ledger struct {
	store *Store
	job   *river.Job[advanceArgs]
}

// Claim implements [onboarding.Ledger]. Beyond what that says, it returns [onboarding.ErrLostPlace] when another job has taken the place
// of this one.
func (l *Ledger) Claim(ctx context.Context, id onboarding.ID) (*onboarding.Onboarding, error) {
	c := claim{jobID: l.job.ID}
	err := l.store.group.write(ctx, pendingWrite{id: id, claim: &c})
	switch {
	case err == nil:
		return c.claimed, nil
	case errors.Is(err, pgx.ErrNoRows):
		return nil, l.noClaim(ctx, id)
	default:
		return nil, fmt.Errorf("claim onboarding %s: %w", id, err)
	}
}

// noClaim says why there was nothing to claim.
func (l *Ledger) noClaim(ctx context.Context, id onboarding.ID) error {
	exists, err := l.store.queries.OnboardingExists(ctx, string(id))
	switch {
	case err != nil:
		return fmt.Errorf("look for onboarding %s: %w", id, err)
	case exists:
		return fmt.Errorf("claim onboarding %s: %w", id, onboarding.ErrLostPlace)
	default:
		return fmt.Errorf("claim onboarding %s: %w", id, onboarding.ErrNotFound)
	}
}

// Record implements [onboarding.Ledger].
func (l *Ledger) Record(ctx context.Context, c onboarding.Change) error {
	err := l.store.group.write(ctx, pendingWrite{id: c.ID, change: &fenced{c, l.job.ID}})
	if err != nil {
		return fmt.Errorf("record a change of onboarding %s: %w", c.ID, err)
	}
	return nil
}

// Release implements [onboarding.Ledger].
func (l *Ledger) Release(ctx context.Context, c onboarding.Change, next time.Time) (woken bool, err error) {
	e := ending{epoch: c.Epoch, jobID: l.job.ID, next: next}
	err = l.store.group.write(ctx, pendingWrite{id: c.ID, change: &fenced{c, l.job.ID}, ending: &e})
	if err != nil {
		return false, fmt.Errorf("release onboarding %s: %w", c.ID, err)
	}
	return e.woken, nil
}

// claim is that of a job, and what it got.
type claim struct {
	jobID   int64
	claimed *onboarding.Onboarding
}

// claims are the statements that claim the onboardings of a group and read them. pgx.ErrNoRows is the error of one that was not claimed.
func claims(ctx context.Context, group []*pendingWrite) statements {
	var of []*pendingWrite
	var params db.ClaimOnboardingsParams
	for _, w := range group {
		if w.claim != nil {
			of = append(of, w)
			params.Ids = append(params.Ids, string(w.id))
			params.JobIds = append(params.JobIds, w.claim.jobID)
		}
	}
	if len(of) == 0 {
		return noStatements
	}
	return statements{
		queue: func(q *db.Queries) {
			_, _ = q.ClaimOnboardings(ctx, params)
			queueParts(ctx, q, params.Ids)
		},
		read: func(q *db.Queries) error {
			rows, err := q.ClaimOnboardings(ctx, params)
			if err != nil {
				return err
			}
			read := make(map[string]*reading, len(rows))
			for _, row := range rows {
				read[row.ID] = newReading(db.LockOnboardingRow(row))
			}
			if err := readParts(ctx, q, params.Ids, read); err != nil {
				return err
			}
			for _, w := range of {
				if r := read[string(w.id)]; r != nil {
					w.claim.claimed, w.err = r.onboarding, r.err
				} else {
					w.err = pgx.ErrNoRows
				}
			}
			return nil
		},
	}
}

// ending is the end of a run, until next, and whether something has woken the onboarding: then nothing ends.
type ending struct {
	epoch, jobID int64
	next         time.Time
	woken        bool
}

// endings are the statements that end the runs of a group. [onboarding.ErrLostPlace] is the error of one that has lost its place.
func endings(ctx context.Context, group []*pendingWrite) statements {
	var of []*pendingWrite
	params := db.EndRunsParams{Kind: advanceKind, MaxAttempts: maxAttempts, SchedulerInterval: interval(schedulerInterval)}
	for _, w := range group {
		if e := w.ending; e != nil {
			of = append(of, w)
			params.Ids = append(params.Ids, string(w.id))
			params.Epochs = append(params.Epochs, e.epoch)
			params.JobIds = append(params.JobIds, e.jobID)
			params.Due = append(params.Due, timestamptz(e.next))
		}
	}
	if len(of) == 0 {
		return noStatements
	}
	return oneStatement(func(q *db.Queries) error {
		rows, err := q.EndRuns(ctx, params)
		if err != nil {
			return err
		}
		woken := make(map[string]bool, len(rows))
		for _, row := range rows {
			woken[row.ID] = row.Woken
		}
		for _, w := range of {
			var ok bool
			if w.ending.woken, ok = woken[string(w.id)]; !ok {
				w.err = onboarding.ErrLostPlace
			}
		}
		return nil
	})
}
