-- How far the answers of each volume's changed-range source are audited; distrusted is 1 once it left out a change.
CREATE TABLE tracking_audits (
    volume     TEXT PRIMARY KEY,
    distrusted INTEGER NOT NULL CHECK (distrusted IN (0, 1)),
    document   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tracking_audits_distrusted ON tracking_audits (distrusted) WHERE distrusted = 1;
