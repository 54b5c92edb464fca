package io.tidemark.nativeblock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The thaw guard on real ext4 file systems: whatever dies, nothing stays frozen. */
@Timeout(value = 90, unit = TimeUnit.SECONDS)
final class ThawGuardTest {
    private static final int MEBIBYTES = 32;
    private static final long LONG_LIMIT_MILLIS = 20_000;
    private static final long SHORT_LIMIT_MILLIS = 1_500;

    /** What the guard promises beyond the limit, in the kernel's thaw too. */
    private static final long OVERRUN_NANOS = 100_000_000;

    /** Until a thaw by another process must have been seen. */
    private static final long SEEN_WITHIN_MILLIS = 5_000;

    private static final long POLL_MILLIS = 20;

    private static final int EBUSY = 16;
    private static final int ETIMEDOUT = 110;

    private static GuardProcess guard(long limitMillis, Path... mounts) throws IOException {
        var program = BlockKernels.thawGuard();
        assumeTrue(program.isPresent(), "no thaw-guard in this build");
        return new GuardProcess(program.orElseThrow(), limitMillis, mounts);
    }

    private static LoopFileSystem ext4() throws IOException {
        return LoopFileSystem.make("ext4", MEBIBYTES);
    }

    private static void assertThawsSoon(LoopFileSystem fileSystem) throws InterruptedException {
        awaitThat("thawed", () -> !fileSystem.isFrozen());
    }

    private static void awaitThat(String what, BooleanSupplier holds) throws InterruptedException {
        for (long waited = 0; !holds.getAsBoolean(); waited += POLL_MILLIS) {
            assertThat(waited).as(what).isLessThan(SEEN_WITHIN_MILLIS);
            Thread.sleep(POLL_MILLIS);
        }
    }

