package io.tidemark.system.lab;

import io.tidemark.system.ground.Ground;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The right to run one guest of the lab. Each has one CPU, so there are two at once, of all JVMs that test this checkout: a
 * lock on a file each, which goes with its JVM. In one JVM the turns come in the order in which they were asked for.
 */
final class GuestTurn implements AutoCloseable {
    static final int AT_ONCE = 2;
    /** All guests of a class, and of another JVM's, may come before. */
    private static final Duration LIMIT = Duration.ofHours(1);

    private static final Duration PAUSE = Duration.ofMillis(100);
    private static final Semaphore OF_THIS_JVM = new Semaphore(AT_ONCE, true);
    private static final @Nullable FileLock[] LOCKS = new FileLock[AT_ONCE];

    private final int place;

    private GuestTurn(int place) {
        this.place = place;
    }

    /** From 0 to one below {@link #AT_ONCE}; no other guest that runs has it. */
    int place() {
        return place;
    }

    /** @throws IOException where there was no turn for an hour */
    static GuestTurn take() throws IOException, InterruptedException {
        if (!OF_THIS_JVM.tryAcquire(LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new IOException("no turn for a guest within " + LIMIT);
        }
        try {
            return await();
        } catch (IOException | InterruptedException | RuntimeException e) {
            OF_THIS_JVM.release();
            throw e;
        }
    }

    private static GuestTurn await() throws IOException, InterruptedException {
        long until = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            for (int place = 0; place < AT_ONCE; place++) {
                if (isTaken(place)) {
                    return new GuestTurn(place);
                }
            }
            if (System.nanoTime() > until) {
                throw new IOException("other JVMs ran guests for " + LIMIT);
            }
            Thread.sleep(PAUSE);
        }
    }

    /** @return whether it is ours now and was nobody's before */
    private static boolean isTaken(int place) throws IOException {
        synchronized (LOCKS) {
            if (LOCKS[place] != null) {
                return false;
            }
            var channel = FileChannel.open(lockFile(place), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            LOCKS[place] = channel.tryLock();
            if (LOCKS[place] == null) {
                channel.close();
            }
            return LOCKS[place] != null;
        }
    }

    private static Path lockFile(int place) throws IOException {
        var folder = Files.createDirectories(Ground.repository().resolve("tests/system/target"));
        return folder.resolve("guest-%d.lock".formatted(place));
    }

    @Override
    public void close() throws IOException {
        synchronized (LOCKS) {
            var lock = LOCKS[place];
            LOCKS[place] = null;
            if (lock != null) {
                lock.acquiredBy().close();
            }
        }
        OF_THIS_JVM.release();
    }
}
