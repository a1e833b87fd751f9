-- name: StoreCallbacks :many
-- Stores callbacks and sets woken where that is asked for; RunWoken follows in the same transaction
-- (invariant 4). A delivery that is stored already changes nothing. A canceled onboarding is not
-- woken. Deliveries without a token are all stored.
WITH callback AS (
    SELECT c ->> 'onboarding_id' AS onboarding_id, (c ->> 'received_at')::timestamptz AS received_at,
        c ->> 'idempotency_token' AS idempotency_token, c ->> 'signed_by' AS signed_by,
        c ->> 'content_type' AS content_type, decode(c ->> 'body', 'base64') AS body,
        c ->> 'bundle_sid' AS bundle_sid, c ->> 'status' AS status, (c -> 'wakes')::boolean AS wakes
    FROM (SELECT unnest(@callbacks::text[])::jsonb AS c LIMIT cardinality(@callbacks::text[])) j
), stored AS (
    INSERT INTO callbacks (onboarding_id, received_at, idempotency_token, signed_by, content_type, body, bundle_sid, status)
    SELECT onboarding_id, received_at, idempotency_token, signed_by, content_type, body, bundle_sid, status FROM callback
    ON CONFLICT (onboarding_id, idempotency_token) WHERE idempotency_token <> '' DO NOTHING
    RETURNING onboarding_id, idempotency_token
), woken AS (
    UPDATE onboardings o SET woken = true
    FROM stored JOIN callback c USING (onboarding_id, idempotency_token)
    WHERE c.wakes AND o.id = stored.onboarding_id AND o.canceled_at IS NULL
)
SELECT onboarding_id::text AS id FROM stored;

-- name: DeleteCallbacksOlderThan :execrows
-- So many at most, the oldest first.
DELETE FROM callbacks
WHERE id IN (
    SELECT c.id FROM callbacks c WHERE c.received_at < now() - @retention::interval ORDER BY c.received_at LIMIT @most);

-- name: TryExpiryLock :one
SELECT pg_try_advisory_xact_lock(@class::integer, 0);
