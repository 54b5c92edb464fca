package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.LinkId;
import io.tidemark.domain.TrackingAudit;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.replication.SourceInput;
import io.tidemark.replication.protocol.Message;
import io.tidemark.replication.protocol.SyncCost;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.io.RandomAccessFile;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A storage that calls a hole what is data: believed, until it was caught. */
class HolesNotBelievedTest {
    private static final VolumeId VOLUME = new VolumeId("fake:orders");
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    private static final int SIZE = 64 << 20;
    private static final int SPAN = 16 << 20;

    @TempDir
    Path folder;

    private final MemoryAudits audits = new MemoryAudits();
    private Path hole = Path.of("");

    @BeforeEach
    void makeHole() throws Exception {
        Assumptions.assumeTrue(BlockKernels.hostCalls().isPresent(), "without the native library no hole is told");
        hole = folder.resolve("hole");
        try (var file = new RandomAccessFile(hole.toFile(), "rw")) {
            file.setLength(SIZE);
        }
    }

    /** Bytes everywhere, and the path of a file that is one hole. */
    private final class Lying implements SnapshotReader {
        @Override
        public long sizeBytes() {
            return SIZE;
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) {
            while (target.hasRemaining()) {
                target.put((byte) 7);
            }
        }

        @Override
        public Optional<Path> path() {
            return Optional.of(hole);
        }

        @Override
        public void close() {}
    }

    private void distrust() {
        audits.audits.put(
                VOLUME,
                new TrackingAudit(
                        VOLUME,
                        0,
                        Instant.EPOCH,
                        Instant.EPOCH,
                        1,
                        Optional.of(new TrackingAudit.Distrust("fiemap", POINT, POINT, 0, 4_096, Instant.EPOCH))));
    }

    private SourceInput firstOfFirstSpan() throws Exception {
        var provider = (StorageProvider) Proxy.newProxyInstance(
                StorageProvider.class.getClassLoader(),
                new Class<?>[] {StorageProvider.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "read" -> new Lying();
                    case "volume" -> new Volume(VOLUME, SIZE, Set.of(), Optional.empty(), List.of(), Map.of());
                    default -> throw new AssertionError(method);
                });
        var trust = new TrackingTrust(
                audits, TestSite.KERNEL, InstantSource.system(), new Random(1), TrackingTrust.Effort.NONE);
        var origin = new SourceHost.Origin(
                provider,
                TestSite.KERNEL,
                trust.begin(new LinkId("ln-1"), VOLUME, POINT),
                SentIndexes.none(TestSite.KERNEL),
                Optional.empty());
        var wanted = new SourceImage.Wanted(new SnapshotId(VOLUME, POINT), Optional.empty(), 0);
        try (var image = SourceImage.open(origin, wanted, () -> false)) {
            image.use(new Message.Digests(0, SPAN, ByteBuffer.allocate(0)));
            return image.next(() -> SyncCost.NONE);
        }
    }

    @Test
    void aStorageThatWasCaughtIsReadWhereItTellsOfHoles() throws Exception {
        assertThat(firstOfFirstSpan()).isInstanceOf(SourceInput.NothingLeft.class);

        distrust();

        assertThat(firstOfFirstSpan()).isInstanceOf(SourceInput.BlocksRead.class);
    }

    @Test
    void aVerificationOfItReadsAll() throws Exception {
        var told = ImageTree.of(new Lying(), TestSite.KERNEL, done -> {});
        var read = ImageTree.ofDistrusted(new Lying(), TestSite.KERNEL, done -> {});

        assertThat(told.root()).isNotEqualTo(read.root());
    }
}
