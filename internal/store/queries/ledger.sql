-- Most statements of this file are about all onboardings of a group, one row of columns each. "LIMIT cardinality" leaves none out: a plan that is
-- kept expects a single row for it, and so finds each by its index.

-- name: LockOnboardings :exec
-- In the order in which they are given.
SELECT FROM unnest(@ids::text[]) AS i (id) CROSS JOIN LATERAL (SELECT FROM onboardings o WHERE o.id = i.id FOR NO KEY UPDATE) locked;

-- name: ClaimOnboardings :many
-- Invariant 3: the epoch is raised, so that a runner with an older one can write no more. Invariant 4: the flag is read and cleared under
-- the row lock, so a wake-up either is seen here or finds the flag cleared and sets it again; and it is remembered until the run ends in
-- order, so that a run that dies takes no wake-up with it. Only the job that the row names may claim:
-- one that was replaced has no place.
WITH claim AS (
    SELECT unnest(@ids::text[]) AS id, unnest(@job_ids::bigint[]) AS job_id LIMIT cardinality(@ids::text[])
), before AS (
    SELECT o.id, (o.woken OR o.waking)::boolean AS woken
    FROM claim c CROSS JOIN LATERAL (
        SELECT l.id, l.woken, l.waking FROM onboardings l WHERE l.id = c.id AND l.job_id = c.job_id FOR NO KEY UPDATE) o
)
UPDATE onboardings o SET epoch = o.epoch + 1, woken = false, waking = before.woken
FROM before WHERE o.id = before.id
RETURNING o.id, o.callback_token, o.subaccount_sid, o.version, o.created_at, o.updated_at, o.canceled_at, o.cleanup, o.epoch, before.woken,
    o.job_id, now()::timestamptz AS read_at;

-- name: OnboardingExists :one
SELECT EXISTS (SELECT FROM onboardings WHERE id = @id);

-- name: RecordChanges :many
-- The changes of several onboardings, one each, in columns. It is one statement: of each everything is written (invariant 9), or nothing where
-- the epoch is not the newest or the job has lost its place (invariant 3). The update of fence locks the rows; all else selects from what it
-- returned. Job 0, which there is none of, means that the caller holds the row lock and decides, and no epoch is looked at.
--
-- An empty account and a negative count of numbers leave things as they are.
WITH change AS (
    SELECT unnest(@changes::integer[]) AS nr, unnest(@ids::text[]) AS id, unnest(@epochs::bigint[]) AS epoch, unnest(@job_ids::bigint[]) AS job_id,
        unnest(@statuses::text[]) AS status, unnest(@attestations::text[]) AS attestation, unnest(@subaccount_sids::text[]) AS subaccount_sid,
        unnest(@number_counts::integer[]) AS numbers
    LIMIT cardinality(@ids::text[])
), fence AS (
    UPDATE onboardings o
    SET status = CASE WHEN o.canceled_at IS NULL THEN c.status ELSE o.status END, attestation = c.attestation,
        subaccount_sid = coalesce(nullif(c.subaccount_sid, ''), o.subaccount_sid), updated_at = now()
    FROM change c
    WHERE o.id = c.id AND (c.job_id = 0 OR o.epoch = c.epoch AND o.job_id = c.job_id)
    RETURNING o.id, c.nr, c.numbers
), step AS (
    SELECT unnest(@step_changes::integer[]) AS nr, unnest(@step_keys::text[]) AS key, unnest(@step_states::text[]) AS state,
        unnest(@step_sids::text[]) AS sid, unnest(@step_remote_statuses::text[]) AS remote_status, unnest(@step_attempts::integer[]) AS attempts,
        unnest(@step_errors::jsonb[]) AS error, unnest(@step_requirements::jsonb[]) AS requirements, unnest(@step_waits_for::text[]) AS waits_for,
        unnest(@step_intents_at::timestamptz[]) AS intent_at, unnest(@step_started_at::timestamptz[]) AS started_at,
        unnest(@step_finished_at::timestamptz[]) AS finished_at, unnest(@step_next_attempts_at::timestamptz[]) AS next_attempt_at
), s AS (
    INSERT INTO steps
        (onboarding_id, key, state, sid, remote_status, attempts, error, requirements, waits_for,
         intent_at, started_at, finished_at, next_attempt_at)
    SELECT fence.id, step.key, step.state, step.sid, step.remote_status, step.attempts, step.error, step.requirements, step.waits_for,
        step.intent_at, step.started_at, step.finished_at, step.next_attempt_at
    FROM fence JOIN step USING (nr)
    ON CONFLICT (onboarding_id, key) DO UPDATE SET
        state = excluded.state, sid = excluded.sid, remote_status = excluded.remote_status, attempts = excluded.attempts,
        error = excluded.error, requirements = excluded.requirements, waits_for = excluded.waits_for,
        intent_at = excluded.intent_at, started_at = excluded.started_at, finished_at = excluded.finished_at,
        next_attempt_at = excluded.next_attempt_at
), number AS (
    SELECT unnest(@number_changes::integer[]) AS nr, unnest(@number_positions::integer[]) AS position, unnest(@number_sids::text[]) AS sid,
        unnest(@phone_numbers::text[]) AS phone_number
), n AS (
    INSERT INTO phone_numbers (onboarding_id, position, sid, phone_number)
    SELECT fence.id, number.position, number.sid, number.phone_number
    FROM fence JOIN number USING (nr)
    ON CONFLICT (onboarding_id, position) DO UPDATE SET sid = excluded.sid, phone_number = excluded.phone_number
), beyond AS (
    DELETE FROM phone_numbers p USING fence WHERE fence.numbers >= 0 AND p.onboarding_id = fence.id AND p.position >= fence.numbers
), event AS (
    SELECT unnest(@event_changes::integer[]) AS nr, generate_subscripts(@event_changes::integer[], 1) AS place, unnest(@event_times::timestamptz[]) AS at,
        unnest(@event_kinds::text[]) AS kind, unnest(@event_steps::text[]) AS step, unnest(@event_actors::text[]) AS actor,
        unnest(@event_details::text[]) AS detail
), e AS (
    INSERT INTO events (onboarding_id, at, kind, step, actor, detail)
    SELECT fence.id, event.at, event.kind, event.step, event.actor, event.detail
    FROM fence JOIN event USING (nr)
    ORDER BY event.place
)
SELECT id::text FROM fence;