    private static String readProc(ProcessHandle process, String name) {
        try {
            return Files.readString(Path.of("/proc/%d/%s".formatted(process.pid(), name)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void freezesInOrderHoldsAndThawsInReverse() throws Exception {
        try (var first = ext4();
                var second = ext4();
                var guard = guard(LONG_LIMIT_MILLIS, first.mount(), second.mount())) {
            guard.freeze(2);
            assertThat(first.isFrozen()).isTrue();
            assertThat(second.isFrozen()).isTrue();
            guard.send("ask");
            guard.next("held");

            guard.send("thaw");

            var secondThawed = guard.next("thawed");
            var firstThawed = guard.next("thawed");
            assertThat(secondThawed).startsWith("thawed", "1").endsWith("1");
            assertThat(firstThawed).startsWith("thawed", "0").endsWith("1");
            assertThat(Long.parseLong(secondThawed[3])).isLessThanOrEqualTo(Long.parseLong(firstThawed[2]));
            guard.next("done");
            assertThat(guard.exit()).isZero();
            assertThat(guard.outputEnded()).isTrue();
            assertThat(first.isFrozen()).isFalse();
            assertThat(second.isFrozen()).isFalse();
        }
    }

    @Test
    void timesAreThoseOfSystemNanoTime() throws Exception {
        try (var fileSystem = ext4();
                var guard = guard(LONG_LIMIT_MILLIS, fileSystem.mount())) {
            long before = System.nanoTime();

            long requested = guard.freeze(1);

            assertThat(requested).isBetween(before, System.nanoTime());
        }
    }

    @Test
    void endOfInputThaws() throws Exception {
        try (var fileSystem = ext4();
                var guard = guard(LONG_LIMIT_MILLIS, fileSystem.mount())) {
            guard.freeze(1);

            guard.endInput();

            assertThat(guard.exit()).isZero();
            assertThat(fileSystem.isFrozen()).isFalse();
        }
    }

    @Test
    void terminationThaws() throws Exception {
        try (var fileSystem = ext4();
                var guard = guard(LONG_LIMIT_MILLIS, fileSystem.mount())) {
            guard.freeze(1);

            guard.signal("TERM");

            assertThat(guard.next("thawed")).endsWith("0");
            assertThat(guard.exit()).isZero();
            assertThat(fileSystem.isFrozen()).isFalse();
        }
    }

    @Test
    void keysOfATerminalDoNotEndIt() throws Exception {
        try (var fileSystem = ext4();
                var guard = guard(LONG_LIMIT_MILLIS, fileSystem.mount())) {
            guard.freeze(1);

            guard.signal("INT");
            guard.signal("HUP");
            guard.signal("QUIT");
            guard.signal("TSTP");

            guard.send("ask");
            guard.next("held");
        }
    }

    @Test
    void limitThawsInTimeAndSaysSo() throws Exception {
        try (var first = ext4();
                var second = ext4();
                var guard = guard(SHORT_LIMIT_MILLIS, first.mount(), second.mount())) {
            long requested = guard.freeze(2);
            long limit = requested + TimeUnit.MILLISECONDS.toNanos(SHORT_LIMIT_MILLIS);

            var expired = guard.next("expired");

            assertThat(Long.parseLong(expired[1])).isLessThanOrEqualTo(limit + OVERRUN_NANOS);
            guard.send("ask");
            assertThat(guard.next("expired")).isEqualTo(expired);
            guard.send("thaw");
            for (int i = 0; i < 2; i++) {
                var thawed = guard.next("thawed");
                assertThat(thawed).endsWith("0");
                assertThat(Long.parseLong(thawed[3])).isLessThanOrEqualTo(limit + OVERRUN_NANOS);
            }
            guard.next("done");
            assertThat(guard.exit()).isZero();
        }
    }

    @Test
    void sentinelThawsWhenTheGuardIsKilled() throws Exception {
        try (var first = ext4();
                var second = ext4();
                var guard = guard(LONG_LIMIT_MILLIS, first.mount(), second.mount())) {
            guard.freeze(2);
            var sentinel = guard.sentinel();

            guard.signal("KILL");

            assertThawsSoon(first);
            assertThawsSoon(second);
            assertThat(guard.outputEnded()).isTrue();
            sentinel.onExit().get(SEEN_WITHIN_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    @Test
    void sentinelKeepsTheLimitOfAGuardThatIsStopped() throws Exception {
        try (var fileSystem = ext4();
                var guard = guard(SHORT_LIMIT_MILLIS, fileSystem.mount())) {
            long requested = guard.freeze(1);
            guard.signal("STOP");

            assertThawsSoon(fileSystem);

            guard.signal("CONT");
            long limit = requested + TimeUnit.MILLISECONDS.toNanos(SHORT_LIMIT_MILLIS);
            assertThat(Long.parseLong(guard.next("expired")[1])).isLessThanOrEqualTo(limit + OVERRUN_NANOS);
            guard.send("thaw");
            assertThat(guard.next("thawed")).endsWith("0");
            guard.next("done");
        }
    }

    @Test
    void guardThawsWhenItsSentinelIsKilledAndSaysThatItHasNotHeld() throws Exception {
        try (var first = ext4();
                var second = ext4();
                var guard = guard(LONG_LIMIT_MILLIS, first.mount(), second.mount())) {
            guard.freeze(2);

            guard.sentinel().destroyForcibly();

            guard.next("expired");
            assertThat(first.isFrozen()).isFalse();
            assertThat(second.isFrozen()).isFalse();
            guard.send("thaw");
            assertThat(guard.next("thawed")).endsWith("0");
            assertThat(guard.next("thawed")).endsWith("0");
            guard.next("done");
            assertThat(guard.exit()).isZero();
        }
    }

    @Test
    void entryIsLockedWhileGuardOrSentinelLives() throws Exception {
        var calls = BlockKernels.hostCalls();
        assumeTrue(calls.isPresent(), "no native library in this build");
        try (var fileSystem = ext4();
                var guard = guard(LONG_LIMIT_MILLIS, fileSystem.mount())) {
            guard.next("ready");
            var sentinel = guard.sentinel();
            LoopFileSystem.run("kill", "-STOP", Long.toString(sentinel.pid()));
            assertThat(isLocked(calls.orElseThrow(), guard.entry())).isTrue();

            guard.signal("KILL");
            guard.exit();

            assertThat(isLocked(calls.orElseThrow(), guard.entry()))
                    .as("the sentinel lives")
                    .isTrue();
            LoopFileSystem.run("kill", "-CONT", Long.toString(sentinel.pid()));
            awaitThat("free", () -> !isLocked(calls.orElseThrow(), guard.entry()));
        }
    }

    private static boolean isLocked(HostCalls calls, Path file) {
        try (var lock = calls.lock(file)) {
            return false;
        } catch (HostCallException e) {
            return e.errno() == HostCallException.EAGAIN;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void guardWithoutItsSentinelDoesNotFreeze() throws Exception {
        try (var fileSystem = ext4();
                var guard = guard(LONG_LIMIT_MILLIS, fileSystem.mount())) {
            guard.next("ready");
            var sentinel = guard.sentinel();
            sentinel.destroyForcibly();
            // A killed child that nobody has waited for has no arguments left.
            awaitThat("sentinel is dead", () -> readProc(sentinel, "cmdline").isEmpty());

            guard.send("freeze");

            assertThat(guard.next("failed")).startsWith("failed", "-1");
            assertThat(fileSystem.isFrozen()).isFalse();
        }
    }

    @Test
    void freezeThatSomebodyElseHoldsFailsAndThawsTheOthers() throws Exception {
        try (var first = ext4();
                var second = ext4();
                var guard = guard(LONG_LIMIT_MILLIS, first.mount(), second.mount())) {
            LoopFileSystem.run("fsfreeze", "-f", second.mount().toString());
            guard.next("ready");

            guard.send("freeze");

            guard.next("frozen");
            assertThat(guard.next("failed")).containsExactly("failed", "1", Integer.toString(EBUSY));
            assertThat(first.isFrozen()).isFalse();
            assertThat(second.isFrozen()).as("the other's freeze stands").isTrue();
            guard.send("ask");
            assertThat(guard.next("expired")).endsWith("0");
        }
    }

    /** The second file system lives in an image on the first: flushing it waits for ever while that is frozen. */
    @Test
    void freezeThatBlocksPastTheLimitIsUndone() throws Exception {
        try (var lower = LoopFileSystem.make("ext4", 4 * MEBIBYTES);
                var upper = LoopFileSystem.make("ext4", MEBIBYTES, lower.mount());
                var guard = guard(SHORT_LIMIT_MILLIS, lower.mount(), upper.mount())) {
            guard.next("ready");
            Files.write(upper.mount().resolve("dirty"), BlockKernelContract.random(1, 4 << 20));

            guard.send("freeze");

            guard.next("frozen");
            assertThat(guard.next("failed")).containsExactly("failed", "1", Integer.toString(ETIMEDOUT));
            assertThawsSoon(lower);
            assertThawsSoon(upper);
            guard.send("thaw");
            for (var words = guard.next(); !words[0].equals("done"); words = guard.next()) {
                assertThat(words).startsWith("thawed").endsWith("0");
            }
            assertThat(guard.exit()).isZero();
        }
    }

    @Test
    void endOfInputDuringAFreezeThatBlocksThawsAll() throws Exception {
        try (var lower = LoopFileSystem.make("ext4", 4 * MEBIBYTES);
                var upper = LoopFileSystem.make("ext4", MEBIBYTES, lower.mount());
                var guard = guard(LONG_LIMIT_MILLIS, lower.mount(), upper.mount())) {
            guard.next("ready");
            Files.write(upper.mount().resolve("dirty"), BlockKernelContract.random(2, 4 << 20));
            guard.send("freeze");
            guard.next("frozen");

            guard.endInput();

            assertThat(guard.exit()).isZero();
            assertThat(lower.isFrozen()).isFalse();
            assertThat(upper.isFrozen()).isFalse();
        }
    }

    @Test
    void killDuringAFreezeThatBlocksThawsAll() throws Exception {
        try (var lower = LoopFileSystem.make("ext4", 4 * MEBIBYTES);
                var upper = LoopFileSystem.make("ext4", MEBIBYTES, lower.mount());
                var guard = guard(SHORT_LIMIT_MILLIS, lower.mount(), upper.mount())) {
            guard.next("ready");
            Files.write(upper.mount().resolve("dirty"), BlockKernelContract.random(3, 4 << 20));
            guard.send("freeze");
            guard.next("frozen");

            guard.signal("KILL");

            assertThawsSoon(lower);
            assertThawsSoon(upper);
        }
    }

    @Test
    void thawByAnotherHandIsNotCalledHeld() throws Exception {
        try (var fileSystem = ext4();
                var guard = guard(LONG_LIMIT_MILLIS, fileSystem.mount())) {
            guard.freeze(1);
            LoopFileSystem.run("fsfreeze", "-u", fileSystem.mount().toString());

            guard.send("thaw");

            assertThat(guard.next("thawed")).endsWith("0");
        }
    }

    @Test
    void pathThatCannotBeOpenedIsRefusedByIndex(@TempDir Path folder) throws Exception {
        assumeTrue(LoopFileSystem.run("id", "-u").equals("0"), "not root");
        try (var guard = guard(LONG_LIMIT_MILLIS, folder, folder.resolve("absent"))) {
            assertThat(guard.next("refused")).containsExactly("refused", "1", "2");
            assertThat(guard.exit()).isEqualTo(2);
        }
    }

    @Test
    void secondFreezeAndWordsItDoesNotKnowChangeNothing() throws Exception {
        try (var fileSystem = ext4();
                var guard = guard(LONG_LIMIT_MILLIS, fileSystem.mount())) {
            guard.freeze(1);

            guard.send("freeze");
            assertThat(guard.next("failed")).startsWith("failed", "-1");
            guard.send("melt " + "x".repeat(1000));
            guard.next("unknown");

            guard.send("ask");
            guard.next("held");
        }
    }

    @Test
    void badArgumentsAreAUsageError(@TempDir Path folder) throws Exception {
        for (long limitMillis : new long[] {0, -1, 3_600_001, Long.MAX_VALUE}) {
            try (var guard = guard(limitMillis, folder)) {
                assertThat(guard.exit()).isEqualTo(64);
            }
        }
        try (var guard = guard(LONG_LIMIT_MILLIS)) {
            assertThat(guard.exit()).isEqualTo(64);
        }
    }

    /** A sentinel that kept the guard's output open would hide from the parent that the guard is gone. */
    @Test
    void outputEndsWithTheGuard() throws Exception {
        try (var fileSystem = ext4();
                var guard = guard(LONG_LIMIT_MILLIS, fileSystem.mount())) {
            guard.next("ready");
            guard.sentinel();

            guard.signal("KILL");

            assertThat(guard.outputEnded()).isTrue();
        }
    }
}
