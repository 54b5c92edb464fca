package io.tidemark.quickstart;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Whether one database is whole, found out by its own SQL: for servers that came without {@code pg_amcheck} and
 * {@code pg_checksums}. Needs a superuser and the extensions, which it creates where they are not yet.
 */
public final class SqlChecks {
    private static final String STRUCTURES = "amcheck";
    private static final String PAGES = "pg_prewarm";

    private SqlChecks() {}

    /** Whether the server brought what {@link #checkStructures} needs. */
    static boolean mayCheckStructures(Connection connection) throws SQLException {
        return offers(connection, STRUCTURES);
    }

    /** Whether the server brought what {@link #readEveryPage} needs. */
    static boolean mayReadEveryPage(Connection connection) throws SQLException {
        return offers(connection, PAGES);
    }

    private static boolean offers(Connection connection, String extension) throws SQLException {
        return number(connection, "SELECT count(*) FROM pg_available_extensions WHERE name = '" + extension + "'") > 0;
    }

    /**
     * Every table, and every B-tree with every row of its table, as {@code pg_amcheck --heapallindexed} checks them.
     *
     * @throws SQLException naming what is damaged
     */
    public static void checkStructures(Connection connection) throws SQLException {
        execute(connection, "CREATE EXTENSION IF NOT EXISTS " + STRUCTURES);
        var damaged = column(connection, """
                SELECT format('%s block %s: %s', c.oid::regclass, damage.blkno, damage.msg)
                FROM pg_class c
                JOIN pg_am a ON a.oid = c.relam AND a.amname = 'heap'
                CROSS JOIN LATERAL verify_heapam(c.oid, check_toast => true) damage
                WHERE c.relkind IN ('r', 'm', 't') AND c.relpersistence <> 't'
                LIMIT 10""");
        if (!damaged.isEmpty()) {
            throw new SQLException("tables are damaged: " + String.join("; ", damaged));
        }
        column(connection, """
                SELECT bt_index_check(c.oid, true)::text
                FROM pg_class c
                JOIN pg_am a ON a.oid = c.relam AND a.amname = 'btree'
                JOIN pg_index i ON i.indexrelid = c.oid AND i.indisvalid AND i.indisready
                WHERE c.relkind = 'i' AND c.relpersistence <> 't'""");
    }

    /**
     * Reads every page of every relation, its maps included, as the server does itself: it checks each page's checksum
     * as it comes from the disk. Call it on a server that was started on the copy, so that nothing came from elsewhere.
     *
     * @return how many pages
     * @throws SQLException naming the page whose checksum is wrong, or when the database has no checksums
     */
    public static long readEveryPage(Connection connection) throws SQLException {
        execute(connection, "SET ignore_checksum_failure = off");
        execute(connection, "SET zero_damaged_pages = off");
        if (!column(connection, "SHOW data_checksums").getFirst().equals("on")) {
            throw new SQLException("the database has no data checksums");
        }
        execute(connection, "CREATE EXTENSION IF NOT EXISTS " + PAGES);
        long pages = number(connection, """
                SELECT sum(pg_prewarm(c.oid, 'buffer', fork.name))
                FROM pg_class c
                CROSS JOIN (VALUES ('main'), ('fsm'), ('vm')) AS fork (name)
                WHERE c.relkind IN ('r', 'i', 'm', 't', 'S') AND c.relpersistence <> 't'
                AND pg_relation_size(c.oid, fork.name) > 0""");
        long failures = number(connection, "SELECT coalesce(sum(checksum_failures), 0) FROM pg_stat_database");
        if (failures > 0) {
            throw new SQLException("%d pages have a wrong checksum".formatted(failures));
        }
        return pages;
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static long number(Connection connection, String sql) throws SQLException {
        return Long.parseLong(column(connection, sql).getFirst());
    }

    private static List<String> column(Connection connection, String sql) throws SQLException {
        List<String> values = new ArrayList<>();
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                values.add(rows.getString(1));
            }
        }
        return values;
    }
}
