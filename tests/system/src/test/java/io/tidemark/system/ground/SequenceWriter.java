package io.tidemark.system.ground;

import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Commits 1, 2, 3, ... into a table, one a transaction, and remembers when each was begun and acknowledged. */
public final class SequenceWriter implements AutoCloseable {
    private static final long END_LIMIT_MILLIS = 30_000;

    private final SqlServer server;
    private final String table;
    private final List<Commit> commits = new ArrayList<>();
    private final Thread thread = Thread.ofPlatform().name("sequence-writer").unstarted(this::write);
    private volatile boolean stopping;
    private volatile @Nullable SQLException failure;

    /** Times are {@code System.nanoTime()}. */
    public record Commit(long number, long begunNanos, long acknowledgedNanos) {}

    private SequenceWriter(SqlServer server, String table) {
        this.server = server;
        this.table = table;
    }

    public static SequenceWriter start(SqlServer server) throws SQLException {
        return start(server, "sequence_written", "");
    }

    /** @param options of the table, after its columns: {@code ENGINE=MyISAM} */
    public static SequenceWriter start(SqlServer server, String table, String options) throws SQLException {
        server.execute("CREATE TABLE IF NOT EXISTS %s (number bigint PRIMARY KEY) %s".formatted(table, options));
        server.execute("TRUNCATE " + table);
        var writer = new SequenceWriter(server, table);
        writer.thread.start();
        return writer;
    }

    private void write() {
        try (var connection = server.connect();
                var insert = connection.prepareStatement("INSERT INTO %s VALUES (?)".formatted(table))) {
            for (long number = 1; !stopping; number++) {
                long begun = System.nanoTime();
                insert.setLong(1, number);
                insert.executeUpdate();
                long acknowledged = System.nanoTime();
                synchronized (commits) {
                    commits.add(new Commit(number, begun, acknowledged));
                }
            }
        } catch (SQLException e) {
            failure = e;
        }
    }

    public List<Commit> commits() {
        synchronized (commits) {
            return List.copyOf(commits);
        }
    }

    /** Waits until so many more commits are acknowledged. */
    public void awaitMore(int count) throws InterruptedException, SQLException {
        int wanted = commits().size() + count;
        while (commits().size() < wanted) {
            var failed = failure;
            if (failed != null) {
                throw failed;
            }
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    /** The longest a commit took that was under way at some time between the two. */
    public Duration worstBetween(long fromNanos, long toNanos) {
        return Duration.ofNanos(worstNanosBetween(commits(), fromNanos, toNanos));
    }

    public static long worstNanosBetween(List<Commit> commits, long fromNanos, long toNanos) {
        return commits.stream()
                .filter(commit -> commit.acknowledgedNanos() > fromNanos && commit.begunNanos() < toNanos)
                .mapToLong(commit -> commit.acknowledgedNanos() - commit.begunNanos())
                .max()
                .orElse(0);
    }

    @Override
    public void close() throws SQLException {
        stopping = true;
        try {
            thread.join(END_LIMIT_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        var failed = failure;
        if (failed != null) {
            throw failed;
        }
    }
}
