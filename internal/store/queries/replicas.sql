-- name: Register :one
INSERT INTO replicas (client_id, started_at) VALUES (@client_id, @started_at) RETURNING id;

-- name: Deregister :exec
DELETE FROM replicas WHERE client_id = @client_id;

-- name: LockReplica :exec
SELECT pg_advisory_lock(@class::integer, @id::integer);

-- name: Heartbeat :execrows
UPDATE replicas SET seen_at = now() WHERE id = @id;

-- name: SilentReplicas :many
-- The others whose locks are free, or whose heartbeats stopped. A restart of the server frees all
-- locks and makes all heartbeats old, so both count only from its start on. The look locks for a
-- moment, in shared mode: otherwise each of two who look at the same moment would see the lock of
-- the other, and believe that the replica lives.
SELECT r.id
FROM replicas r
WHERE r.id <> @own_id
    AND (now() - greatest(r.seen_at, pg_postmaster_start_time()) > @stale_after::interval
        OR now() - pg_postmaster_start_time() > @grace::interval AND pg_try_advisory_xact_lock_shared(@class::integer, r.id));

-- name: RemoveReplicas :many
DELETE FROM replicas WHERE id = ANY(@ids::integer[]) RETURNING client_id;

-- name: RemoveDeadLeader :many
-- A dead client that leads prevents River's scheduler from running until its term ends, 15 s later.
-- River has no public API to end the term of another client. This does and announces what a leader
-- that resigns does and announces.
WITH gone AS (
    DELETE FROM river_leader l WHERE NOT EXISTS (SELECT FROM replicas r WHERE r.client_id = l.leader_id) RETURNING l.leader_id
)
SELECT leader_id,
    pg_notify(current_schema() || '.river_leadership', json_build_object('leader_id', leader_id, 'action', 'resigned')::text)::text AS notified
FROM gone;
