-- name: CreateOnboardings :many
-- Each with its first job, which is inserted and announced as River does it. No step is written,
-- for nothing has been done about any. No row if another onboarding is in the way: an error would
-- end the transaction of the whole group.
WITH creation AS (
    SELECT c ->> 'id' AS id, c ->> 'external_id' AS external_id, c ->> 'subaccount_sid' AS subaccount_sid,
        c ->> 'primary_profile_sid' AS primary_profile_sid, c ->> 'callback_token' AS callback_token,
        (c -> 'version')::integer AS version, c ->> 'status' AS status,
        (c ->> 'created_at')::timestamptz AS created_at, (c ->> 'updated_at')::timestamptz AS updated_at,
        c -> 'request' AS request, c -> 'event' AS event
    FROM (SELECT unnest(@creations::text[])::jsonb AS c LIMIT cardinality(@creations::text[])) j
), o AS (
    INSERT INTO onboardings
        (id, external_id, subaccount_sid, primary_profile_sid, callback_token, version, status, job_id, created_at, updated_at)
    SELECT id, external_id, subaccount_sid, primary_profile_sid, callback_token, version, status,
        nextval(pg_get_serial_sequence('river_job', 'id')), created_at, updated_at
    FROM creation
    ON CONFLICT DO NOTHING
    RETURNING id, version, job_id, created_at
), job AS (
    INSERT INTO river_job (id, args, kind, max_attempts)
    SELECT o.job_id, jsonb_build_object('onboarding_id', o.id), 'advance', 32767 FROM o
), r AS (
    INSERT INTO requests (onboarding_id, version, request, created_at)
    SELECT o.id, o.version, c.request, o.created_at FROM o JOIN creation c USING (id)
), e AS (
    INSERT INTO events (onboarding_id, at, kind, actor, detail)
    SELECT o.id, e.at, e.kind, e.actor, e.detail
    FROM o JOIN creation c USING (id) CROSS JOIN LATERAL jsonb_populate_record(NULL::events, c.event) e
)
SELECT o.id, to_json(pg_notify(current_schema() || '.river_insert', '{"queue": "default"}')::text) AS answer FROM o;

-- name: OpenOnboardingOfSubaccount :one
SELECT id FROM onboardings WHERE subaccount_sid = @subaccount_sid AND canceled_at IS NULL AND subaccount_sid <> '';

-- name: OpenOnboardingOfExternalID :one
SELECT id FROM onboardings WHERE external_id = @external_id AND canceled_at IS NULL AND external_id <> '';

-- name: FindCallbackTokens :many
SELECT o.callback_token AS id, json_build_object('id', o.id, 'subaccount_sid', o.subaccount_sid) AS answer
FROM (SELECT unnest(@callback_tokens::text[]) AS callback_token LIMIT cardinality(@callback_tokens::text[])) t
JOIN onboardings o ON o.callback_token = t.callback_token;

-- name: AddRequestVersion :exec
WITH o AS (
    UPDATE onboardings SET version = @version WHERE id = @id RETURNING id, version
)
INSERT INTO requests (onboarding_id, version, request, created_at)
SELECT o.id, o.version, @request, now() FROM o;

-- name: CancelOnboarding :exec
UPDATE onboardings SET status = 'canceled', canceled_at = @canceled_at, cleanup = @cleanup WHERE id = @id;
