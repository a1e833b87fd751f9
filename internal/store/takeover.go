package store

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// look takes dead replicas off the list, and then gives new jobs to the onboardings that were running in processes that are not on it.
// The two are separate so that a replica that dies between them leaves nothing undone: the next look of any other finds the same.
func (r *replica) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, replicaStatementTimeout)
	defer cancel()
	for _, part := range []func(context.Context) error{r.removeDead, r.removeDeadLeader, r.takeOver} {
		if err := part(ctx); err != nil {
			if ctx.Err() == nil {
				r.store.log.WarnContext(ctx, "replica cannot look after the others", slog.Any("error", err))
			}
			return
		}
	}
}

// removeDead deletes the rows of those that are silent now and were so at the last look: one that merely lost its connection is back by
// then, and so are the heartbeats of all after a database that answered nobody for a while.
func (r *replica) removeDead(ctx context.Context) error {
	silent, err := r.store.queries.SilentReplicas(ctx, db.SilentReplicasParams{
		OwnID:      r.id.Load(),
		StaleAfter: interval(r.store.config.StaleAfter),
		Grace:      interval(r.store.timing.grace),
		Class:      replicaLockClass,
	})
	if err != nil {
		return fmt.Errorf("look for silent replicas: %w", err)
	}
	var dead []int32
	now := make(map[int32]bool, len(silent))
	for _, other := range silent {
		now[other] = true
		if r.silent[other] {
			dead = append(dead, other)
		}
	}
	r.silent = now
	if len(dead) == 0 {
		return nil
	}
	removed, err := r.store.queries.RemoveReplicas(ctx, dead)
	if err != nil {
		return fmt.Errorf("remove dead replicas: %w", err)
	}
	for _, client := range removed {
		r.store.log.WarnContext(ctx, "a replica is dead", slog.String("replica", client))
	}
	return nil
}

// removeDeadLeader lets a living client lead River's maintenance, without which nothing that is scheduled becomes due.
func (r *replica) removeDeadLeader(ctx context.Context) error {
	removed, err := r.store.queries.RemoveDeadLeader(ctx)
	if err != nil {
		return fmt.Errorf("end the term of a dead leader: %w", err)
	}
	for _, row := range removed {
		r.store.log.WarnContext(ctx, "a dead replica led River's maintenance", slog.String("replica", row.LeaderID))
	}
	return nil
}

// takeOver replaces the jobs that run in processes that are not on the list.
func (r *replica) takeOver(ctx context.Context) error {
	abandoned, err := r.store.queries.AbandonedJobs(ctx, advanceKind)
	if err != nil {
		return fmt.Errorf("look for abandoned jobs: %w", err)
	}
	if len(abandoned) == 0 {
		return nil
	}
	jobs := make(map[string][]int64, len(abandoned))
	for _, job := range abandoned {
		jobs[job.OnboardingID] = append(jobs[job.OnboardingID], job.ID)
	}
	var taken int
	err = r.store.inTx(ctx, func(tx pgx.Tx, q *db.Queries) error {
		taken, err = r.store.replaceJobs(ctx, tx, q, jobs)
		return err
	})
	if err != nil {
		return fmt.Errorf("take over abandoned jobs: %w", err)
	}
	if taken > 0 {
		r.store.log.WarnContext(ctx, "took over from a dead replica", slog.Int("onboardings", taken))
	}
	return nil
}

// replaceJobs ends abandoned jobs, by onboarding, and gives each onboarding that still names one of them a new job for now. It says how
// many it gave.
//
// The rows are locked before the jobs, as everywhere. A runner that lives after all finds that its job has no place any more, or that the
// epoch is no longer its own (invariant 3); nothing that woke the onboarding is lost, for the flag stays (invariant 4).
func (s *Store) replaceJobs(ctx context.Context, tx pgx.Tx, q *db.Queries, jobs map[string][]int64) (int, error) {
	ids := make([]string, 0, len(jobs))
	for id := range jobs {
		ids = append(ids, id)
	}
	rows, err := q.LockOnboardingsSkipLocked(ctx, ids)
	if err != nil {
		return 0, err
	}
	var locked []int64
	for _, row := range rows {
		locked = append(locked, jobs[row.ID]...)
	}
	ended, err := q.CancelAbandonedJobs(ctx, locked)
	if err != nil {
		return 0, err
	}
	wasEnded := make(map[int64]bool, len(ended))
	for _, id := range ended {
		wasEnded[id] = true
	}
	var inserts []river.InsertManyParams
	for _, row := range rows {
		if row.JobID != nil && wasEnded[*row.JobID] {
			inserts = append(inserts, river.InsertManyParams{Args: advanceArgs{OnboardingID: onboarding.ID(row.ID)}})
		}
	}
	if len(inserts) == 0 {
		return 0, nil
	}
	inserted, err := s.river.InsertManyTx(ctx, tx, inserts)
	if err != nil {
		return 0, fmt.Errorf("insert %d jobs: %w", len(inserts), err)
	}
	// River may return them in another order, so they are put together by what they say.
	var replaced db.ReplaceJobsParams
	for _, result := range inserted {
		args, err := fromJSON[advanceArgs]("river_job.args", result.Job.EncodedArgs)
		if err != nil {
			return 0, err
		}
		replaced.Ids = append(replaced.Ids, string(args.OnboardingID))
		replaced.JobIds = append(replaced.JobIds, result.Job.ID)
	}
	return len(inserted), q.ReplaceJobs(ctx, replaced)
}
