-- The statements here write about onboardings that are under way, each for all onboardings of a
-- group. A statement takes an array of texts, either IDs or JSON objects, and returns a row for each
-- that it did something about: the ID and, where there is more to say, an answer in JSON.
--
-- The members of the JSON objects are called like the columns of the tables, so that
-- jsonb_populate_recordset gives them the columns' types.
--
-- "LIMIT cardinality(...)" leaves nothing out. It makes the planner expect a single row, so that it
-- looks each onboarding up by an index.

-- name: LockOnboardings :exec
-- Each transaction of the protocol begins with this. Whoever has the lock decides what becomes of the
-- onboarding and of its job: wake-ups, releases, claims and rescues wait for each other (invariant 4).
-- What follows is a statement of its own, with a snapshot of its own: it sees what was committed
-- during the wait for the lock. Rows are locked in the order of the IDs as they are given.
SELECT FROM (SELECT unnest(@ids::text[]) AS id LIMIT cardinality(@ids::text[])) i
CROSS JOIN LATERAL (SELECT FROM onboardings o WHERE o.id = i.id FOR NO KEY UPDATE) locked;

-- name: WriteChanges :many
-- Writes everything of a change (invariant 9), or nothing where the epoch is not the newest or the
-- job has lost its place (invariant 3). All other parts select from what the update of fence returns.
-- Job 0, which there is none of, is that of a caller who has the row lock and decides: then no epoch
-- is looked at.
--
-- This is the statement that writes most. It takes columns, one array for each, in which nr is the
-- place of the change: as JSON, Postgres needs half as long again for it. An empty account and a
-- negative count of numbers leave things as they are.
WITH change AS (
    SELECT unnest(@changes::integer[]) AS nr, unnest(@ids::text[]) AS id, unnest(@epochs::bigint[]) AS epoch,
        unnest(@job_ids::bigint[]) AS job_id, unnest(@statuses::text[]) AS status,
        unnest(@attestations::text[]) AS attestation, unnest(@subaccount_sids::text[]) AS subaccount_sid,
        unnest(@number_counts::integer[]) AS numbers
    LIMIT cardinality(@ids::text[])
), fence AS (
    UPDATE onboardings o
    SET status = CASE WHEN o.canceled_at IS NULL THEN c.status ELSE o.status END,
        attestation = c.attestation,
        subaccount_sid = coalesce(nullif(c.subaccount_sid, ''), o.subaccount_sid),
        updated_at = now()
    FROM change c
    WHERE o.id = c.id AND (c.job_id = 0 OR o.epoch = c.epoch AND o.job_id = c.job_id)
    RETURNING o.id, c.nr, c.numbers
), step AS (
    SELECT unnest(@step_changes::integer[]) AS nr, unnest(@step_keys::text[]) AS key,
        unnest(@step_states::text[]) AS state, unnest(@step_sids::text[]) AS sid,
        unnest(@step_remote_statuses::text[]) AS remote_status, unnest(@step_attempts::integer[]) AS attempts,
        unnest(@step_errors::jsonb[]) AS error, unnest(@step_requirements::jsonb[]) AS requirements,
        unnest(@step_waits_for::text[]) AS waits_for, unnest(@step_intents_at::timestamptz[]) AS intent_at,
        unnest(@step_started_at::timestamptz[]) AS started_at,
        unnest(@step_finished_at::timestamptz[]) AS finished_at,
        unnest(@step_next_attempts_at::timestamptz[]) AS next_attempt_at
), s AS (
    INSERT INTO steps
        (onboarding_id, key, state, sid, remote_status, attempts, error, requirements, waits_for,
         intent_at, started_at, finished_at, next_attempt_at)
    SELECT fence.id, step.key, step.state, step.sid, step.remote_status, step.attempts, step.error,
        step.requirements, step.waits_for, step.intent_at, step.started_at, step.finished_at,
        step.next_attempt_at
    FROM fence JOIN step USING (nr)
    ON CONFLICT (onboarding_id, key) DO UPDATE SET
        state = excluded.state, sid = excluded.sid, remote_status = excluded.remote_status,
        attempts = excluded.attempts, error = excluded.error, requirements = excluded.requirements,
        waits_for = excluded.waits_for, intent_at = excluded.intent_at,
        started_at = excluded.started_at, finished_at = excluded.finished_at,
        next_attempt_at = excluded.next_attempt_at
), number AS (
    SELECT unnest(@number_changes::integer[]) AS nr, unnest(@number_positions::integer[]) AS position,
        unnest(@number_sids::text[]) AS sid, unnest(@phone_numbers::text[]) AS phone_number
), n AS (
    INSERT INTO phone_numbers (onboarding_id, position, sid, phone_number)
    SELECT fence.id, number.position, number.sid, number.phone_number
    FROM fence JOIN number USING (nr)
    ON CONFLICT (onboarding_id, position) DO UPDATE
        SET sid = excluded.sid, phone_number = excluded.phone_number
), surplus AS (
    DELETE FROM phone_numbers p USING fence
    WHERE fence.numbers >= 0 AND p.onboarding_id = fence.id AND p.position >= fence.numbers
), event AS (
    SELECT unnest(@event_changes::integer[]) AS nr, generate_subscripts(@event_changes::integer[], 1) AS place,
        unnest(@event_times::timestamptz[]) AS at, unnest(@event_kinds::text[]) AS kind,
        unnest(@event_steps::text[]) AS step, unnest(@event_step_kinds::text[]) AS step_kind,
        unnest(@event_bundles::text[]) AS bundle, unnest(@event_actors::text[]) AS actor,
        unnest(@event_details::text[]) AS detail
), e AS (
    INSERT INTO events (onboarding_id, at, kind, step, step_kind, bundle, actor, detail)
    SELECT fence.id, event.at, event.kind, event.step, event.step_kind, event.bundle, event.actor, event.detail
    FROM fence JOIN event USING (nr)
    ORDER BY event.place
)
SELECT nr FROM fence;

