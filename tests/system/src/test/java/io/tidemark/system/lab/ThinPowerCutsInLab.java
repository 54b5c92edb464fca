package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The power fails at any write while recovery points of a mounted ext4 are cut and deleted: each listed one is whole. */
@InLab
class ThinPowerCutsInLab {
    private static final long VOLUME_BYTES = 64 << 20;
    private static final int CUTS = 7;
    /** So many recovery points stay; older ones are deleted while the file is written. */
    private static final int KEPT = 2;

    private static final int RECORDS_BETWEEN = 20;
    private static final String FILE = "records";

    @Test
    void listedRecoveryPointsOfAnExt4AreWholeWhereverThePowerFails() throws Exception {
        var cuts = PowerCuts.begin("160M", VOLUME_BYTES);
        try (var provider = cuts.open()) {
            try (var writer = Records.start(cuts.mountPoint().resolve(FILE))) {
                writer.awaitMore(RECORDS_BETWEEN);
                cuts.ready();
                for (int number = 1; number <= CUTS; number++) {
                    cuts.cut(provider, "rp-" + number, number % 2 == 0, writer);
                    writer.awaitMore(RECORDS_BETWEEN);
                    if (number > KEPT) {
                        cuts.delete(provider, "rp-" + (number - KEPT));
                    }
                }
            }
            cuts.hold(provider, "rp-" + CUTS);
        }
        cuts.end();
        cuts.replay(mountPoint -> Records.lastIn(mountPoint.resolve(FILE)));
    }

    /** Appends numbered records, each durable before the next. */
    private static final class Records implements PowerCuts.Sequence, AutoCloseable {
        private static final int BYTES = 512;
        /** So that the log holds many changes of the pool, and not only the file's. */
        private static final Duration PAUSE = Duration.ofMillis(10);

        private static final Duration LIMIT = Duration.ofMinutes(2);

        private final Thread thread;
        private volatile boolean stopping;
        private volatile long begun;
        private volatile long acknowledged;

        private Records(Path file) {
            thread = Thread.ofPlatform().name("records").unstarted(() -> write(file));
        }

        static Records start(Path file) {
            var records = new Records(file);
            records.thread.start();
            return records;
        }

        private void write(Path file) {
            try (var channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                for (long number = 1; !stopping; number++) {
                    begun = number;
                    channel.write(record(number), (number - 1) * BYTES);
                    channel.force(true);
                    acknowledged = number;
                    Thread.sleep(PAUSE);
                }
            } catch (IOException | InterruptedException e) {
                throw new AssertionError("writer failed", e);
            }
        }

        private static ByteBuffer record(long number) {
            var bytes = ByteBuffer.allocate(BYTES);
            while (bytes.hasRemaining()) {
                bytes.putLong(number);
            }
            return bytes.flip();
        }

        /** The last one, if the file holds each from the first on and nothing else. */
        static long lastIn(Path file) throws IOException {
            var bytes = ByteBuffer.wrap(Files.readAllBytes(file));
            long whole = bytes.limit() / BYTES;
            for (long number = 1; number <= whole; number++) {
                assertThat(bytes.slice(Math.toIntExact((number - 1) * BYTES), BYTES))
                        .as("record %d", number)
                        .isEqualTo(record(number));
            }
            assertThat(bytes.limit() % BYTES).as("bytes of half a record").isZero();
            return whole;
        }

        void awaitMore(int count) throws InterruptedException {
            long wanted = acknowledged + count;
            long started = System.nanoTime();
            while (acknowledged < wanted) {
                assertThat(thread.isAlive()).as("the writer writes").isTrue();
                assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(LIMIT);
                Thread.sleep(PAUSE);
            }
        }

        @Override
        public long acknowledged() {
            return acknowledged;
        }

        @Override
        public long begun() {
            return begun;
        }

        @Override
        public void close() throws InterruptedException {
            stopping = true;
            thread.join(LIMIT);
            assertThat(thread.isAlive()).as("the writer has ended").isFalse();
        }
    }
}
