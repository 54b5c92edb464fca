package io.tidemark.consistency.mariadb;

/**
 * What the server is asked for, in this order. One may be left out: the server then passes through it. Source:
 * MariaDB, "BACKUP STAGE" and "Storage Snapshots and BACKUP STAGE Commands".
 */
enum BackupStage {
    /** Waits for running statements that change tables; from then on holds other backups alone. */
    START,
    /** Holds new writes to tables without transactions (MyISAM, Aria), and closes tables that nobody uses. */
    FLUSH,
    /** Waits for statements that write such tables, and writes these out; then holds changes of any table's form. */
    BLOCK_DDL,
    /** Waits for commits under way; then holds every commit, every write to the binary log and to log tables. */
    BLOCK_COMMIT,
    /** Lets all go on. */
    END
}
