-- name: SchemaVersion :one
SELECT version, dirty FROM schema_migrations;

-- name: LockMigrations :exec
SELECT pg_advisory_lock(@class::integer, 0);
