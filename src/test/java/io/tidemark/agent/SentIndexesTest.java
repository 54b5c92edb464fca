package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.block.BlockIndexUpdate;
import io.tidemark.block.BlockIndexWriter;
import io.tidemark.block.DataPlaces;
import io.tidemark.block.ImageGeometry;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Moments;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.SyncReport;
import io.tidemark.domain.TrackingAudit;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.transport.TlsPeerConnector;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Indexes of what was sent, between two whole sites, of a storage that does not say what changed. */
@Timeout(120)
class SentIndexesTest {
    private static final int MIB = 1 << 20;
    /** The last block is short. */
    private static final long SIZE = 20L * MIB + 1_024;

    private static final VolumeId HERE = new VolumeId("memory:orders");
    private static final VolumeId THERE = new VolumeId("memory:orders-copy");
    private static final SentIndexes.Limit ROOM = new SentIndexes.Limit(1L << 30);

    @TempDir
    Path folder;

    private final MemoryAudits audits = new MemoryAudits();
    private final Map<SnapshotId, Long> readBytes = new HashMap<>();
    private final AtomicBoolean cancelled = new AtomicBoolean();
    private Path indexes;
    private PairedSites sites;
    private TestSite a;
    private TestSite b;
    private boolean tracked;

    @BeforeEach
    void copyOnce() throws Exception {
        indexes = folder.resolve("block-indexes");
        sites = PairedSites.in(folder, HERE, THERE, SIZE);
        a = sites.a();
        b = sites.b();
        a.replicator.openLink(sites.link(), sites.peer(), SIZE);
        a.writeNoise(HERE, 0, 9 * MIB, 1);
        sync("rp-1", ROOM);
    }

    @AfterEach
    void closeBoth() {
        sites.close();
    }

    /** The provider of site a, which counts what is read of each snapshot and, unless tracked, names no changes. */
    private StorageProvider untracked() {
        return Answering.otherwise(a.provider, (answer, arguments) -> {
            if (answer instanceof Volume volume && !tracked) {
                var can = EnumSet.copyOf(volume.capabilities());
                can.remove(Capability.CHANGED_RANGES);
                return new Volume(volume.id(), volume.sizeBytes(), can, Optional.empty(), List.of(), Map.of());
            }
            if (answer instanceof ChangedRanges && !tracked) {
                throw new AssertionError("asked what it cannot say");
            }
            return answer instanceof SnapshotReader reader ? counted((SnapshotId) arguments[0], reader) : answer;
        });
    }

    private SnapshotReader counted(SnapshotId snapshot, SnapshotReader reader) {
        return new SnapshotReader() {
            @Override
            public long sizeBytes() {
                return reader.sizeBytes();
            }

            @Override
            public void read(long offsetBytes, ByteBuffer target) throws io.tidemark.spi.ProviderException {
                synchronized (readBytes) {
                    readBytes.merge(snapshot, (long) target.remaining(), Long::sum);
                }
                reader.read(offsetBytes, target);
            }

            @Override
            public Optional<Path> path() {
                return reader.path();
            }

            @Override
            public void close() throws io.tidemark.spi.ProviderException {
                reader.close();
            }
        };
    }

    private long readOf(String point) {
        return readBytes.getOrDefault(new SnapshotId(HERE, new RecoveryPointId(point)), 0L);
    }

    /** Cuts, sends, and holds that the copy is right. */
    private SyncReport sync(String point, SentIndexes.Limit limit) throws Exception {
        var report = send(a.take(HERE, point), limit);
        assertThat(Arrays.equals(b.read(THERE, point), a.read(HERE, point)))
                .as("copy of %s", point)
                .isTrue();
        return report;
    }

