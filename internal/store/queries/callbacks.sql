-- name: InsertCallback :execrows
-- No row for a delivery that is kept already.
INSERT INTO callbacks (onboarding_id, idempotency_token, received_at, signed_by, content_type, body, bundle_sid, status)
VALUES (@onboarding_id, @idempotency_token, @received_at, @signed_by, @content_type, @body, @bundle_sid, @status)
ON CONFLICT (onboarding_id, idempotency_token) WHERE idempotency_token <> '' DO NOTHING;

-- name: KeepCallbacks :many
-- Keeps callbacks, and wakes those onboardings that are to be woken: invariant 4 in one statement, for an onboarding whose job runs or is set
-- for later, which is nearly every one. The row is locked first, so claims and releases queue, and its job_id is read as it is under the lock.
-- The job is looked for in the snapshot of before: a job that was made during the wait for the lock is not found, and then nothing is written
-- and the caller takes the long way; in a group, LockOnboardings has waited before. One that is found running has not been released, for its release would have changed the row's job_id.
--
-- A job that is set for later is made due in place. River's own API for that (JobRetryTx) does the same, one round trip later.
--
-- Returned are those that this did not deal with.
WITH callback AS (
    SELECT unnest(@callbacks::integer[]) AS nr, unnest(@wakes::boolean[]) AS wakes, unnest(@onboarding_ids::text[]) AS onboarding_id,
        unnest(@idempotency_tokens::text[]) AS idempotency_token, unnest(@received_at::timestamptz[]) AS received_at,
        unnest(@signed_by::text[]) AS signed_by, unnest(@content_types::text[]) AS content_type, unnest(@bodies::bytea[]) AS body,
        unnest(@bundle_sids::text[]) AS bundle_sid, unnest(@statuses::text[]) AS status
    LIMIT cardinality(@callbacks::integer[])
), o AS (
    SELECT c.nr, n.id, n.job_id
    FROM callback c CROSS JOIN LATERAL (
        SELECT l.id, l.job_id FROM onboardings l
        WHERE c.wakes AND l.id = c.onboarding_id AND l.canceled_at IS NULL
            AND NOT EXISTS (
                SELECT FROM callbacks k
                WHERE k.onboarding_id = c.onboarding_id AND k.idempotency_token = c.idempotency_token AND k.idempotency_token <> '')
        FOR NO KEY UPDATE) n
), brought_forward AS (
    UPDATE river_job j SET state = 'available', scheduled_at = now()
    FROM o
    WHERE j.id = o.job_id AND (j.state IN ('retryable', 'scheduled') OR j.state = 'available' AND j.scheduled_at > now())
    RETURNING j.id
), coming AS (
    SELECT o.nr FROM o JOIN brought_forward b ON b.id = o.job_id
    UNION ALL
    SELECT o.nr FROM o JOIN river_job j ON j.id = o.job_id
    WHERE j.state = 'running' OR j.state = 'available' AND j.scheduled_at <= now()
), kept AS (
    INSERT INTO callbacks (onboarding_id, idempotency_token, received_at, signed_by, content_type, body, bundle_sid, status)
    SELECT c.onboarding_id, c.idempotency_token, c.received_at, c.signed_by, c.content_type, c.body, c.bundle_sid, c.status
    FROM callback c WHERE NOT c.wakes OR c.nr IN (SELECT coming.nr FROM coming)
    ORDER BY c.nr
    ON CONFLICT (onboarding_id, idempotency_token) WHERE idempotency_token <> '' DO NOTHING
    RETURNING onboarding_id
), woken AS (
    UPDATE onboardings n SET woken = true
    FROM o
    WHERE n.id = o.id AND o.nr IN (SELECT coming.nr FROM coming) AND n.id IN (SELECT kept.onboarding_id FROM kept)
)
SELECT c.nr::integer FROM callback c WHERE c.wakes AND c.nr NOT IN (SELECT coming.nr FROM coming);

-- name: GetCallbacks :many
SELECT received_at, idempotency_token, signed_by, content_type, body, bundle_sid, status
FROM callbacks WHERE onboarding_id = @onboarding_id ORDER BY id;

-- name: CallbacksBefore :many
-- Newest first, from before that ID on.
SELECT id, received_at, idempotency_token, signed_by, content_type, body, bundle_sid, status
FROM callbacks WHERE onboarding_id = @onboarding_id AND id < @before_id
ORDER BY id DESC
LIMIT @page_size;

-- name: DeleteCallbacksOlderThan :execrows
-- The oldest first, so many at most.
DELETE FROM callbacks
WHERE id IN (
    SELECT c.id FROM callbacks c WHERE c.received_at < now() - @retention::interval ORDER BY c.received_at LIMIT @most);

-- name: TryExpiryLock :one
SELECT pg_try_advisory_xact_lock(@class::integer, 0);
