-- name: InsertCallback :execrows
-- No row for a delivery that is kept already.
INSERT INTO callbacks (onboarding_id, received_at, idempotency_token, signed_by, content_type, body, bundle_sid, status)
VALUES (@onboarding_id, @received_at, @idempotency_token, @signed_by, @content_type, @body, @bundle_sid, @status)
ON CONFLICT (onboarding_id, idempotency_token) WHERE idempotency_token <> '' DO NOTHING;

-- name: GetCallbacks :many
SELECT received_at, idempotency_token, signed_by, content_type, body, bundle_sid, status
FROM callbacks WHERE onboarding_id = @onboarding_id ORDER BY id;
