-- name: Register :one
INSERT INTO replicas (client_id, started_at) VALUES (@client_id, @started_at) RETURNING id;

-- name: Deregister :exec
DELETE FROM replicas WHERE client_id = @client_id;

-- name: HoldReplicaLock :exec
SELECT pg_advisory_lock(@class::integer, @id::integer);

-- name: Heartbeat :execrows
UPDATE replicas SET seen_at = now() WHERE id = @id;

-- name: SilentReplicas :many
-- The others whose locks can be had, now for a moment, or whose heartbeats stopped. When the server restarts all locks are free and all
-- heartbeats old, so both count only from its start on. The lock is asked for as a shared one: two who look at one moment are not in each
-- other's way, or each would hold the other to be the owner.
SELECT r.id
FROM replicas r
WHERE r.id <> @own_id
    AND (now() - greatest(r.seen_at, pg_postmaster_start_time()) > @stale_after::interval
        OR now() - pg_postmaster_start_time() > @grace::interval AND pg_try_advisory_xact_lock_shared(@class::integer, r.id));

-- name: RemoveReplicas :many
DELETE FROM replicas WHERE id = ANY(@ids::integer[]) RETURNING client_id;

-- name: RemoveDeadLeader :many
-- A dead client that leads keeps River's scheduler from running until its term ends, 15 s later. Ending the term and saying so to those
-- who would follow has no public API for another client's term; this is what a leader that resigns does.
WITH gone AS (
    DELETE FROM river_leader l WHERE NOT EXISTS (SELECT FROM replicas r WHERE r.client_id = l.leader_id) RETURNING l.leader_id
)
SELECT leader_id,
    pg_notify(current_schema() || '.river_leadership', json_build_object('leader_id', leader_id, 'action', 'resigned')::text)::text AS notified
FROM gone;
