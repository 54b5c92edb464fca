-- Hosts that carry out what this controller asks.
CREATE TABLE agents (
    id          TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    document    TEXT NOT NULL
) STRICT;

-- Only a hash of an invitation's secret is kept.
CREATE TABLE agent_invitations (
    secret_sha256 TEXT PRIMARY KEY,
    agent         TEXT    NOT NULL,
    -- 1 where the agent of that name gets a new key.
    replaces      INTEGER NOT NULL CHECK (replaces IN (0, 1)),
    expires_at    INTEGER NOT NULL
) STRICT;
