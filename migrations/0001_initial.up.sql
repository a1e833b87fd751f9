-- The row of an onboarding is what the protocol locks. Every write about the onboarding updates it,
-- so it is narrow: the request, of some kilobytes, has a table of its own and is not copied each
-- time.
--
-- IDs compare by byte (COLLATE "C"). That is faster, and the same order as in Go.
CREATE TABLE onboardings (
    id text COLLATE "C" PRIMARY KEY CHECK (id LIKE 'onb\_%'),
    external_id text NOT NULL DEFAULT '',
    -- The account in which everything is made; '' before the account itself is made.
    subaccount_sid text NOT NULL,
    primary_profile_sid text NOT NULL,
    callback_token text NOT NULL UNIQUE CHECK (callback_token <> ''),
    -- The newest version of the request.
    version integer NOT NULL CHECK (version >= 1),
    -- What Onboarding.Status derives from the steps, written with them. It is here so that a list
    -- can be filtered by it. Nothing is decided by it.
    status text NOT NULL CHECK (status IN ('in_progress', 'in_review', 'action_required', 'approved', 'canceled')),
    -- The same of Onboarding.Attestation.
    attestation text NOT NULL DEFAULT '',
    -- Raised by each claim. A runner's write names the epoch of its own claim, and is void if that
    -- is not the newest.
    epoch bigint NOT NULL DEFAULT 0,
    -- Something woke the onboarding since the last claim.
    woken boolean NOT NULL DEFAULT false,
    -- A claim was told of a wake-up, and its run has not ended in order. If the run died, the next
    -- claim is told too.
    waking boolean NOT NULL DEFAULT false,
    -- The one River job that may run the onboarding, NULL if none is scheduled. No foreign key,
    -- because River deletes finished jobs.
    job_id bigint,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    canceled_at timestamptz,
    -- Whatever the onboarding made is deleted. Only for a canceled one.
    cleanup boolean NOT NULL DEFAULT false CHECK (canceled_at IS NOT NULL OR NOT cleanup),
    CHECK ((status = 'canceled') = (canceled_at IS NOT NULL))
) WITH (fillfactor = 70);

-- One open onboarding for each subaccount.
CREATE UNIQUE INDEX onboardings_open_subaccount_sid_key ON onboardings (subaccount_sid) WHERE canceled_at IS NULL AND subaccount_sid <> '';
CREATE UNIQUE INDEX onboardings_open_external_id_key ON onboardings (external_id) WHERE canceled_at IS NULL AND external_id <> '';
CREATE INDEX onboardings_external_id_idx ON onboardings (external_id, created_at, id) WHERE external_id <> '';
CREATE INDEX onboardings_subaccount_sid_idx ON onboardings (subaccount_sid, created_at, id);
CREATE INDEX onboardings_created_at_idx ON onboardings (created_at, id);
CREATE INDEX onboardings_status_idx ON onboardings (status, created_at, id);

-- Every version of every request.
CREATE TABLE requests (
    onboarding_id text COLLATE "C" NOT NULL REFERENCES onboardings,
    version integer NOT NULL CHECK (version >= 1),
    request jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (onboarding_id, version)
);

-- The ledger. The only index is the primary key, and its columns never change: so an update of a
-- step writes to the table alone.
--
-- No foreign key here and in events. Every insert selects from the onboarding's row, which is
-- locked. To check it for each row would cost more than the insert.
CREATE TABLE steps (
    onboarding_id text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL CHECK (key <> ''),
    state text NOT NULL CHECK (state IN ('pending', 'running', 'waiting', 'succeeded', 'failed', 'canceled')),
    sid text NOT NULL DEFAULT '',
    remote_status text NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    error jsonb,
    requirements jsonb,
    waits_for text NOT NULL DEFAULT '',
    intent_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    next_attempt_at timestamptz,
    PRIMARY KEY (onboarding_id, key)
) WITH (fillfactor = 50);

-- The resolved numbers of the request, in the request's order.
CREATE TABLE phone_numbers (
    onboarding_id text COLLATE "C" NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    sid text NOT NULL,
    phone_number text NOT NULL,
    PRIMARY KEY (onboarding_id, position)
);

-- The history. The identity puts events of one transaction, which have one time, in order.
CREATE TABLE events (
    onboarding_id text COLLATE "C" NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind <> ''),
    step text NOT NULL DEFAULT '',
    step_kind text NOT NULL DEFAULT '',
    bundle text NOT NULL DEFAULT '',
    actor text NOT NULL DEFAULT '',
    detail text NOT NULL DEFAULT '',
    PRIMARY KEY (onboarding_id, id)
);

CREATE TABLE callbacks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    onboarding_id text COLLATE "C" NOT NULL REFERENCES onboardings,
    received_at timestamptz NOT NULL,
    idempotency_token text NOT NULL DEFAULT '',
    signed_by text NOT NULL DEFAULT '',
    content_type text NOT NULL DEFAULT '',
    body bytea NOT NULL,
    bundle_sid text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT ''
);

CREATE UNIQUE INDEX callbacks_idempotency_token_key ON callbacks (onboarding_id, idempotency_token) WHERE idempotency_token <> '';
CREATE INDEX callbacks_onboarding_id_idx ON callbacks (onboarding_id, id);

CREATE TABLE api_keys (
    name text PRIMARY KEY CHECK (name <> ''),
    role text NOT NULL CHECK (role IN ('operator', 'viewer')),
    -- The hash of the key. The key itself is not stored.
    sha256 bytea NOT NULL UNIQUE CHECK (length(sha256) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);

-- The processes that run now. Each has the session-level advisory lock of its id as long as it
-- lives.
CREATE TABLE replicas (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The ID of the process's River client. It is in attempted_by of the jobs that the process
    -- runs.
    client_id text NOT NULL UNIQUE,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- River makes these for searches by the arguments and the metadata of jobs. attestd does not search
-- by them, but each insert and each change of a job would write them.
DROP INDEX river_job_args_index, river_job_metadata_index;