-- name: ClaimOnboardings :many
-- Invariant 3: the epoch is raised, so that a runner with an older one can write no more. Only the
-- job that the row names may claim: one that was replaced has no place.
--
-- Invariant 4: woken is cleared under the row lock, so that a wake-up is either seen by this claim or
-- sets the flag anew. Until the run ends in order it stays in waking, and a run that dies takes no
-- wake-up with it. What the claim is told is read by ReadOnboardings, in waking.
WITH claim AS (
    SELECT c ->> 'id' AS id, (c -> 'job_id')::bigint AS job_id
    FROM (SELECT unnest(@claims::text[])::jsonb AS c LIMIT cardinality(@claims::text[])) j
)
UPDATE onboardings o SET epoch = o.epoch + 1, waking = o.waking OR o.woken, woken = false
FROM claim c
WHERE o.id = c.id AND o.job_id = c.job_id
RETURNING o.id;

-- name: ReadOnboardings :many
SELECT o.id, o.callback_token, o.subaccount_sid, o.version, o.created_at, o.updated_at, o.canceled_at,
    o.cleanup, o.epoch, o.woken, o.waking, r.request, now()::timestamptz AS read_at
FROM (SELECT unnest(@ids::text[]) AS id LIMIT cardinality(@ids::text[])) i
JOIN onboardings o ON o.id = i.id
JOIN requests r ON r.onboarding_id = o.id AND r.version = o.version;

-- name: ReadSteps :many
SELECT s.*
FROM (SELECT unnest(@ids::text[]) AS id LIMIT cardinality(@ids::text[])) i
JOIN steps s ON s.onboarding_id = i.id
ORDER BY s.key;

-- name: ReadNumbers :many
SELECT n.onboarding_id, n.sid, n.phone_number
FROM (SELECT unnest(@ids::text[]) AS id LIMIT cardinality(@ids::text[])) i
JOIN phone_numbers n ON n.onboarding_id = i.id
ORDER BY n.position;

-- name: ReleaseOnboardings :many
-- Ends runs, and answers whether something has woken the onboarding: then nothing ends.
--
-- Invariant 3: no row under an older epoch, nor for a job that was replaced. Invariant 4: the look at
-- the flag, the end of the job and the next job are one statement under the row lock. A wake-up since
-- the claim is seen here; one that comes later waits for this transaction and then finds the next job.
--
-- The jobs are completed and inserted as River does it. A job that has ended already, is gone, or was
-- given back by River to be run again is no obstacle: the row names another from here on, and only
-- that may claim. River's scheduler looks at the jobs that are scheduled every 5 s. One that is due
-- before its next look is available from its time on: workers leave it until then.
WITH release AS (
    SELECT r ->> 'id' AS id, (r -> 'epoch')::bigint AS epoch, (r -> 'job_id')::bigint AS job_id,
        (r ->> 'due')::timestamptz AS due
    FROM (SELECT unnest(@releases::text[])::jsonb AS r LIMIT cardinality(@releases::text[])) j
), run AS (
    SELECT r.id, r.job_id, r.due, o.woken
    FROM release r CROSS JOIN LATERAL (
        SELECT l.woken FROM onboardings l
        WHERE l.id = r.id AND l.epoch = r.epoch AND l.job_id = r.job_id FOR NO KEY UPDATE) o
), completed AS (
    UPDATE river_job j SET state = 'completed', finalized_at = now()
    FROM run
    WHERE NOT run.woken AND j.id = run.job_id AND j.state = 'running'
), next AS (
    INSERT INTO river_job (args, kind, max_attempts, state, scheduled_at)
    SELECT jsonb_build_object('onboarding_id', run.id), 'advance', 32767,
        CASE WHEN run.due <= now() + interval '5 s' THEN 'available' ELSE 'scheduled' END::river_job_state, run.due
    FROM run
    WHERE NOT run.woken AND run.due IS NOT NULL
    RETURNING id, args ->> 'onboarding_id' AS onboarding_id
), released AS (
    UPDATE onboardings o SET job_id = next.id, waking = false
    FROM run LEFT JOIN next ON next.onboarding_id = run.id
    WHERE o.id = run.id AND NOT run.woken
)
SELECT run.id::text AS id, to_json(run.woken) AS answer FROM run;

-- name: OnboardingExists :one
SELECT EXISTS (SELECT FROM onboardings WHERE id = @id);
