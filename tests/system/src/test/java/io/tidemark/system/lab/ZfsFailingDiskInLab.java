package io.tidemark.system.lab;

import static io.tidemark.system.lab.LabAssertions.assertOnly;
import static io.tidemark.system.lab.LabAssertions.error;
import static io.tidemark.system.lab.ZfsFaultsInLab.assertToldOfAll;
import static io.tidemark.system.lab.ZfsFaultsInLab.assertWhole;
import static io.tidemark.system.lab.ZfsFaultsInLab.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What the provider of ZFS's volumes answers when the pool's one disk fails, which suspends the pool, and comes back. */
@InLab
class ZfsFailingDiskInLab {
    private static final long VOLUME_BYTES = 64 << 20;
    private static final int CHUNKS = 16;
    private static final HoldOwner OWNER = new HoldOwner("someone");

    /** ZFS writes what changed after 5 s; the guest may have to wait for a core. */
    private static final Duration SUSPENDED_WITHIN = Duration.ofMinutes(1);

    private static final Duration LOOK_AGAIN = Duration.ofMillis(200);
    private static final Duration ENDS_WITHIN = Duration.ofMinutes(2);

    /** A pool on a disk that can be made to fail; it is made whole at the end, for nothing that waits for it can be ended. */
    private record Failing(String mapped, String disk, long sectors, LabZpool pool) implements AutoCloseable {
        static Failing make(String failmode) throws IOException {
            var disk = LabPool.nextDisk();
            var mapped = "failing-" + failmode + disk.charAt(disk.length() - 1);
            long sectors = Long.parseLong(Programs.run("blockdev", "--getsz", disk));
            Programs.run("dmsetup", "create", mapped, "--table", linear(sectors, disk));
            var pool = LabZpool.on("/dev/mapper/" + mapped, "-o failmode=" + failmode);
            return new Failing(mapped, disk, sectors, pool);
        }

        private static String linear(long sectors, String disk) {
            return "0 %d linear %s 0".formatted(sectors, disk);
        }

        void fail() throws IOException {
            table("0 %d error".formatted(sectors));
        }

        /** As docs/design/zfs-provider.md tells the operator. */
        void repair() throws IOException {
            table(linear(sectors, disk));
            Programs.run("zpool", "clear", pool.name());
        }

        private void table(String line) throws IOException {
            Programs.run("dmsetup", "suspend", "--noflush", mapped);
            Programs.run("dmsetup", "load", mapped, "--table", line);
            Programs.run("dmsetup", "resume", mapped);
        }

        void awaitSuspended() throws Exception {
            long started = System.nanoTime();
            while (!Programs.attempt(List.of("zfs", "list", pool.name()))
                    .output()
                    .contains("suspended")) {
                assertThat(System.nanoTime() - started)
                        .as("nanoseconds without a suspended pool")
                        .isLessThan(SUSPENDED_WITHIN.toNanos());
                Thread.sleep(LOOK_AGAIN);
            }
        }

        @Override
        public void close() throws IOException {
            repair();
        }
    }

    @Test
    void suspendedPoolAnswersAtOnceAndGoesOnOnceTheDiskIsBack() throws Exception {
        answersWhileSuspended("wait");
    }

    @Test
    void poolThatGoesOnReadingAnswersTheSame() throws Exception {
        answersWhileSuspended("continue");
    }

    private static void answersWhileSuspended(String failmode) throws Exception {
        try (var threads = Executors.newCachedThreadPool();
                var failing = Failing.make(failmode);
                var provider = failing.pool().open()) {
            var volume = provider.create(LabZpool.volume("a"), VOLUME_BYTES).id();
            LabPool.fill(provider, volume, 0, CHUNKS, 1);
            var snapshot = LabPool.cut(provider, volume, "rp-1");
            var underWay = request("rp-2", volume);
            var later = request("rp-3", volume);
            provider.prepare(underWay);
            provider.prepare(later);

            failing.fail();
            var waiting = threads.submit(() -> provider.cut(underWay));
            failing.awaitSuspended();

            error(ProviderError.Unexpected.class, () -> provider.cut(later));
            assertToldOfAll(provider, volume, snapshot, "suspended");
            assertThat(waiting.isDone()).as("the cut that was under way").isFalse();
            failing.repair();

            var cut = waiting.get(ENDS_WITHIN.toSeconds(), TimeUnit.SECONDS);
            var second = cut.members().getFirst().snapshot().id();
            assertOnly(provider, List.of(snapshot, second), List.of(volume));
            assertWhole(provider, snapshot, 1);
            assertWhole(provider, second, 1);
            writerWaits(failing, threads, provider, volume);
        }
    }

    private static void writerWaits(Failing failing, ExecutorService threads, StorageProvider provider, VolumeId volume)
            throws Exception {
        try (var writer = provider.write(volume)) {
            for (int chunk = 0; chunk < CHUNKS; chunk++) {
                writer.write((long) chunk * LabPool.CHUNK_BYTES, LabPool.chunkOf(2));
            }
            failing.fail();
            Future<?> waiting = threads.submit(() -> {
                writer.flush();
                return true;
            });
            failing.awaitSuspended();
            assertThat(waiting.isDone()).as("the flush that was under way").isFalse();
            failing.repair();
            // Nothing that was written is lost.
            waiting.get(ENDS_WITHIN.toSeconds(), TimeUnit.SECONDS);
        }
        assertWhole(provider, LabPool.cut(provider, volume, "rp-4"), 2);
    }

    /** Which ZFS may do later, at any time. */
    @Test
    void programThatWaitsForTheDiskIsGivenUpAtItsLimit() throws Exception {
        try (var failing = Failing.make("wait");
                var provider = failing.pool().open()) {
            var volume = provider.create(LabZpool.volume("a"), VOLUME_BYTES).id();
            LabPool.fill(provider, volume, 0, CHUNKS, 1);
            var snapshot = LabPool.cut(provider, volume, "rp-1");
            Programs.run("zpool", "sync", failing.pool().name());

            failing.fail();
            assertThat(error(ProviderError.Unexpected.class, () -> provider.hold(snapshot, OWNER))
                            .answer())
                    .contains("did not end within");
            failing.repair();

            assertWhole(provider, snapshot, 1);
            assertHeldOnce(provider, snapshot);
        }
    }

    private static void assertHeldOnce(StorageProvider provider, SnapshotId snapshot) throws ProviderException {
        provider.hold(snapshot, OWNER);
        error(ProviderError.Held.class, () -> provider.delete(snapshot));
        provider.release(snapshot, OWNER);
        provider.delete(snapshot);
    }
}
