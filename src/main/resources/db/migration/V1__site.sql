-- State of one site. Times are milliseconds since 1970 in UTC. Documents are JSON of the domain records; what is asked
-- for by value has a column of its own.

CREATE TABLE groups (
    id       TEXT PRIMARY KEY,
    document TEXT NOT NULL
) STRICT;

CREATE TABLE group_volumes (
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    volume   TEXT NOT NULL,
    PRIMARY KEY (group_id, volume)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_volumes_by_volume ON group_volumes (volume);

-- sequence is the order in which they came to be known here: clocks may jump, it does not.
CREATE TABLE recovery_points (
    sequence      INTEGER PRIMARY KEY AUTOINCREMENT,
    id            TEXT    NOT NULL UNIQUE,
    group_id      TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    consistency   TEXT    NOT NULL,
    received_over TEXT,
    -- 1 while its snapshots are being deleted: hidden from then on, finished after a crash.
    deleting      INTEGER NOT NULL DEFAULT 0 CHECK (deleting IN (0, 1)),
    document      TEXT    NOT NULL
) STRICT;
CREATE INDEX recovery_points_by_group ON recovery_points (group_id, sequence);

CREATE TABLE recovery_point_members (
    sequence INTEGER NOT NULL REFERENCES recovery_points (sequence) ON DELETE CASCADE,
    volume   TEXT    NOT NULL,
    PRIMARY KEY (volume, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX recovery_point_members_by_sequence ON recovery_point_members (sequence);

CREATE TABLE peers (
    id          TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    document    TEXT NOT NULL
) STRICT;

CREATE TABLE links (
    id           TEXT PRIMARY KEY,
    role         TEXT NOT NULL,
    peer         TEXT NOT NULL REFERENCES peers (id) ON DELETE RESTRICT,
    local_volume TEXT NOT NULL,
    group_id     TEXT NOT NULL,
    document     TEXT NOT NULL
) STRICT;
CREATE INDEX links_by_peer ON links (peer);
CREATE INDEX links_by_volume ON links (local_volume);

CREATE TABLE link_schedules (
    link     TEXT PRIMARY KEY REFERENCES links (id) ON DELETE CASCADE,
    due_at   INTEGER NOT NULL,
    failures INTEGER NOT NULL
) STRICT;

-- Only a hash of an invitation's secret is kept.
CREATE TABLE invitations (
    secret_sha256 TEXT PRIMARY KEY,
    peer          TEXT    NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE operations (
    sequence       INTEGER PRIMARY KEY AUTOINCREMENT,
    id             TEXT    NOT NULL UNIQUE,
    kind           TEXT    NOT NULL,
    subject        TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    -- Of the recovery point or snapshot it makes: what a crash left on the storage is told by this id.
    makes          TEXT,
    request        TEXT    NOT NULL,
    step           TEXT    NOT NULL,
    progress       TEXT    NOT NULL,
    result         TEXT,
    problem        TEXT,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX operations_by_state ON operations (state, sequence);
CREATE INDEX operations_by_makes ON operations (makes) WHERE makes IS NOT NULL;

CREATE TABLE idempotency_keys (
    key          TEXT PRIMARY KEY,
    request_hash TEXT    NOT NULL,
    -- Body of the id of what the request makes, chosen before it acts: a repetition after a crash makes the same.
    id_body      TEXT    NOT NULL,
    answer       TEXT,
    expires_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);

-- SHA-256 of 256 random bits: nothing to guess, so no salt and no slow hash is needed.
CREATE TABLE api_tokens (
    sha256     TEXT PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;
