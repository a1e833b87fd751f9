-- name: CreateOnboarding :exec
-- With its first job, which is inserted as River does it, and announced to River's clients. The steps, numbers and events follow with
-- RecordChange in the same transaction.
WITH job AS (
    INSERT INTO river_job (args, kind, max_attempts) VALUES (jsonb_build_object('onboarding_id', @id::text), @kind, @max_attempts)
    RETURNING id
), o AS (
    INSERT INTO onboardings
        (id, external_id, subaccount_sid, primary_profile_sid, callback_token, version, status, job_id, created_at, updated_at)
    SELECT @id::text, @external_id, @subaccount_sid, @primary_profile_sid, @callback_token, @version, @status, job.id, @created_at, @updated_at
    FROM job
    RETURNING id, version, created_at
), r AS (
    INSERT INTO requests (onboarding_id, version, request, created_at)
    SELECT o.id, o.version, @request, o.created_at FROM o
)
SELECT pg_notify(current_schema() || '.river_insert', '{"queue": "default"}');

-- name: OpenOnboardingOfSubaccount :one
SELECT id FROM onboardings WHERE subaccount_sid = @subaccount_sid AND canceled_at IS NULL AND subaccount_sid <> '';

-- name: OnboardingOfExternalID :one
SELECT id FROM onboardings WHERE external_id = @external_id AND external_id <> '';

-- name: OnboardingOfCallbackToken :one
SELECT id, subaccount_sid FROM onboardings WHERE callback_token = @callback_token;

-- name: GetOnboarding :one
SELECT callback_token, subaccount_sid, version, created_at, updated_at, canceled_at, cleanup, epoch, woken, job_id, now()::timestamptz AS read_at
FROM onboardings WHERE id = @id;

-- name: LockOnboarding :one
-- Whoever holds this lock decides what becomes of the onboarding and of its job (invariant 4): wake-ups, releases, claims and take-overs
-- queue for it. What belongs to the row is read by later statements, whose snapshots are newer than the wait for the lock.
SELECT callback_token, subaccount_sid, version, created_at, updated_at, canceled_at, cleanup, epoch, woken, job_id, now()::timestamptz AS read_at
FROM onboardings WHERE id = @id FOR NO KEY UPDATE;

-- name: AddRequestVersion :exec
WITH o AS (
    UPDATE onboardings SET version = @version WHERE id = @id RETURNING id, version
)
INSERT INTO requests (onboarding_id, version, request, created_at)
SELECT o.id, o.version, @request, now() FROM o;

-- name: CancelOnboarding :exec
UPDATE onboardings SET status = 'canceled', canceled_at = @canceled_at, cleanup = @cleanup WHERE id = @id;

-- name: ListRequestVersions :many
SELECT version, request, created_at FROM requests WHERE onboarding_id = @onboarding_id ORDER BY version;

-- name: GetRequest :one
SELECT r.request FROM onboardings o JOIN requests r ON r.onboarding_id = o.id AND r.version = o.version WHERE o.id = @id;

-- name: GetSteps :many
SELECT key, state, sid, remote_status, attempts, error, requirements, waits_for, intent_at, started_at, finished_at, next_attempt_at
FROM steps WHERE onboarding_id = @onboarding_id ORDER BY key;

-- name: GetNumbers :many
SELECT sid, phone_number FROM phone_numbers WHERE onboarding_id = @onboarding_id ORDER BY position;

-- name: GetEvents :many
SELECT at, kind, step, actor, detail FROM events WHERE onboarding_id = @onboarding_id ORDER BY id;
