-- Each statement here is for all onboardings of a group (groupcommit.go). Most take an array of
-- texts, either IDs or JSON objects, and return a row for each onboarding that they apply to: its
-- ID and, in some, an answer in JSON.
--
-- "LIMIT cardinality(...)" leaves nothing out. It makes the planner expect a single row, and so
-- look each onboarding up by an index.

-- name: LockOnboardings :exec
-- Each transaction about onboardings begins with this lock. Under it, claims, releases, wake-ups
-- and rescues change the onboarding and its job one after the other (invariant 4). The lock is a
-- statement of its own: the snapshots of the next ones have what was committed during the wait for
-- it. Rows are locked in the order of the array.
SELECT FROM (SELECT unnest(@ids::text[]) AS id LIMIT cardinality(@ids::text[])) i
CROSS JOIN LATERAL (SELECT FROM onboardings o WHERE o.id = i.id FOR NO KEY UPDATE) locked;

-- name: WriteChanges :many
-- Writes all of a change (invariant 9), or nothing if the epoch is not the newest or the row names
-- another job (invariant 3): all other parts select from the rows that the update of fence returns.
-- Job 0 does not exist. It stands for a caller who has the row lock; then the epoch does not count.
--
-- This is the statement that writes most. It takes an array for each column, in which nr is the
-- place of the change. With JSON here and in the readings, cmd/bench comes to 0.33 of the bare loop
-- instead of 0.43. An empty account and a negative count of numbers change nothing.
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
-- Invariant 3: the claim raises the epoch, so that a runner with an older one can write no more.
-- Only the job that the row names may claim.
--
-- Invariant 4: the claim clears woken under the row lock. A wake-up either comes before, and is
-- told to this claim, or sets the flag after. waking stays set until a run ends in order, so that a
-- run that dies takes no wake-up with it: the next claim is told too. ReadOnboardings returns
-- waking.
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
-- Ends runs. The answer is whether the onboarding was woken since the claim: then nothing ends.
--
-- Invariant 3: no row under an older epoch, or for a job that the onboarding's row does not name.
-- Invariant 4: the read of the flag, the end of the job and the next job are one statement under
-- the row lock. A later wake-up waits for this transaction and then finds the next job.
--
-- The jobs are completed and inserted as River does it. The job may have ended before, may be gone,
-- or River may have made it available for another run. Then it stays as it is: the row does not
-- name it any more, and so it cannot claim.
--
-- River's scheduler makes scheduled jobs available, every 5 s. A job that is due sooner is
-- available already, and workers leave it until its time.
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
