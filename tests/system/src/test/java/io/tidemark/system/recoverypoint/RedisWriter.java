package io.tidemark.system.recoverypoint;

import io.tidemark.system.ground.RedisServer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.exceptions.JedisException;

/** Writes 1, 2, 3, ... each in one transaction to a list and a key, and remembers when each was begun and answered. */
final class RedisWriter implements AutoCloseable {
    static final String LAST = "sequence-last";
    static final String ALL = "sequence-all";

    private static final long END_LIMIT_MILLIS = 30_000;
    private static final long WAIT_LIMIT_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final RedisServer server;
    private final List<Write> writes = new ArrayList<>();
    private final Thread thread = Thread.ofPlatform().name("redis-writer").unstarted(this::write);
    private volatile boolean stopping;
    private volatile @Nullable JedisException failure;

    /** Times are {@code System.nanoTime()}. */
    record Write(long number, long begunNanos, long acknowledgedNanos) {}

    private RedisWriter(RedisServer server) {
        this.server = server;
    }

    static RedisWriter start(RedisServer server) {
        try (var client = server.connect()) {
            client.flushAll();
        }
        var writer = new RedisWriter(server);
        writer.thread.start();
        return writer;
    }

    private void write() {
        try (var client = server.connect()) {
            for (long number = 1; !stopping; number++) {
                long begun = System.nanoTime();
                try (var transaction = client.multi()) {
                    var unusedLength = transaction.rpush(ALL, Long.toString(number));
                    var unusedAnswer = transaction.set(LAST, Long.toString(number));
                    var unusedAnswers = transaction.exec();
                }
                long acknowledged = System.nanoTime();
                synchronized (writes) {
                    writes.add(new Write(number, begun, acknowledged));
                }
            }
        } catch (JedisException e) {
            failure = e;
        }
    }

    List<Write> writes() {
        synchronized (writes) {
            return List.copyOf(writes);
        }
    }

    /** Waits until so many more are acknowledged. */
    void awaitMore(int count) throws InterruptedException {
        int wanted = writes().size() + count;
        long started = System.nanoTime();
        while (writes().size() < wanted) {
            throwFailure();
            if (System.nanoTime() - started > WAIT_LIMIT_NANOS) {
                throw new AssertionError("no %d writes within a minute".formatted(count));
            }
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    private void throwFailure() {
        var failed = failure;
        if (failed != null) {
            throw failed;
        }
    }

    @Override
    public void close() {
        stopping = true;
        try {
            thread.join(END_LIMIT_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throwFailure();
    }
}
