-- A wake-up makes an onboarding run now, or run once more where it is running. Invariant 4, that none
-- is lost, is kept by two statements under the row lock: one sets the flag woken, and RunWoken follows
-- in the same transaction. A claim clears the flag and a release looks at it, under the same lock.

-- name: WakeOnboardings :exec
-- A canceled onboarding is left asleep.
UPDATE onboardings SET woken = true WHERE id = ANY(@ids::text[]) AND canceled_at IS NULL;

-- name: InterruptOnboardings :exec
-- Takes onboardings away from their runners. A runner finds neither its epoch nor its job any more
-- (invariant 3). Its job ends by itself; a job that nobody runs yet stays the onboarding's, and is
-- locked so that no worker begins it before this transaction ends.
UPDATE onboardings o
SET woken = true, epoch = o.epoch + 1, job_id = (
    SELECT j.id FROM river_job j
    WHERE j.id = o.job_id AND j.state <> 'running' AND j.finalized_at IS NULL FOR UPDATE)
WHERE o.id = ANY(@ids::text[]);

-- name: RunWoken :exec
-- Each of these onboardings that is woken has a job that runs, or will at once: its job as it is, its
-- job brought forward, or a new one. A job that runs has its claim or its release still to come, which
-- wait for the row lock and find the flag.
--
-- The jobs are locked, and so read as they are now: River's fetch passes over what is locked. Without
-- the lock a worker could begin a job between the look at it and the change.
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
