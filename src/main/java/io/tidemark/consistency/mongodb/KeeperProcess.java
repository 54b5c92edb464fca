package io.tidemark.consistency.mongodb;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.domain.QuiescerSpec;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A process of its own that locks one server and, whatever becomes of the service, unlocks it: at its word, at its
 * end, or at the limit. It logs in before it says {@code ready}; what it needs of this program it has read by then.
 * It ends by itself.
 *
 * <p>Standard input: {@code setting NAME VALUE} for each setting, {@code open}; then {@code lock FILE PROCESS FSYNCS
 * UNLOCKS MILLIS MILLIS}, of the journal's entry, the server before, the lock's and the whole limit; then {@code
 * unlock}. Standard output: {@code ready}, or {@code failed WHY}; {@code locked}, or {@code failed WHY}; {@code
 * unlocking} before each try to let go; once nothing is left {@code unlocked REASON HOW}, with reason {@code asked},
 * {@code gone}, {@code limit} or {@code failed}, or {@code stuck WHY}. Values are percent-encoded.
 */
final class KeeperProcess {
    static final String SETTING = "setting";
    static final String OPEN = "open";
    static final String LOCK = "lock";
    static final String UNLOCK = "unlock";
    static final String READY = "ready";
    static final String FAILED = "failed";
    static final String LOCKED = "locked";
    static final String UNLOCKING = "unlocking";
    static final String UNLOCKED = "unlocked";
    static final String STUCK = "stuck";
    static final String ASKED = "asked";

    /** Nobody says this: the service has ended, or wants no more. */
    private static final String GONE = "";

    private static final int LOCK_WORDS = 7;
    /** A service that takes longer from the freeze to the hold than this has been stopped for good. */
    private static final Duration LOCK_AWAITED = Duration.ofHours(1);

    /** From the first attempt to unlock: a server that does not answer for so long is left to the service. */
    static final Duration ATTEMPTS_LIMIT = Duration.ofMinutes(10);

    private final BlockingQueue<String> words;
    private final PrintStream service;

    private KeeperProcess(BlockingQueue<String> words, PrintStream service) {
        this.words = words;
        this.service = service;
    }

    /** No arguments. */
    public static void main(String[] arguments) throws InterruptedException {
        var service = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        // Whatever else is printed is none of what the service reads.
        System.setOut(System.err);
        var words = new LinkedBlockingQueue<String>();
        Thread.ofPlatform().daemon().start(() -> read(words));
        new KeeperProcess(words, service).run();
        // Threads of the driver keep nobody waiting.
        System.exit(0);
    }

    private static void read(BlockingQueue<String> words) {
        try (var reader = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (var line = reader.readLine(); line != null; line = reader.readLine()) {
                words.add(line);
            }
        } catch (IOException e) {
            // The pipe broke, which is the end of the service like any other.
            words.add(GONE);
        }
        words.add(GONE);
    }

    private void say(String word, String... values) {
        var line = new StringBuilder(word);
        for (var value : values) {
            line.append(' ').append(LockJournal.encode(value));
        }
        service.println(line);
    }

    private void run() throws InterruptedException {
        var settings = new HashMap<String, String>();
        for (var line = words.take(); !line.equals(OPEN); line = words.take()) {
            var parts = line.split(" ", -1);
            if (!parts[0].equals(SETTING)) {
                return;
            }
            settings.put(parts[1], LockJournal.decode(parts[2]));
        }
        try {
            var read = MongoDbSettings.of(new QuiescerSpec(MongoDbSettings.KIND, settings));
            try (var session = MongoDbSession.open(read)) {
                // Logs in, and has the driver read all of itself that it needs for the rest.
                say(READY, LockState.of(session, read.answerLimit()).process());
                var line = words.poll(LOCK_AWAITED.toMillis(), TimeUnit.MILLISECONDS);
                var parts = line == null ? new String[0] : line.split(" ", -1);
                if (parts.length == LOCK_WORDS && parts[0].equals(LOCK)) {
                    keep(session, read.answerLimit(), Order.of(parts));
                }
            }
        } catch (ConsistencyException e) {
            say(FAILED, String.valueOf(e.getMessage()));
        } catch (IOException e) {
            say(FAILED, MongoDbFailures.reason(e));
        }
    }

    private record Order(Path entry, LockState before, Duration lockLimit, Duration limit) {
        static Order of(String[] parts) {
            return new Order(
                    Path.of(LockJournal.decode(parts[1])),
                    new LockState(
                            LockJournal.decode(parts[2]), false, Long.parseLong(parts[3]), Long.parseLong(parts[4])),
                    Duration.ofMillis(Long.parseLong(parts[5])),
                    Duration.ofMillis(Long.parseLong(parts[6])));
        }
    }

    private void keep(MongoDbSession session, Duration answerLimit, Order order)
            throws IOException, InterruptedException {
        long ends = System.nanoTime() + order.limit().toNanos();
        // Locked while this lives: a service that is started again waits for it.
        try (var channel = FileChannel.open(order.entry(), StandardOpenOption.READ, StandardOpenOption.WRITE);
                var lock = channel.tryLock()) {
            if (lock == null) {
                say(FAILED, "its journal is locked by somebody else");
                return;
            }
            var taken = take(session, order);
            var reason = taken == Taken.YES ? awaitEnd(ends) : FAILED;
            if (taken == Taken.NO) {
                end(order, reason, "it was not locked");
            } else {
                release(session, order, taken == Taken.YES, reason, answerLimit);
            }
        }
    }

    private enum Taken {
        YES,
        NO,
        /** It may be, or be locked later. */
        UNKNOWN
    }

    private Taken take(MongoDbSession session, Order order) {
        try {
            long count = FsyncLock.take(session, order.lockLimit());
            if (count == 1) {
                say(LOCKED);
                return Taken.YES;
            }
            say(FAILED, "somebody else locked it at the same time: it is locked %d times".formatted(count));
            return Taken.UNKNOWN;
        } catch (MongoDbSession.Refused e) {
            say(FAILED, MongoDbFailures.reason(e));
            return e.locksNothing() ? Taken.NO : Taken.UNKNOWN;
        } catch (IOException e) {
            say(FAILED, MongoDbFailures.reason(e));
            return Taken.UNKNOWN;
        }
    }

    private String awaitEnd(long ends) throws InterruptedException {
        var word = words.poll(ends - System.nanoTime(), TimeUnit.NANOSECONDS);
        return word == null ? "limit" : word.equals(UNLOCK) ? ASKED : "gone";
    }

    private void release(MongoDbSession session, Order order, boolean taken, String reason, Duration answerLimit)
            throws InterruptedException {
        var lock = new OurLock(order.before(), taken);
        long began = System.nanoTime();
        @Nullable IOException failure = null;
        while (System.nanoTime() - began < ATTEMPTS_LIMIT.toNanos()) {
            try {
                end(order, reason, lock.release(session, answerLimit, () -> say(UNLOCKING)));
                return;
            } catch (IOException e) {
                failure = e;
                TimeUnit.NANOSECONDS.sleep(OurLock.BETWEEN.toNanos());
            }
        }
        say(STUCK, failure == null ? "" : MongoDbFailures.reason(failure));
    }

    /** An entry that cannot be removed is removed by the service, or once somebody finds the server unlocked. */
    private void end(Order order, String reason, String how) {
        try {
            Files.deleteIfExists(order.entry());
        } catch (IOException e) {
            say(UNLOCKED, reason, how);
            return;
        }
        say(UNLOCKED, reason, how);
    }
}
