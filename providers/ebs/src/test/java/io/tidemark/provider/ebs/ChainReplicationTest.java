package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.conformance.TestStorage;
import io.tidemark.provider.fakecloud.CallCount;
import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.provider.fakecloud.aws.FakeAwsSettings;
import io.tidemark.provider.image.ImageProviderFactory;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** From an image on this host into Amazon as a chain of incremental snapshots, and back, by what the SPI has and no more. */
class ChainReplicationTest {
    private static final int BLOCK = DirectCalls.BLOCK_BYTES;
    /** Forty blocks and a part of one, which is no multiple of 4 KiB. */
    private static final int VOLUME_BYTES = 40 * BLOCK + 3 * 512;

    private static final int COPY_BYTES = 64 << 10;
    private static final int LOOKS_MAXIMUM = 10_000;

    private final Random random = new Random(7);
    private final FakeAws cloud = FakeAws.start(FakeAwsSettings.defaults());
    private TestStorage storage;
    private StorageProvider host;
    private StorageProvider amazon;

    @BeforeEach
    void start() throws Exception {
        storage = TestStorage.plain();
        host = new ImageProviderFactory()
                .create(Map.of("folders.0", storage.freshFolder().toString()));
        amazon = openAmazon();
    }

    private StorageProvider openAmazon() throws Exception {
        var config =
                EbsAccount.config(cloud.endpoint().toString(), storage.base().resolve("staging"));
        return EbsAccount.openStaged(
                config, EbsAccount.clients(config), cloud.clock(), new AtomicBoolean(), new StagingFiles(() -> {}));
    }

    @AfterEach
    void stop() throws Exception {
        EbsAccount.everyCallIsChecked(cloud);
        amazon.close();
        host.close();
        cloud.close();
        storage.close();
    }

    @Test
    void imageIsCopiedToAmazonByItsChangesAndComesBackByteForByte() throws Exception {
        var orders = VolumeId.of("image", "orders");
        var copy = VolumeId.of("ebs", "orders-copy");
        host.create(orders, VOLUME_BYTES);
        amazon.create(copy, VOLUME_BYTES);
        change(orders, 0, 9 * BLOCK + 17);
        change(orders, VOLUME_BYTES - 700, 700);

        var first = replicate(orders, copy, "rp-1", Optional.empty());
        long full = puts();
        // Three blocks, one of them by a single byte.
        change(orders, 5L * BLOCK + 100, 1);
        change(orders, 20L * BLOCK - 10, 20);
        var second = replicate(orders, copy, "rp-2", Optional.of(first));

        assertThat(full).as("blocks of the first copy").isEqualTo(11);
        assertThat(puts() - full).as("blocks of the second").isEqualTo(3);
        assertThat(calls("StartSnapshot")).isEqualTo(2);
        assertThat(changedBlocks(first, second)).containsExactly(5, 19, 20);
        var back = VolumeId.of("image", "orders-back");
        host.create(back, VOLUME_BYTES);
        for (var point : List.of(first, second)) {
            restore(point, back);
            assertThat(content(
                            host,
                            cut(
                                    host,
                                    back,
                                    "rp-9" + point.recoveryPoint().value().substring(3))))
                    .isEqualTo(content(host, new SnapshotId(orders, point.recoveryPoint())));
        }
    }

    @Test
    void newHostReadsTheChainThatAnotherHasWritten() throws Exception {
        var orders = VolumeId.of("image", "orders");
        var copy = VolumeId.of("ebs", "orders-copy");
        host.create(orders, VOLUME_BYTES);
        amazon.create(copy, VOLUME_BYTES);
        change(orders, 0, 3 * BLOCK);
        var point = replicate(orders, copy, "rp-1", Optional.empty());
        amazon.close();
        storage.must("rm", "-rf", storage.base().resolve("staging").toString());

        amazon = openAmazon();

        assertThat(content(amazon, point)).isEqualTo(content(host, new SnapshotId(orders, point.recoveryPoint())));
    }

