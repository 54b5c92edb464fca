package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.conformance.TestStorage;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.TestAbortedException;

/** Large writes that go past the page cache, among small ones that do not. */
class LargeWritesTest {
    private static final int MIB = 1 << 20;
    private static final int PAGE = 4 << 10;
    private static final VolumeId VOLUME = VolumeId.of("image", "large");

    private static StorageProvider provider(TestStorage storage) throws Exception {
        var host = new ImageHost(
                BlockKernels.hostCalls(),
                new CommandRunner(),
                LoopDevices.ofHost(),
                InstantSource.system(),
                System::nanoTime);
        return ImageProvider.open(new ImageConfig(List.of(storage.freshFolder()), ImageConfig.Changes.BEST), host);
    }

    private static ByteBuffer aligned(int bytes) {
        return ByteBuffer.allocateDirect(bytes + 2 * PAGE).alignedSlice(PAGE).limit(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"xfs", "ext4", "btrfs"})
    void anyMixtureOfWritesReadsBack(String kind) throws Exception {
        int size = 16 * MIB + 512;
        var model = new byte[size];
        var random = new Random(kind.hashCode());
        try (var storage = TestStorage.mounted(kind);
                var provider = provider(storage)) {
            provider.create(VOLUME, size);
            var buffer = aligned(4 * MIB + 512);
            try (var writer = provider.write(VOLUME)) {
                for (int round = 0; round < 300; round++) {
                    boolean pages = random.nextInt(3) > 0;
                    int length = 1 + random.nextInt(random.nextBoolean() ? PAGE : 4 * MIB);
                    int offset = random.nextInt(size - length + 1);
                    if (pages) {
                        offset = offset / PAGE * PAGE;
                    }
                    int shift = random.nextInt(4) == 0 ? 1 + random.nextInt(100) : 0;
                    var bytes = new byte[length];
                    random.nextBytes(bytes);
                    System.arraycopy(bytes, 0, model, offset, length);
                    writer.write(
                            offset,
                            buffer.clear().position(shift).put(bytes).flip().position(shift));
                    int from = random.nextInt(size - PAGE);
                    var back = ByteBuffer.allocateDirect(PAGE);
                    writer.read(from, back);
                    var expected = ByteBuffer.wrap(model, from, PAGE);
                    assertThat(back.flip())
                            .as("%s round %d at %d", kind, round, from)
                            .isEqualTo(expected);
                }
                writer.flush();
            }
            var request = new CutRequest(new RecoveryPointId("rp-1"), List.of(VOLUME));
            provider.prepare(request);
            var snapshot = provider.cut(request).members().getFirst().snapshot().id();
            try (var reader = provider.read(snapshot)) {
                var whole = ByteBuffer.allocateDirect(size);
                reader.read(0, whole);
                assertThat(whole.flip()).isEqualTo(ByteBuffer.wrap(model));
            }
        }
    }

    /** Linux 6.12 and newer mount them on any machine; what is aligned to 4 KiB alone is refused there past the cache. */
    @Test
    void fileSystemsOfLargerBlocksAreWrittenThroughTheCache() throws Exception {
        try (var storage = largeBlocks();
                var provider = provider(storage)) {
            var image = provider.create(VOLUME, 8 * MIB).device().orElseThrow();
            var bytes = aligned(4 * MIB);
            new Random(2).ints(MIB).forEach(bytes::putInt);
            try (var writer = provider.write(VOLUME)) {
                writer.write(PAGE, bytes.flip());
                writer.flush();
                var back = ByteBuffer.allocateDirect(4 * MIB);
                writer.read(PAGE, back);
                assertThat(back.flip()).isEqualTo(bytes.rewind());
            }
            assertThat(cached(image)).isGreaterThanOrEqualTo(4 * MIB);
        }
    }

    private static TestStorage largeBlocks() throws Exception {
        try {
            return TestStorage.mounted("xfs", "-b", "size=16384");
        } catch (AssertionError e) {
            throw new TestAbortedException("this kernel mounts no XFS with blocks of 16 KiB: " + e.getMessage(), e);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"xfs", "ext4"})
    void leaveNothingInThePageCache(String kind) throws Exception {
        try (var storage = TestStorage.mounted(kind);
                var provider = provider(storage)) {
            var image = provider.create(VOLUME, 8 * MIB).device().orElseThrow();
            try (var writer = provider.write(VOLUME)) {
                var bytes = aligned(4 * MIB);
                new Random(1).ints(MIB).forEach(bytes::putInt);
                writer.write(0, bytes.flip());
                writer.flush();

                assertThat(cached(image)).isZero();

                writer.write(4 * MIB, bytes.clear().limit(PAGE));
                writer.flush();
            }
            assertThat(cached(image)).isBetween((long) PAGE, 4L * MIB);
            assertThat(Files.size(image)).isEqualTo(8 * MIB);
        }
    }

    /** Bytes of the file that the page cache has. */
    private static long cached(Path image) throws Exception {
        long cached = 0;
        try (var channel = FileChannel.open(image, StandardOpenOption.READ);
                var arena = Arena.ofConfined()) {
            var mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            for (long at = 0; at < channel.size(); at += PAGE) {
                cached += mapped.asSlice(at, PAGE).isLoaded() ? PAGE : 0;
            }
        }
        return cached;
    }
}
