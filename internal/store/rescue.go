package store

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/attestd/attestd/internal/store/internal/db"
)

// look removes dead replicas from the list, and then rescues the onboardings whose jobs run in
// processes that are not on the list. The two are separate transactions: a replica that dies
// between them leaves nothing undone, for the next look of any other finds the same jobs.
func (r *replica) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, replicaStatementTimeout)
	defer cancel()
	for _, part := range []func(context.Context) error{r.removeDead, r.removeDeadLeader, r.rescue} {
		if err := part(ctx); err != nil {
			if ctx.Err() == nil {
				r.store.log.WarnContext(ctx, "replica cannot look after the others", slog.Any("error", err))
			}
			return
		}
	}
}

// removeDead deletes the rows of the replicas that are silent now and were silent at the last look.
// A replica that only lost its connection has another by then. So have all of them their heartbeats
// after a while in which the database did not answer.
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

// removeDeadLeader lets a living client lead River's maintenance. Without a leader no scheduled job
// becomes due.
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

// rescue gives new jobs to the onboardings whose jobs run in processes that are not on the list.
func (r *replica) rescue(ctx context.Context) error {
	abandoned, err := r.store.queries.AbandonedJobs(ctx, advanceKind)
	if err != nil {
		return fmt.Errorf("look for abandoned jobs: %w", err)
	}
	if len(abandoned) == 0 {
		return nil
	}
	var rescued []db.RescueOnboardingsRow
	err = r.store.inTx(ctx, func(q *db.Queries) (err error) {
		rescued, err = rescue(ctx, q, abandoned)
		return err
	})
	if err != nil {
		return fmt.Errorf("rescue onboardings: %w", err)
	}
	if len(rescued) > 0 {
		r.store.log.WarnContext(ctx, "rescued onboardings from a dead replica", slog.Int("onboardings", len(rescued)))
	}
	return nil
}

// rescue ends abandoned jobs and replaces those that onboardings name. The rows of the onboardings
// are locked before the jobs, as everywhere.
func rescue(ctx context.Context, q *db.Queries, abandoned []db.AbandonedJobsRow) ([]db.RescueOnboardingsRow, error) {
	ids := make([]string, 0, len(abandoned))
	jobs := make(map[string][]int64, len(abandoned))
	for _, job := range abandoned {
		ids = append(ids, job.OnboardingID)
		jobs[job.OnboardingID] = append(jobs[job.OnboardingID], job.ID)
	}
	locked, err := q.LockOnboardingsSkipLocked(ctx, ids)
	if err != nil {
		return nil, err
	}
	var jobIDs []int64
	for _, id := range locked {
		jobIDs = append(jobIDs, jobs[id]...)
	}
	return q.RescueOnboardings(ctx, db.RescueOnboardingsParams{JobIds: jobIDs, Ids: locked})
}
