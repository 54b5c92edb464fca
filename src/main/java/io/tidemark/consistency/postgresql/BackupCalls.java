package io.tidemark.consistency.postgresql;

import java.util.List;

/**
 * How a version names the two calls of a non-exclusive base backup. Source: PostgreSQL manuals 14 and 15, 9.27.3 "Backup
 * Control Functions"; 15 renamed them and took the exclusive kind out.
 *
 * @param start with one parameter, the label; answers the start's LSN as text
 * @param stop answers LSN, label and tablespace map, and does not wait for the archive
 * @param functions as they are granted, by name and signature
 */
record BackupCalls(String start, String stop, List<String> functions) {
    private static final int RENAMED_IN = 15;

    private static final BackupCalls BEFORE = new BackupCalls(
            "SELECT pg_start_backup(?, true, false)::text",
            "SELECT lsn::text, labelfile, spcmapfile FROM pg_stop_backup(false, false)",
            List.of("pg_start_backup(text, boolean, boolean)", "pg_stop_backup(boolean, boolean)"));

    private static final BackupCalls SINCE = new BackupCalls(
            "SELECT pg_backup_start(?, fast => true)::text",
            "SELECT lsn::text, labelfile, spcmapfile FROM pg_backup_stop(wait_for_archive => false)",
            List.of("pg_backup_start(text, boolean)", "pg_backup_stop(boolean)"));

    static BackupCalls of(int major) {
        return major < RENAMED_IN ? BEFORE : SINCE;
    }
}
