-- name: InsertCallback :execrows
-- No row for a delivery that is kept already.
INSERT INTO callbacks (onboarding_id, idempotency_token, received_at, signed_by, content_type, body, bundle_sid, status)
VALUES (@onboarding_id, @idempotency_token, @received_at, @signed_by, @content_type, @body, @bundle_sid, @status)
ON CONFLICT (onboarding_id, idempotency_token) WHERE idempotency_token <> '' DO NOTHING;

-- name: InsertCallbackAndWake :one
-- Invariant 4 in one statement, for the onboarding whose job runs or is set for later: which is nearly every one. The row is locked first,
-- so claims and releases queue, and its job_id is read as it is under the lock. The job is looked for in the snapshot of before: a job that
-- was made during the wait for the lock is not found, and then nothing is written and the caller takes the long way. One that is found
-- running has not been released, for its release would have changed the row's job_id.
--
-- A job that is set for later is made due in place. River's own API for that (JobRetryTx) does the same, one round trip later.
WITH o AS (
    SELECT n.id, n.job_id FROM onboardings n
    WHERE n.id = @onboarding_id AND n.canceled_at IS NULL
        AND NOT EXISTS (
            SELECT FROM callbacks c
            WHERE c.onboarding_id = n.id AND c.idempotency_token = @idempotency_token AND c.idempotency_token <> '')
    FOR NO KEY UPDATE
), brought_forward AS (
    UPDATE river_job j SET state = 'available', scheduled_at = now()
    FROM o
    WHERE j.id = o.job_id AND (j.state IN ('retryable', 'scheduled') OR j.state = 'available' AND j.scheduled_at > now())
    RETURNING j.id
), coming AS (
    SELECT b.id FROM brought_forward b
    UNION ALL
    SELECT j.id FROM o JOIN river_job j ON j.id = o.job_id
    WHERE j.state = 'running' OR j.state = 'available' AND j.scheduled_at <= now()
), kept AS (
    INSERT INTO callbacks (onboarding_id, idempotency_token, received_at, signed_by, content_type, body, bundle_sid, status)
    SELECT o.id, @idempotency_token, @received_at, @signed_by, @content_type, @body, @bundle_sid, @status
    FROM o WHERE EXISTS (SELECT FROM coming)
    ON CONFLICT (onboarding_id, idempotency_token) WHERE idempotency_token <> '' DO NOTHING
    RETURNING onboarding_id
), woken AS (
    UPDATE onboardings n SET woken = true FROM kept WHERE n.id = kept.onboarding_id
)
SELECT EXISTS (SELECT FROM coming);

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