    private void change(VolumeId volume, long offset, int length) throws Exception {
        var bytes = new byte[length];
        do {
            random.nextBytes(bytes);
        } while (bytes[0] == 0);
        try (var writer = host.write(volume)) {
            writer.write(offset, ByteBuffer.wrap(bytes));
            writer.flush();
        }
    }

    /** @param older what the copy has already */
    private SnapshotId replicate(VolumeId from, VolumeId to, String point, Optional<SnapshotId> older)
            throws Exception {
        var newer = cut(host, from, point);
        if (older.isEmpty()) {
            try (var reader = host.read(newer)) {
                copy(reader, host.allocatedRanges(newer), Optional.empty(), amazon.write(to));
            }
        } else {
            var before = new SnapshotId(from, older.get().recoveryPoint());
            try (var reader = host.read(newer);
                    var known = host.read(before)) {
                copy(reader, host.changedRanges(before, newer), Optional.of(known), amazon.write(to));
            }
        }
        var made = cut(amazon, to, point);
        for (int look = 0; look < LOOKS_MAXIMUM; look++) {
            if (amazon.readiness(made) instanceof Readiness.Ready) {
                return made;
            }
            Thread.sleep(1);
        }
        throw new AssertionError(amazon.readiness(made).toString());
    }

    private void restore(SnapshotId from, VolumeId to) throws Exception {
        try (var reader = amazon.read(from)) {
            copy(reader, amazon.allocatedRanges(from), Optional.empty(), host.write(to));
        }
    }

    /** @param known what the target has: a host may name more than has changed, and that is not sent */
    private static void copy(SnapshotReader from, ChangedRanges named, Optional<SnapshotReader> known, VolumeWriter to)
            throws Exception {
        try (var ranges = named;
                var writer = to) {
            for (var next = ranges.next(); next.isPresent(); next = ranges.next()) {
                var range = next.get();
                for (long at = range.offsetBytes(); at < range.endBytes(); at += COPY_BYTES) {
                    int length = Math.toIntExact(Math.min(COPY_BYTES, range.endBytes() - at));
                    var bytes = bytes(from, at, length);
                    if (known.isEmpty() || !bytes.equals(bytes(known.get(), at, length))) {
                        writer.write(at, bytes);
                    }
                }
            }
            writer.flush();
        }
    }

    private static ByteBuffer bytes(SnapshotReader from, long offset, int length) throws Exception {
        var bytes = ByteBuffer.allocate(length);
        from.read(offset, bytes);
        return bytes.flip();
    }

    private static SnapshotId cut(StorageProvider provider, VolumeId volume, String point) throws Exception {
        var request = new CutRequest(new RecoveryPointId(point), List.of(volume));
        provider.prepare(request);
        return provider.cut(request).members().getFirst().snapshot().id();
    }

    private static byte[] content(StorageProvider provider, SnapshotId snapshot) throws Exception {
        try (var reader = provider.read(snapshot)) {
            var bytes = ByteBuffer.allocate(VOLUME_BYTES);
            reader.read(0, bytes);
            return bytes.array();
        }
    }

    private Set<Integer> changedBlocks(SnapshotId older, SnapshotId newer) throws Exception {
        var blocks = new TreeSet<Integer>();
        try (var ranges = amazon.changedRanges(older, newer)) {
            for (var next = ranges.next(); next.isPresent(); next = ranges.next()) {
                for (long at = next.get().offsetBytes(); at < next.get().endBytes(); at += BLOCK) {
                    blocks.add(Math.toIntExact(at / BLOCK));
                }
            }
        }
        return blocks;
    }

    private long puts() {
        return calls("PutSnapshotBlock");
    }

    private long calls(String operation) {
        return cloud.calls().getOrDefault(operation, CallCount.ZERO).seen();
    }
}
