-- A wake-up makes an onboarding run now, or once more if it is running. No wake-up is lost
-- (invariant 4): under the row lock, one statement sets the flag woken, and RunWoken follows in the
-- same transaction. A claim clears the flag and a release reads it, under the same lock.

-- name: WakeOnboardings :exec
-- A canceled onboarding is not woken.
UPDATE onboardings SET woken = true WHERE id = ANY(@ids::text[]) AND canceled_at IS NULL;

-- name: InterruptOnboardings :exec
-- The runner of before has neither the newest epoch nor the job that the row names (invariant 3).
-- Its job ends by itself. A job that does not run yet stays the onboarding's, and is locked, so
-- that no worker begins it before this transaction ends.
UPDATE onboardings o
SET woken = true, epoch = o.epoch + 1, job_id = (
    SELECT j.id FROM river_job j
    WHERE j.id = o.job_id AND j.state <> 'running' AND j.finalized_at IS NULL FOR UPDATE)
WHERE o.id = ANY(@ids::text[]);

-- name: RunWoken :exec
-- After this, each of these onboardings that is woken has a job that runs, or will at once: its job
-- as it was, its job brought forward, or a new one. A job that runs has its claim or its release
-- before it, and that waits for the row lock and then finds the flag.
--
-- The jobs are locked, because a worker could otherwise begin one between the read and the change.
-- River's fetch skips rows that are locked.
WITH o AS (
    SELECT n.id, n.job_id
    FROM (SELECT unnest(@ids::text[]) AS id LIMIT cardinality(@ids::text[])) i
    JOIN onboardings n ON n.id = i.id
    WHERE n.woken
), job AS (
    SELECT j.id, j.state, j.scheduled_at
    FROM o CROSS JOIN LATERAL (
        SELECT r.id, r.state, r.scheduled_at FROM river_job r
        WHERE r.id = o.job_id AND r.finalized_at IS NULL FOR UPDATE) j
), brought_forward AS (
    UPDATE river_job j SET state = 'available', scheduled_at = now()
    FROM job
    WHERE j.id = job.id AND job.state <> 'running'
        AND NOT (job.state = 'available' AND job.scheduled_at <= now())
), next AS (
    INSERT INTO river_job (args, kind, max_attempts)
    SELECT jsonb_build_object('onboarding_id', o.id), 'advance', 32767
    FROM o WHERE NOT EXISTS (SELECT FROM job WHERE job.id = o.job_id)
    RETURNING id, args ->> 'onboarding_id' AS onboarding_id
), named AS (
    UPDATE onboardings n SET job_id = next.id FROM next WHERE n.id = next.onboarding_id
)
SELECT next.onboarding_id::text AS id, to_json(pg_notify(current_schema() || '.river_insert', '{"queue": "default"}')::text) AS answer
FROM next;

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
