-- name: CreateKey :exec
INSERT INTO api_keys (name, role, sha256) VALUES (@name, @role, @sha256);

-- name: ListKeys :many
SELECT name, role, created_at, revoked_at FROM api_keys ORDER BY created_at, name;

-- name: RevokeKey :execrows
-- The time of a key that is revoked already stays.
UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE name = @name;

-- name: FindKeys :many
-- By their hashes in hexadecimal digits.
SELECT h.sha256::text AS id, json_build_object('name', k.name, 'role', k.role, 'created_at', k.created_at) AS answer
FROM (SELECT unnest(@sha256s::text[]) AS sha256 LIMIT cardinality(@sha256s::text[])) h
JOIN api_keys k ON k.sha256 = decode(h.sha256, 'hex') AND k.revoked_at IS NULL;