-- name: EndRuns :many
-- Invariant 3: no row under an older epoch, nor for a job that was replaced. Invariant 4: the end of a job, the look at the flag and the
-- next job are one statement under the row lock. So a wake-up since the claim is seen here, and then nothing ends; one that comes later waits
-- for this transaction and then finds the next job.
--
-- The jobs are ended and inserted as River does it. A job that has ended already, is gone, or was given back by River to be run again is no
-- obstacle: the row names another from here on, and only that may claim. One that is due before River's scheduler looks again is available
-- from its time on: workers leave it until then, and it does not wait for the scheduler.
WITH ending AS (
    SELECT unnest(@ids::text[]) AS id, unnest(@epochs::bigint[]) AS epoch, unnest(@job_ids::bigint[]) AS job_id,
        unnest(@due::timestamptz[]) AS due
    LIMIT cardinality(@ids::text[])
), run AS (
    SELECT e.id, e.job_id, e.due, o.woken
    FROM ending e CROSS JOIN LATERAL (
        SELECT l.woken FROM onboardings l WHERE l.id = e.id AND l.epoch = e.epoch AND l.job_id = e.job_id FOR NO KEY UPDATE) o
), ended AS (
    UPDATE river_job j SET state = 'completed', finalized_at = now()
    FROM run
    WHERE NOT run.woken AND j.id = run.job_id AND j.state = 'running'
), next AS (
    INSERT INTO river_job (args, kind, max_attempts, state, scheduled_at)
    SELECT jsonb_build_object('onboarding_id', run.id), @kind, @max_attempts,
        CASE WHEN run.due <= now() + @scheduler_interval::interval THEN 'available' ELSE 'scheduled' END::river_job_state, run.due
    FROM run
    WHERE NOT run.woken AND run.due IS NOT NULL
    RETURNING id, args ->> 'onboarding_id' AS onboarding_id
), released AS (
    UPDATE onboardings o SET job_id = next.id, waking = false
    FROM run LEFT JOIN next ON next.onboarding_id = run.id
    WHERE o.id = run.id AND NOT run.woken
)
SELECT id::text, woken FROM run;

-- name: SetJob :exec
-- The caller holds the row lock.
UPDATE onboardings SET job_id = sqlc.narg('job_id') WHERE id = @id;

-- name: SetWoken :exec
-- Invariant 4: the caller holds the row lock, so the next claim or release finds the flag.
UPDATE onboardings SET woken = true, job_id = sqlc.narg('job_id') WHERE id = @id;
