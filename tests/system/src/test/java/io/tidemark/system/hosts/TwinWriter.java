package io.tidemark.system.hosts;

import io.tidemark.system.ground.SqlServer;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Commits a number on the first host, and only then its twin on the second. */
final class TwinWriter implements AutoCloseable {
    static final String TABLE = "twins";
    private static final long END_LIMIT_MILLIS = 60_000;

    private final SqlServer first;
    private final SqlServer second;
    private final AtomicLong pairs = new AtomicLong();
    private final AtomicLong slowestNanos = new AtomicLong();
    private final AtomicReference<@Nullable SQLException> failure = new AtomicReference<>();
    private final Thread thread = Thread.ofPlatform().name("twin-writer").unstarted(this::write);
    private volatile boolean stopping;

    TwinWriter(SqlServer first, SqlServer second) throws SQLException {
        this.first = first;
        this.second = second;
        for (var server : new SqlServer[] {first, second}) {
            server.execute("CREATE TABLE IF NOT EXISTS %s (number bigint PRIMARY KEY)".formatted(TABLE));
            server.execute("TRUNCATE " + TABLE);
        }
        thread.start();
    }

    private void write() {
        try (var one = first.connect();
                var two = second.connect();
                var insertOne = one.prepareStatement("INSERT INTO %s VALUES (?)".formatted(TABLE));
                var insertTwo = two.prepareStatement("INSERT INTO %s VALUES (?)".formatted(TABLE))) {
            for (long number = 1; !stopping; number++) {
                long begun = System.nanoTime();
                insertOne.setLong(1, number);
                insertOne.executeUpdate();
                insertTwo.setLong(1, number);
                insertTwo.executeUpdate();
                pairs.set(number);
                slowestNanos.accumulateAndGet(System.nanoTime() - begun, Math::max);
            }
        } catch (SQLException e) {
            failure.set(e);
        }
    }

    /** Acknowledged on both. */
    long pairs() {
        return pairs.get();
    }

    /** The longest that a pair took since this was asked last. */
    Duration slowest() {
        return Duration.ofNanos(slowestNanos.getAndSet(0));
    }

    /** Both databases take commits: within the limit so many pairs more are there. */
    void awaitMore(int count, Duration limit) throws SQLException, InterruptedException {
        long wanted = pairs() + count;
        long until = System.nanoTime() + limit.toNanos();
        while (pairs() < wanted) {
            var failed = failure.get();
            if (failed != null) {
                throw failed;
            }
            if (System.nanoTime() > until) {
                throw new AssertionError("no %d pairs within %d ms".formatted(count, limit.toMillis()));
            }
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    @Override
    public void close() throws SQLException {
        stopping = true;
        try {
            thread.join(END_LIMIT_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        var failed = failure.get();
        if (failed != null) {
            throw failed;
        }
    }
}