    private SyncReport send(RecoveryPoint point, SentIndexes.Limit limit) throws Exception {
        readBytes.clear();
        var replicator = new PeerReplicator(
                new Providers(List.of(untracked())),
                new TlsPeerConnector(a.identity, TestSite.LIMITS),
                TestSite.KERNEL,
                Moments.NONE,
                System::nanoTime,
                "test",
                Optional.empty(),
                new TrackingTrust(
                        audits, TestSite.KERNEL, InstantSource.system(), new Random(1), TrackingTrust.Effort.NONE),
                InFlightBudget.unlimited(),
                new SentIndexes(indexes, TestSite.KERNEL, limit));
        var bases = List.of("rp-4", "rp-3", "rp-2", "rp-1").stream()
                .map(RecoveryPointId::new)
                .toList();
        var listener = new ProgressListener() {
            @Override
            public void progress(io.tidemark.domain.Operation.Progress progress) {}

            @Override
            public boolean cancelled() {
                return cancelled.get();
            }
        };
        return replicator.sync(sites.link(), sites.peer(), point, bases, listener);
    }

    private void assertIndexUsed(String base, SyncReport report) {
        assertThat(readOf(base)).as("read of the base").isZero();
        assertThat(report.changedRangeSource()).isEqualTo("full");
        assertThat(report.comparedBytes()).isEqualTo(SIZE);
        assertThat(report.readBytes()).isEqualTo(SIZE + report.changedBytes());
    }

    private void assertBothRead(String base) {
        assertThat(readOf(base)).as("read of the base").isEqualTo(SIZE);
    }

    private void change(int seed) throws Exception {
        a.writeNoise(HERE, (long) seed * MIB + 5_000, 10_000, seed);
        a.writeNoise(HERE, SIZE - 10, 10, seed);
    }

    private Path file(String ending) {
        return indexes.resolve("ln-1" + ending);
    }

    @Test
    void onlyTheNewerSnapshotIsReadAfterTheFirstCopy() throws Exception {
        change(2);
        assertIndexUsed("rp-1", sync("rp-2", ROOM));
        change(3);
        assertIndexUsed("rp-2", sync("rp-3", ROOM));
        assertIndexUsed("rp-3", sync("rp-4", ROOM));
    }

