-- How far the answers of each volume's changed-range source are audited; distrusted is 1 once it left out a change.
CREATE TABLE tracking_audits (
    volume     TEXT PRIMARY KEY,
    distrusted INTEGER NOT NULL CHECK (distrusted IN (0, 1)),
    document   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tracking_audits_distrusted ON tracking_audits (distrusted) WHERE distrusted = 1;

-- The recovery point that a link's newest transfer began with, and the epoch of its volume's audit then: only what was
-- begun in the epoch of now is gone on with.
CREATE TABLE transfers (
    link           TEXT PRIMARY KEY REFERENCES links (id) ON DELETE CASCADE,
    recovery_point TEXT    NOT NULL,
    epoch          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
