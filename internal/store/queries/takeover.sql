-- name: AbandonedJobs :many
-- Running jobs whose last client is no replica that lives.
SELECT j.id, (j.args ->> 'onboarding_id')::text AS onboarding_id
FROM river_job j
WHERE j.state = 'running' AND j.kind = @kind
    AND NOT EXISTS (SELECT FROM replicas r WHERE r.client_id = j.attempted_by[array_upper(j.attempted_by, 1)]);

-- name: LockOnboardingsSkipLocked :many
-- Those that another replica takes over at this moment, or that somebody decides on, are left to the next look.
SELECT id, job_id FROM onboardings WHERE id = ANY(@ids::text[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED;

-- name: CancelAbandonedJobs :many
-- River's API neither finishes nor deletes a job that is running. The job is ended and replaced rather than made available again: should
-- its client come back from a pause, River there would finish the job by its ID, under the feet of the one that runs it then.
UPDATE river_job j SET state = 'cancelled', finalized_at = now()
WHERE j.id = ANY(@ids::bigint[]) AND j.state = 'running'
    AND NOT EXISTS (SELECT FROM replicas r WHERE r.client_id = j.attempted_by[array_upper(j.attempted_by, 1)])
RETURNING j.id;

-- name: ReplaceJobs :exec
UPDATE onboardings o SET job_id = n.job_id
FROM (SELECT unnest(@ids::text[]) AS id, unnest(@job_ids::bigint[]) AS job_id) n
WHERE o.id = n.id;

-- name: TrySweepLock :one
SELECT pg_try_advisory_xact_lock(@class::integer, 0);

-- name: StrandedOnboardings :many
-- Those whose job is gone, and those that wait for something while no job is scheduled.
SELECT o.id
FROM onboardings o
WHERE (o.job_id IS NOT NULL OR o.status IN ('in_progress', 'in_review'))
    AND NOT EXISTS (
        SELECT FROM river_job j
        WHERE j.id = o.job_id AND j.state IN ('available', 'pending', 'retryable', 'running', 'scheduled'))
ORDER BY o.id
LIMIT @most;
