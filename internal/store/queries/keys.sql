-- name: CreateKey :exec
INSERT INTO api_keys (name, role, sha256) VALUES (@name, @role, @sha256);

-- name: ListKeys :many
SELECT name, role, created_at, revoked_at FROM api_keys ORDER BY created_at, name;

-- name: RevokeKey :execrows
-- A key that is revoked already keeps its time.
UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE name = @name;

-- name: KeyBySHA256 :one
SELECT name, role, created_at FROM api_keys WHERE sha256 = @sha256 AND revoked_at IS NULL;
