-- name: AbandonedJobs :many
-- Running jobs whose last client is no replica that lives.
SELECT j.id, (j.args ->> 'onboarding_id')::text AS onboarding_id
FROM river_job j
WHERE j.state = 'running' AND j.kind = @kind
    AND NOT EXISTS (SELECT FROM replicas r WHERE r.client_id = j.attempted_by[array_upper(j.attempted_by, 1)]);

-- name: LockOnboardingsSkipLocked :many
-- Those that another replica rescues at this moment, or that somebody decides on, are left to the
-- next look.
SELECT id FROM onboardings WHERE id = ANY(@ids::text[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED;

-- name: RescueOnboardings :many
-- Ends abandoned jobs and gives each onboarding that names one of them a new job for now. The rows of
-- the onboardings were locked before. A runner that lives after all finds that its job has no place
-- any more (invariant 3). What woke the onboarding is not lost, for the flags stay (invariant 4).
--
-- River's API neither finishes nor deletes a job that is running. The job is ended and replaced rather
-- than made available: should its client come back from a pause, River there would finish the job by
-- its ID, under the feet of the one that runs it then.
WITH ended AS (
    UPDATE river_job j SET state = 'cancelled', finalized_at = now()
    WHERE j.id = ANY(@job_ids::bigint[]) AND j.state = 'running'
        AND NOT EXISTS (SELECT FROM replicas r WHERE r.client_id = j.attempted_by[array_upper(j.attempted_by, 1)])
    RETURNING j.id
), next AS (
    INSERT INTO river_job (args, kind, max_attempts)
    SELECT jsonb_build_object('onboarding_id', o.id), 'advance', 32767
    FROM onboardings o JOIN ended ON ended.id = o.job_id
    WHERE o.id = ANY(@ids::text[])
    RETURNING id, args ->> 'onboarding_id' AS onboarding_id
), named AS (
    UPDATE onboardings o SET job_id = next.id FROM next WHERE o.id = next.onboarding_id
)
SELECT next.onboarding_id::text AS id, pg_notify(current_schema() || '.river_insert', '{"queue": "default"}')::text AS notified
FROM next;
