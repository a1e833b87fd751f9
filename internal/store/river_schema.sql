-- The columns of River's tables that our own statements name, so that sqlc can check the
-- statements. River's migrations make the tables.
CREATE TYPE river_job_state AS ENUM ('available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled');

CREATE TABLE river_job (
    id bigserial PRIMARY KEY,
    state river_job_state NOT NULL DEFAULT 'available',
    max_attempts smallint NOT NULL,
    args jsonb NOT NULL,
    attempted_by text[],
    finalized_at timestamptz,
    scheduled_at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL
);

CREATE TABLE river_leader (
    leader_id text NOT NULL
);

-- golang-migrate's.
CREATE TABLE schema_migrations (
    version bigint NOT NULL PRIMARY KEY,
    dirty boolean NOT NULL
);