    @Test
    void theUpdatedIndexIsTheOneThatWouldBeMadeAnew() throws Exception {
        change(2);
        sync("rp-2", ROOM);
        var updated = Files.readAllBytes(file(".index"));
        Files.delete(file(".index"));
        sync("rp-3", ROOM);

        assertBothRead("rp-2");
        assertThat(file(".index")).hasBinaryContent(updated);
        change(4);
        assertIndexUsed("rp-3", sync("rp-4", ROOM));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"leaf", "header", "cut", "binding", "cut binding", "no binding", "no index", "another's binding"
            })
    void whatIsDamagedOrMissingIsNotUsedAndMadeAnew(String damage) throws Exception {
        damage(damage);
        change(2);

        sync("rp-2", ROOM);

        assertBothRead("rp-1");
        change(3);
        assertIndexUsed("rp-2", sync("rp-3", ROOM));
    }

    private void damage(String damage) throws IOException {
        switch (damage) {
            case "leaf" -> flip(file(".index"), 5_000);
            case "header" -> flip(file(".index"), 40);
            case "cut" -> cut(file(".index"));
            case "binding" -> flip(file(".binding"), 30);
            case "cut binding" -> cut(file(".binding"));
            case "no binding" -> Files.delete(file(".binding"));
            case "no index" -> Files.delete(file(".index"));
            case "another's binding" -> {
                var binding = IndexBinding.decode(ByteBuffer.wrap(Files.readAllBytes(file(".binding"))));
                var other = new IndexBinding(
                        new LinkId("ln-2"), binding.snapshot(), binding.sizeBytes(), binding.epoch(), binding.root());
                var bytes = new byte[other.encoded().remaining()];
                other.encoded().get(bytes);
                Files.write(file(".binding"), bytes);
            }
            default -> throw new AssertionError(damage);
        }
    }

    private static void flip(Path file, int at) throws IOException {
        var bytes = Files.readAllBytes(file);
        bytes[at] ^= 1;
        Files.write(file, bytes);
    }

    private static void cut(Path file) throws IOException {
        var bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));
    }

    /** The index is of rp-2 when rp-3 is sent against rp-1. */
    @Test
    void anIndexOfAnotherSnapshotIsNotUsed() throws Exception {
        var old =
                Map.of(".index", Files.readAllBytes(file(".index")), ".binding", Files.readAllBytes(file(".binding")));
        change(2);
        sync("rp-2", ROOM);
        for (var entry : old.entrySet()) {
            Files.write(file(entry.getKey()), entry.getValue());
        }
        change(3);

        sync("rp-3", ROOM);

        assertBothRead("rp-2");
    }

    /** A storage was caught meanwhile, or believed again: what was known before does not count any more. */
    @Test
    void anIndexOfAnotherEpochIsNotUsed() throws Exception {
        change(2);
        audits.audits.put(HERE, new TrackingAudit(HERE, 0, Instant.EPOCH, Instant.EPOCH, 1, Optional.empty()));

        sync("rp-2", ROOM);

        assertBothRead("rp-1");
        change(3);
        assertIndexUsed("rp-2", sync("rp-3", ROOM));
    }

    /** What a storage names never gets into an index, and one that was there is of no use after. */
    @Test
    void aStorageThatSaysWhatChangedHasNoIndex() throws Exception {
        tracked = true;
        change(2);
        assertThat(sync("rp-2", ROOM).changedRangeSource()).isNotEqualTo("full");
        assertThat(indexes).isEmptyDirectory();
        tracked = false;
        change(3);

        sync("rp-3", ROOM);

        assertBothRead("rp-2");
        assertIndexUsed("rp-3", sync("rp-4", ROOM));
    }

    @Test
    void anUpdateThatWasKilledIsFinishedWhereItsBindingIsThere() throws Exception {
        change(2);
        // What sync does last, stopped before the index is touched: journal and binding are durable.
        var before = Files.readAllBytes(file(".index"));
        sync("rp-2", ROOM);
        var journal = journalBetween(before, Files.readAllBytes(file(".index")));
        Files.write(file(".index"), before);
        Files.write(file(".journal"), journal);
        change(3);

        assertIndexUsed("rp-2", sync("rp-3", ROOM));
    }

    /** The journal that makes one index of the other, all of whose digests are put. */
    private byte[] journalBetween(byte[] before, byte[] after) throws Exception {
        var index = Files.write(folder.resolve("scratch"), before);
        var journal = folder.resolve("scratch.journal");
        try (var file = IndexFile.open(index);
                var sealed = IndexFile.openOrMake(journal)) {
            var update = BlockIndexUpdate.begin(TestSite.KERNEL, new ReadOnly(file), sealed);
            int blocks = (int) Math.ceilDiv(SIZE, 4_096);
            update.put(0, ByteBuffer.wrap(after, 128, blocks * 16));
            assertThatThrownBy(() -> update.finish(root -> {})).hasMessage("killed");
        }
        return Files.readAllBytes(journal);
    }

    private record ReadOnly(IndexFile file) implements io.tidemark.block.ImageWriter {
        @Override
        public String name() {
            return file.name();
        }

        @Override
        public long sizeBytes() {
            return file.sizeBytes();
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) throws IOException {
            file.read(offsetBytes, target);
        }

        @Override
        public void write(long offsetBytes, ByteBuffer source) throws IOException {
            throw new IOException("killed");
        }

        @Override
        public boolean fixedSize() {
            return false;
        }

        @Override
        public void resize(long sizeBytes) {}

        @Override
        public void writeZeroes(long offsetBytes, long lengthBytes) {}

        @Override
        public void flush() {}
    }

    @Test
    void aSyncThatFailsLeavesTheIndexOfItsBase() throws Exception {
        change(2);
        var point = a.take(HERE, "rp-2");
        cancelled.set(true);
        assertThatThrownBy(() -> send(point, ROOM)).hasMessageContaining("cancelled");
        cancelled.set(false);

        assertIndexUsed("rp-1", send(point, ROOM));
    }

    @Test
    void aBuildThatDoesNotEndLeavesNothing() throws Exception {
        Files.delete(file(".binding"));
        change(2);
        var point = a.take(HERE, "rp-2");
        cancelled.set(true);

        assertThatThrownBy(() -> send(point, ROOM)).hasMessageContaining("cancelled");

        assertThat(indexes).isDirectoryNotContaining(found -> found.toString().endsWith(".fresh"));
    }

    @Test
    void anIndexForWhichThereIsNoRoomIsNotMade() throws Exception {
        new SentIndexes(indexes, TestSite.KERNEL, ROOM).forget(sites.link().id());
        var tight = new SentIndexes.Limit(50_000);
        change(2);
        sync("rp-2", tight);
        assertThat(indexes).isEmptyDirectory();
        sync("rp-3", tight);
        assertBothRead("rp-2");
    }

    @Test
    void switchedOffAllIsReadAndNothingIsKept() throws Exception {
        var off = new SentIndexes(indexes, TestSite.KERNEL, SentIndexes.Limit.NONE);
        off.keepOnly(link -> true);
        assertThat(indexes).isEmptyDirectory();
        change(2);

        sync("rp-2", SentIndexes.Limit.NONE);

        assertBothRead("rp-1");
        assertThat(indexes).isEmptyDirectory();
    }

    @Test
    void aStartRemovesWhatBelongsToNoLinkThatSends() throws Exception {
        Files.writeString(indexes.resolve("ln-9.index"), "of a link that is gone");
        Files.writeString(indexes.resolve("notes.txt"), "not ours");

        new SentIndexes(indexes, TestSite.KERNEL, ROOM).keepOnly(sites.link().id()::equals);

        assertThat(indexes.resolve("ln-9.index")).doesNotExist();
        assertThat(indexes.resolve("notes.txt")).exists();
        assertThat(file(".index")).exists();
        change(2);
        assertIndexUsed("rp-1", sync("rp-2", ROOM));
    }

    @Test
    void anyByteOfABindingThatIsAnotherIsNoticed() throws Exception {
        var bytes = Files.readAllBytes(file(".binding"));
        for (int at = 0; at < bytes.length; at++) {
            var flipped = bytes.clone();
            flipped[at] ^= 4;
            assertThatThrownBy(() -> IndexBinding.decode(ByteBuffer.wrap(flipped)))
                    .isInstanceOf(IOException.class);
            var shorter = Arrays.copyOf(bytes, at);
            assertThatThrownBy(() -> IndexBinding.decode(ByteBuffer.wrap(shorter)))
                    .isInstanceOf(IOException.class);
        }
        assertThat(IndexBinding.decode(ByteBuffer.wrap(bytes)).snapshot())
                .isEqualTo(new SnapshotId(HERE, new RecoveryPointId("rp-1")));
    }

    /** The file of a build grows for hours: what it will take counts from its beginning. */
    @Test
    void twoBuildsThatDoNotFitTogetherAreNotBothBegun() throws Exception {
        var geometry = new ImageGeometry(SIZE, 4_096);
        long one = BlockIndexWriter.fileBytes(IndexBuild.ALGORITHM, geometry);
        var kept = new SentIndexes(indexes, TestSite.KERNEL, new SentIndexes.Limit(one * 3 / 2));
        var first = new LinkId("ln-1");
        var second = new LinkId("ln-2");

        try (var begun = kept.build(first, SIZE, DataPlaces.EVERYWHERE).orElseThrow()) {
            assertThat(kept.build(second, SIZE, DataPlaces.EVERYWHERE)).isEmpty();
            assertThat(begun).isNotNull();
            kept.discardBuild(first);
        }
        try (var begun = kept.build(second, SIZE, DataPlaces.EVERYWHERE).orElseThrow()) {
            assertThat(begun).isNotNull();
        }
    }
}
