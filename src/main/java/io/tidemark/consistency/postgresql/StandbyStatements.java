package io.tidemark.consistency.postgresql;

import java.util.List;

/**
 * What is asked of a server in recovery. Any role may ask for the state: of {@code pg_stat_wal_receiver} it sees that there
 * is one. Source: PostgreSQL 15 manual, 9.27.4 "Recovery Control Functions".
 */
final class StandbyStatements {
    static final List<String> FUNCTIONS = List.of("pg_wal_replay_pause()", "pg_wal_replay_resume()");

    /** Replay is asked for after receive: else it would seem behind by what came in between. */
    static final String STATE = """
            SELECT EXISTS (SELECT FROM pg_stat_wal_receiver),
                pg_wal_lsn_diff(received, '0/0')::bigint,
                pg_wal_lsn_diff(replayed, '0/0')::bigint,
                replayed::text,
                (extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::bigint,
                pg_get_wal_replay_pause_state()
            FROM (SELECT received, pg_last_wal_replay_lsn() AS replayed
                  FROM (SELECT pg_last_wal_receive_lsn() AS received OFFSET 0) AS receiver OFFSET 0) AS standby""";

    static final String WAITS_IN_SLEEP =
            "SELECT pid FROM pg_stat_get_activity(%d) WHERE state = 'active' AND wait_event = 'PgSleep'";

    /** Names of applications are shown to everyone of sessions of the own role. */
    static final String KEEPERS = "SELECT pid FROM pg_stat_activity WHERE application_name = '%s' AND state = 'active'";

    private StandbyStatements() {}
}
