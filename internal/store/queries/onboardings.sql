-- name: CreateOnboarding :one
-- With its first job, which is inserted as River does it, and announced to River's clients. Nothing has been done about any step yet, so none
-- is written. No row where another onboarding stands in its way: an error would end the transaction that others have their writes in.
WITH o AS (
    INSERT INTO onboardings
        (id, external_id, subaccount_sid, primary_profile_sid, callback_token, version, status, job_id, created_at, updated_at)
    VALUES (@id, @external_id, @subaccount_sid, @primary_profile_sid, @callback_token, @version, @status,
        nextval(pg_get_serial_sequence('river_job', 'id')), @created_at, @updated_at)
    ON CONFLICT DO NOTHING
    RETURNING id, version, job_id, created_at
), job AS (
    INSERT INTO river_job (id, args, kind, max_attempts)
    SELECT o.job_id, jsonb_build_object('onboarding_id', o.id), @kind, @max_attempts FROM o
), r AS (
    INSERT INTO requests (onboarding_id, version, request, created_at)
    SELECT o.id, o.version, @request, o.created_at FROM o
), e AS (
    INSERT INTO events (onboarding_id, at, kind, actor, detail)
    SELECT o.id, @event_at, @event_kind, @event_actor, @event_detail FROM o
)
SELECT pg_notify(current_schema() || '.river_insert', '{"queue": "default"}')::text AS notified FROM o;

-- name: OpenOnboardingOfSubaccount :one
SELECT id FROM onboardings WHERE subaccount_sid = @subaccount_sid AND canceled_at IS NULL AND subaccount_sid <> '';

-- name: OpenOnboardingOfExternalID :one
SELECT id FROM onboardings WHERE external_id = @external_id AND canceled_at IS NULL AND external_id <> '';

-- name: OnboardingsOfCallbackTokens :many
SELECT o.callback_token, o.id, o.subaccount_sid
FROM (SELECT unnest(@callback_tokens::text[]) AS callback_token LIMIT cardinality(@callback_tokens::text[])) t
JOIN onboardings o ON o.callback_token = t.callback_token;

-- name: GetOnboarding :one
SELECT id, callback_token, subaccount_sid, version, created_at, updated_at, canceled_at, cleanup, epoch, woken, job_id, now()::timestamptz AS read_at
FROM onboardings WHERE id = @id;

-- name: LockOnboarding :one
-- Whoever holds this lock decides what becomes of the onboarding and of its job (invariant 4): wake-ups, releases, claims and take-overs
-- queue for it. What belongs to the row is read by later statements, whose snapshots are newer than the wait for the lock.
SELECT id, callback_token, subaccount_sid, version, created_at, updated_at, canceled_at, cleanup, epoch, woken, job_id, now()::timestamptz AS read_at
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

-- name: GetRequests :many
SELECT r.onboarding_id, r.request
FROM (SELECT unnest(@ids::text[]) AS id LIMIT cardinality(@ids::text[])) i
JOIN onboardings o ON o.id = i.id
JOIN requests r ON r.onboarding_id = o.id AND r.version = o.version;

-- name: GetSteps :many
SELECT s.onboarding_id, s.key, s.state, s.sid, s.remote_status, s.attempts, s.error, s.requirements, s.waits_for,
    s.intent_at, s.started_at, s.finished_at, s.next_attempt_at
FROM (SELECT unnest(@ids::text[]) AS id LIMIT cardinality(@ids::text[])) i
JOIN steps s ON s.onboarding_id = i.id
ORDER BY s.key;

-- name: GetNumbers :many
SELECT n.onboarding_id, n.sid, n.phone_number
FROM (SELECT unnest(@ids::text[]) AS id LIMIT cardinality(@ids::text[])) i
JOIN phone_numbers n ON n.onboarding_id = i.id
ORDER BY n.position;

-- name: GetEvents :many
SELECT at, kind, step, actor, detail FROM events WHERE onboarding_id = @onboarding_id ORDER BY id;
