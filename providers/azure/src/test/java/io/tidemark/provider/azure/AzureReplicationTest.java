package io.tidemark.provider.azure;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.conformance.TestStorage;
import io.tidemark.provider.fakecloud.CallCount;
import io.tidemark.provider.fakecloud.azure.FakeAzure;
import io.tidemark.provider.fakecloud.azure.FakeAzureSettings;
import io.tidemark.provider.image.ImageProviderFactory;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A disk of Azure's into a volume of this host, by its changes, over sockets; and a volume of this host into Azure. */
class AzureReplicationTest {
    private static final long SIZE = 1L << 30;
    private static final int COPY_BYTES = 4 << 20;
    /** What is written to, of 1 GiB. */
    private static final int WRITTEN = 48 << 20;

    private final Random random = new Random(11);
    private final FakeAzure cloud = FakeAzure.start(FakeAzureSettings.defaults());
    private final StorageProvider azure = AzureAccount.open(cloud);
    private TestStorage storage;
    private StorageProvider host;

    @BeforeEach
    void start() throws Exception {
        storage = TestStorage.plain();
        host = new ImageProviderFactory()
                .create(Map.of("folders.0", storage.freshFolder().toString()));
    }

    @AfterEach
    void stop() throws Exception {
        azure.close();
        host.close();
        assertThat(cloud.activeAccesses()).isZero();
        AzureAccount.everyCallIsChecked(cloud);
        cloud.close();
        storage.close();
    }

    @Test
    void aDiskIsCopiedHereByItsChangesByteForByte() throws Exception {
        var disk = cloud.createDisk(AzureAccount.GROUP, "orders", 1);
        var orders = AzureAccount.volume("orders");
        var copy = VolumeId.of("image", "orders");
        host.create(copy, SIZE);
        disk.write(0, some(WRITTEN));
        var first = cut(azure, orders, "rp-1");
        long full = moved(azure.allocatedRanges(first), first, copy);
        assertThat(content(host, cut(host, copy, "rp-1"))).isEqualTo(disk.read(0, WRITTEN));
        long before = downloads();

        // Three pages of 512 bytes, and a MiB that is cleared.
        cloud.clock().advance(Duration.ofMinutes(1));
        disk.write(5_000 * 512, some(512));
        disk.write(40_000 * 512, some(1_024));
        disk.write(8 << 20, new byte[1 << 20]);
        var second = cut(azure, orders, "rp-2");
        long changed = moved(azure.changedRanges(first, second), second, copy);

        assertThat(content(host, cut(host, copy, "rp-2"))).isEqualTo(disk.read(0, WRITTEN));
        assertThat(full).isEqualTo(WRITTEN);
        assertThat(changed).as("bytes of the second copy").isEqualTo(3 * 512 + (1 << 20));
        assertThat(downloads() - before)
                .as("ranges of 4 MiB that were asked for")
                .isLessThanOrEqualTo(4);
    }

    @Test
    void aVolumeOfThisHostIsCopiedIntoAzureAndComesBack() throws Exception {
        var orders = VolumeId.of("image", "orders");
        var copy = AzureAccount.volume("orders-copy");
        int size = 64 << 20;
        host.create(orders, size);
        try (var writer = host.write(orders)) {
            writer.write(3 << 20, ByteBuffer.wrap(some(7 << 20)));
            writer.flush();
        }
        var original = cut(host, orders, "rp-1");
        azure.create(copy, size);
        try (var reader = host.read(original);
                var writer = azure.write(copy)) {
            copied(host.allocatedRanges(original), reader, writer);
        }

        var there = cut(azure, copy, "rp-1");

        try (var here = host.read(original);
                var read = azure.read(there)) {
            assertThat(bytes(read, 0, size)).isEqualTo(bytes(here, 0, size));
        }
    }

    private long moved(ChangedRanges ranges, SnapshotId from, VolumeId to) throws Exception {
        try (var reader = azure.read(from);
                var writer = host.write(to)) {
            return copied(ranges, reader, writer);
        }
    }

    private static long copied(ChangedRanges named, SnapshotReader from, VolumeWriter to) throws Exception {
        long moved = 0;
        try (var ranges = named) {
            for (var next = ranges.next(); next.isPresent(); next = ranges.next()) {
                var range = next.get();
                for (long at = range.offsetBytes(); at < range.endBytes(); at += COPY_BYTES) {
                    int length = Math.toIntExact(Math.min(COPY_BYTES, range.endBytes() - at));
                    to.write(at, bytes(from, at, length));
                    moved += length;
                }
            }
        }
        to.flush();
        return moved;
    }

    private static ByteBuffer bytes(SnapshotReader from, long offset, int length) throws Exception {
        var bytes = ByteBuffer.allocate(length);
        from.read(offset, bytes);
        return bytes.flip();
    }

    private static byte[] content(StorageProvider provider, SnapshotId snapshot) throws Exception {
        try (var reader = provider.read(snapshot)) {
            return bytes(reader, 0, WRITTEN).array();
        }
    }

    private static SnapshotId cut(StorageProvider provider, VolumeId volume, String point) throws Exception {
        var request = new CutRequest(new RecoveryPointId(point), List.of(volume));
        provider.prepare(request);
        return provider.cut(request).members().getFirst().snapshot().id();
    }

    private byte[] some(int length) {
        var bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private long downloads() {
        return cloud.calls().getOrDefault("Blob_Download", CallCount.ZERO).seen();
    }
}
