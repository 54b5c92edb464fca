package io.tidemark.quickstart;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * The tables and transactions of pgbench's default script, said from here: for servers that came without it. The same
 * columns, fill factors, keys, order of statements and rate. Source: PostgreSQL 18 manual, pgbench, "What Is the
 * 'Transaction' Actually Performed in pgbench?".
 */
final class SqlLoad implements DatabaseLoad {
    private static final int TELLERS = 10 * SCALE;
    private static final int ACCOUNTS = 100_000 * SCALE;
    private static final int DELTA_MAXIMUM = 5_000;
    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1) * CLIENTS / TRANSACTIONS_PER_SECOND;

    @Override
    public void fill(PostgresServer server, String database) throws QuickstartException {
        server.execute(
                database,
                "CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22))",
                "CREATE TABLE pgbench_tellers (tid int NOT NULL, bid int, tbalance int, filler char(84))",
                "CREATE TABLE pgbench_accounts (aid int NOT NULL, bid int, abalance int, filler char(84))",
                "CREATE TABLE pgbench_branches (bid int NOT NULL, bbalance int, filler char(88))",
                "INSERT INTO pgbench_branches SELECT n, 0, NULL FROM generate_series(1, %d) n".formatted(SCALE),
                "INSERT INTO pgbench_tellers SELECT n, (n - 1) / 10 + 1, 0, NULL FROM generate_series(1, %d) n"
                        .formatted(TELLERS),
                "INSERT INTO pgbench_accounts SELECT n, (n - 1) / 100000 + 1, 0, '' FROM generate_series(1, %d) n"
                        .formatted(ACCOUNTS),
                "VACUUM ANALYZE pgbench_branches",
                "VACUUM ANALYZE pgbench_tellers",
                "VACUUM ANALYZE pgbench_accounts",
                "ALTER TABLE pgbench_branches ADD PRIMARY KEY (bid)",
                "ALTER TABLE pgbench_tellers ADD PRIMARY KEY (tid)",
                "ALTER TABLE pgbench_accounts ADD PRIMARY KEY (aid)");
    }

    @Override
    public void run(PostgresServer server, String database, int seconds) throws QuickstartException {
        long endNanos = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
        List<Future<?>> clients = new ArrayList<>();
        // Closing waits for the clients, which end by themselves: at the end's time or at their first failure.
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int client = 0; client < CLIENTS; client++) {
                clients.add(threads.submit(() -> {
                    transact(server, database, endNanos);
                    return null;
                }));
            }
        }
        for (var client : clients) {
            try {
                client.get();
            } catch (ExecutionException e) {
                throw new QuickstartException("the load failed: " + e.getCause(), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new QuickstartException("interrupted", e);
            }
        }
    }

    private static void transact(PostgresServer server, String database, long endNanos)
            throws SQLException, InterruptedException {
        var random = new SplittableRandom();
        try (var connection = server.connect(database);
                var statements = Statements.prepare(connection)) {
            long dueNanos = System.nanoTime();
            while (dueNanos < endNanos) {
                TimeUnit.NANOSECONDS.sleep(dueNanos - System.nanoTime());
                statements.transact(random);
                // What a freeze held up is made good afterwards, as pgbench does with a rate.
                dueNanos += INTERVAL_NANOS;
            }
        }
    }

    private record Statements(
            Connection connection,
            PreparedStatement account,
            PreparedStatement balance,
            PreparedStatement teller,
            PreparedStatement branch,
            PreparedStatement history)
            implements AutoCloseable {

        static Statements prepare(Connection connection) throws SQLException {
            connection.setAutoCommit(false);
            return new Statements(
                    connection,
                    connection.prepareStatement("UPDATE pgbench_accounts SET abalance = abalance + ? WHERE aid = ?"),
                    connection.prepareStatement("SELECT abalance FROM pgbench_accounts WHERE aid = ?"),
                    connection.prepareStatement("UPDATE pgbench_tellers SET tbalance = tbalance + ? WHERE tid = ?"),
                    connection.prepareStatement("UPDATE pgbench_branches SET bbalance = bbalance + ? WHERE bid = ?"),
                    connection.prepareStatement("INSERT INTO pgbench_history (tid, bid, aid, delta, mtime)"
                            + " VALUES (?, ?, ?, ?, CURRENT_TIMESTAMP)"));
        }

        void transact(SplittableRandom random) throws SQLException {
            int accountId = random.nextInt(1, ACCOUNTS + 1);
            int tellerId = random.nextInt(1, TELLERS + 1);
            int branchId = random.nextInt(1, SCALE + 1);
            int delta = random.nextInt(-DELTA_MAXIMUM, DELTA_MAXIMUM + 1);
            update(account, delta, accountId);
            balance.setInt(1, accountId);
            balance.executeQuery().close();
            update(teller, delta, tellerId);
            update(branch, delta, branchId);
            history.setInt(4, delta);
            update(history, tellerId, branchId, accountId);
            connection.commit();
        }

        private static void update(PreparedStatement statement, int... values) throws SQLException {
            for (int index = 0; index < values.length; index++) {
                statement.setInt(index + 1, values[index]);
            }
            statement.executeUpdate();
        }

        /** Statements end with the connection, which whoever opened it closes. */
        @Override
        public void close() throws SQLException {
            history.close();
            branch.close();
            teller.close();
            balance.close();
            account.close();
        }
    }

    @Override
    public String name() {
        return "pgbench's tables and transactions by SQL";
    }
}
