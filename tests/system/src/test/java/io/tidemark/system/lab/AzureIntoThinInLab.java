package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.azure.AzureProviderFactory;
import io.tidemark.provider.fakecloud.azure.FakeAzure;
import io.tidemark.provider.fakecloud.azure.FakeAzureSettings;
import io.tidemark.provider.fakecloud.azure.FakeDisk;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * A disk of Azure's, which a fake over loopback is here, into a thin volume: all that it holds, then what has changed.
 */
@InLab
class AzureIntoThinInLab {
    private static final String GROUP = "disks";
    private static final long SIZE_BYTES = 1L << 30;
    /** What is written to, of that. */
    private static final int WRITTEN_BYTES = 8 << 20;

    private static final int COPY_BYTES = 4 << 20;
    private static final int CHANGED_CHUNKS = 3;

    private final Random random = new Random(1);
    private final VolumeId disk = VolumeId.of("azure", "orders");

    @Test
    void secondCopyMovesWhatChangedAndBothAreEqualByteForByte() throws Exception {
        var pool = LabPool.make("600M", "8M");
        try (var cloud = FakeAzure.start(FakeAzureSettings.defaults());
                var azure = new AzureProviderFactory().create(settings(cloud));
                var lvm = pool.open()) {
            var copy = pool.volume("orders");
            lvm.create(copy, SIZE_BYTES);
            var orders = cloud.createDisk(GROUP, "orders", 1);
            orders.write(0, some(WRITTEN_BYTES));

            var first = LabPool.cut(azure, disk, "rp-1");
            assertThat(copied(azure, azure.allocatedRanges(first), first, lvm, copy))
                    .isEqualTo(WRITTEN_BYTES);
            assertEqual(lvm, LabPool.cut(lvm, copy, "rp-1"), orders);

            cloud.clock().advance(Duration.ofMinutes(1));
            orders.write(5L * LabPool.CHUNK_BYTES + 512, some(512));
            orders.write(40L * LabPool.CHUNK_BYTES, some(LabPool.CHUNK_BYTES));
            // Cleared pages are changed ones too.
            orders.write(100L * LabPool.CHUNK_BYTES, new byte[LabPool.CHUNK_BYTES]);
            var second = LabPool.cut(azure, disk, "rp-2");
            assertThat(copied(azure, azure.changedRanges(first, second), second, lvm, copy))
                    .isEqualTo(512 + 2 * LabPool.CHUNK_BYTES);

            var there = LabPool.cut(lvm, copy, "rp-2");
            assertEqual(lvm, there, orders);
            var older = new SnapshotId(copy, first.recoveryPoint());
            assertThat(LabPool.ranges(lvm.changedRanges(older, there)))
                    .as("what LVM says of it")
                    .hasSize(CHANGED_CHUNKS);
            assertThat(cloud.violations()).isEmpty();
            assertThat(cloud.activeAccesses()).isZero();
        }
    }

    private static Map<String, String> settings(FakeAzure cloud) {
        return Map.of(
                "subscription", cloud.settings().subscription(),
                "location", cloud.settings().locations().getFirst(),
                "resourceGroup", GROUP,
                "installation", "lab",
                "endpoint", cloud.endpoint().toString());
    }

    /** @return bytes that were written */
    private static long copied(
            StorageProvider azure, ChangedRanges named, SnapshotId from, StorageProvider lvm, VolumeId to)
            throws Exception {
        long moved = 0;
        try (var reader = azure.read(from);
                var writer = lvm.write(to)) {
            for (var range : LabPool.ranges(named)) {
                for (long at = range.offsetBytes(); at < range.endBytes(); at += COPY_BYTES) {
                    int length = Math.toIntExact(Math.min(COPY_BYTES, range.endBytes() - at));
                    writer.write(at, read(reader, at, length));
                    moved += length;
                }
            }
            writer.flush();
        }
        return moved;
    }

    private static void assertEqual(StorageProvider lvm, SnapshotId copy, FakeDisk original) throws Exception {
        try (var reader = lvm.read(copy)) {
            assertThat(reader.sizeBytes()).isEqualTo(SIZE_BYTES);
            assertThat(read(reader, 0, WRITTEN_BYTES).array()).isEqualTo(original.read(0, WRITTEN_BYTES));
        }
        // The rest is zeros on both sides: nothing of it was ever written.
        assertThat(LabPool.ranges(lvm.allocatedRanges(copy)))
                .allSatisfy(each -> assertThat(each.endBytes()).isLessThanOrEqualTo(WRITTEN_BYTES));
    }

    private static ByteBuffer read(SnapshotReader reader, long offsetBytes, int length) throws Exception {
        var bytes = ByteBuffer.allocate(length);
        reader.read(offsetBytes, bytes);
        return bytes.flip();
    }

    private byte[] some(int length) {
        var bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }
}
