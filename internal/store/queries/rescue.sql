-- name: AbandonedJobs :many
-- The running jobs whose last client is not on the list of replicas.
SELECT j.id, (j.args ->> 'onboarding_id')::text AS onboarding_id
FROM river_job j
WHERE j.state = 'running' AND j.kind = @kind
    AND NOT EXISTS (SELECT FROM replicas r WHERE r.client_id = j.attempted_by[array_upper(j.attempted_by, 1)]);

-- name: LockOnboardingsSkipLocked :many
-- An onboarding that another session has locked is left to the next look.
SELECT id FROM onboardings WHERE id = ANY(@ids::text[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED;

-- name: RescueOnboardings :many
-- Ends abandoned jobs, and gives each onboarding that names one of them a new job for now. The rows
-- of the onboardings are locked. If a runner is alive after all, the row does not name its job any
-- more (invariant 3). No wake-up is lost, for the flags stay (invariant 4).
--
-- River's API neither ends nor deletes a running job. Nor is the job made available for another
-- worker: its client may come back from a pause, and River there would end the job by its ID, while
-- the other worker runs it.
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
