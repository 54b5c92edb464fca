package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.block.BlockIndex;
import io.tidemark.block.ChangedRuns;
import io.tidemark.block.DataPlaces;
import io.tidemark.block.RangeAlgebra;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A snapshot compared with the index of an older one, and with the older one itself: both must say the same. */
@Timeout(60)
class StoredIndexComparisonTest {
    private static final int BLOCK = ChangedRuns.BLOCK_BYTES;
    private static final BlockKernel KERNEL = BlockKernels.best();

    @TempDir
    Path folder;

    /** Bytes that are in a file too, where they have a path. */
    private static class Image implements SnapshotReader {
        private final byte[] bytes;
        private final Optional<Path> path;

        Image(byte[] bytes, Optional<Path> path) {
            this.bytes = bytes;
            this.path = path;
        }

        @Override
        public Optional<Path> path() {
            return path;
        }

        @Override
        public long sizeBytes() {
            return bytes.length;
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) {
            target.put(bytes, (int) offsetBytes, target.remaining());
        }

        @Override
        public void close() {}
    }

    /** Each block that a comparison gave, with its bytes. */
    private record Block(long offsetBytes, boolean zero, ByteBuffer bytes) {}

    private static List<Block> blocks(ChangedRuns runs) throws ProviderException {
        var blocks = new ArrayList<Block>();
        for (var run = runs.next(); run.isPresent(); run = runs.next()) {
            var found = run.get();
            for (long at = 0; at < found.lengthBytes(); at += BLOCK) {
                int length = (int) Math.min(BLOCK, found.lengthBytes() - at);
                var bytes = ByteBuffer.allocate(length);
                if (!found.zero()) {
                    bytes.put(found.data().slice((int) at, length)).flip();
                }
                blocks.add(new Block(found.offsetBytes() + at, found.zero(), bytes));
            }
        }
        return blocks;
    }

    private IndexFile indexOf(byte[] image, String name) throws Exception {
        var file = IndexFile.make(folder.resolve(name));
        var build = new IndexBuild(KERNEL, file, image.length, DataPlaces.EVERYWHERE);
        var watched = build.watched(new Image(image, Optional.empty()));
        for (int at = 0; at < image.length; at += 1 << 20) {
            watched.read(at, ByteBuffer.allocateDirect(Math.min(1 << 20, image.length - at)));
        }
        build.finish();
        return file;
    }

    private static byte[] image(Random random, int length) {
        var image = new byte[length];
        random.nextBytes(image);
        Arrays.fill(image, length / 3, length / 3 + length / 5, (byte) 0);
        return image;
    }

    private static byte[] changed(byte[] image, Random random) {
        var newer = image.clone();
        for (int i = 0; i < 20; i++) {
            int at = random.nextInt(newer.length);
            int length = Math.min(newer.length - at, 1 + random.nextInt(1 << random.nextInt(21)));
            if (random.nextBoolean()) {
                Arrays.fill(newer, at, at + length, (byte) 0);
            } else {
                var noise = new byte[length];
                random.nextBytes(noise);
                System.arraycopy(noise, 0, newer, at, length);
            }
        }
        return newer;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theSameBlocksAreFoundAsByComparingBothSnapshots(boolean byPath) throws Exception {
        for (long seed = 0; seed < 6; seed++) {
            var random = new Random(seed);
            var older = image(random, (int) (seed * (7 << 20) + 1 + random.nextInt(8 << 20)));
            var newer = changed(older, random);
            long resume = seed % 2 == 0 ? 0 : random.nextInt(newer.length / BLOCK + 1) * (long) BLOCK;
            var path = Files.write(folder.resolve("newer"), newer);
            var snapshot = new Image(newer, byPath ? Optional.of(path) : Optional.empty());
            var digests = new ArrayList<Long>();
            List<Block> found;
            ChangedRuns.Counts counts;
            try (var index = indexOf(older, "index-" + seed);
                    var runs = new StoredIndexComparison(
                            snapshot,
                            BlockIndex.open(index),
                            KERNEL,
                            resume,
                            (first, some) -> {
                                for (int i = 0; i < some.remaining() / 16; i++) {
                                    digests.add(first + i);
                                }
                            },
                            (offset, reason) -> {
                                throw new AssertionError(reason);
                            },
                            () -> false)) {
                found = blocks(runs);
                counts = runs.counts();
            }
            List<Block> expected;
            try (var runs = new SegmentComparison(
                    RangeAlgebra.whole(newer.length),
                    new Image(older, Optional.empty()),
                    new Image(newer, Optional.empty()),
                    KERNEL,
                    resume)) {
                expected = blocks(runs);
            }

            assertThat(found).as("seed %d", seed).isEqualTo(expected);
            assertThat(digests)
                    .isEqualTo(found.stream()
                            .map(block -> block.offsetBytes() / BLOCK)
                            .toList());
            assertThat(counts.comparedBytes()).isEqualTo(Math.max(0, newer.length - resume));
            assertThat(counts.changedBytes())
                    .isEqualTo(found.stream()
                            .mapToLong(block -> block.bytes().capacity())
                            .sum());
        }
    }

    @Test
    void whereTheIndexCannotBeReadOnTheOlderSnapshotIsRead() throws Exception {
        var random = new Random(1);
        var older = image(random, 40 << 20);
        var newer = changed(older, random);
        var snapshot = new Image(newer, Optional.empty());
        var offsets = new ArrayList<Long>();
        List<Block> found;
        try (var file = indexOf(older, "index")) {
            var index = BlockIndex.open(file);
            // Not read yet: the second of its batches lies in the only chunk of leaves, whose checksum fails now.
            file.write(128 + 6_000 * 16, ByteBuffer.wrap(new byte[] {1, 2, 3}));
            try (var runs = new StoredIndexComparison(
                    snapshot,
                    index,
                    KERNEL,
                    0,
                    (first, digests) -> {},
                    (offset, reason) -> {
                        offsets.add(offset);
                        return new SegmentComparison(
                                RangeAlgebra.whole(snapshot.sizeBytes()),
                                new Image(older, Optional.empty()),
                                snapshot,
                                KERNEL,
                                offset);
                    },
                    () -> false)) {
                found = blocks(runs);
            }
        }

        assertThat(offsets).containsExactly(0L);
        try (var runs = new SegmentComparison(
                RangeAlgebra.whole(snapshot.sizeBytes()), new Image(older, Optional.empty()), snapshot, KERNEL, 0)) {
            assertThat(found).isEqualTo(blocks(runs));
        }
    }

    @Test
    void aCancellationEndsAScanThatIsUnderWay() throws Exception {
        var image = image(new Random(2), 1 << 20);
        var cancelled = new AtomicBoolean();
        var endless = new SnapshotReader() {
            @Override
            public long sizeBytes() {
                return image.length;
            }

            @Override
            public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
                cancelled.set(true);
                try {
                    Thread.sleep(200);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                throw CancellableReader.ended();
            }

            @Override
            public Optional<Path> path() {
                return Optional.empty();
            }

            @Override
            public void close() {}
        };
        try (var index = indexOf(image, "index");
                var runs = new StoredIndexComparison(
                        endless,
                        BlockIndex.open(index),
                        KERNEL,
                        0,
                        (first, digests) -> {},
                        (offset, reason) -> {
                            throw new AssertionError(reason);
                        },
                        cancelled::get)) {
            assertThatThrownBy(runs::next).isInstanceOf(ProviderException.class).hasMessageContaining("cancelled");
        }
    }

    /** Else the index would say of a block what the target did not get, and the next comparison would find it equal. */
    @Test
    void whatIsPutIsTheDigestOfWhatIsSentAlsoWhenTheStorageAnswersTwice() throws Exception {
        var older = image(new Random(5), 3 << 20);
        var newer = changed(older, new Random(6));
        var wavering = new Image(newer, Optional.empty()) {
            private final AtomicInteger reads = new AtomicInteger();

            @Override
            public void read(long offsetBytes, ByteBuffer target) {
                int from = target.position();
                super.read(offsetBytes, target);
                target.put(from, (byte) reads.incrementAndGet());
            }
        };
        var put = new TreeMap<Long, ByteBuffer>();
        try (var index = indexOf(older, "index");
                var runs = new StoredIndexComparison(
                        wavering,
                        BlockIndex.open(index),
                        KERNEL,
                        0,
                        (first, digests) -> put.put(
                                first,
                                ByteBuffer.allocate(digests.remaining())
                                        .put(digests.duplicate())
                                        .flip()),
                        (offset, reason) -> {
                            throw new AssertionError(reason);
                        },
                        () -> false)) {
            int sent = 0;
            for (var run = runs.next(); run.isPresent(); run = runs.next()) {
                if (!run.get().zero()) {
                    var bytes = ByteBuffer.allocateDirect((int) run.get().lengthBytes())
                            .put(run.get().data().duplicate())
                            .flip();
                    var digests = ByteBuffer.allocateDirect(Math.ceilDiv(bytes.remaining(), BLOCK) * 16);
                    KERNEL.hashBlocks(bytes, BLOCK, HashAlgorithm.XXH3_128, digests);
                    assertThat(put.get(run.get().offsetBytes() / BLOCK)).isEqualTo(digests);
                    sent++;
                }
            }
            assertThat(sent).isPositive();
        }
    }

    @Test
    void anIndexIsOnlyMadeOfASnapshotThatWasReadWholly() throws Exception {
        var image = image(new Random(3), 5 << 20);
        try (var file = IndexFile.make(folder.resolve("index"));
                var build = new IndexBuild(KERNEL, file, image.length, DataPlaces.EVERYWHERE)) {
            var watched = build.watched(new Image(image, Optional.empty()));
            watched.read(1 << 20, ByteBuffer.allocateDirect(1 << 20));

            assertThatThrownBy(build::finish).isInstanceOf(IOException.class).hasMessage("0 of 1280 blocks were read");

            watched.read(0, ByteBuffer.allocateDirect(1 << 20));
            assertThatThrownBy(build::finish).hasMessage("512 of 1280 blocks were read");
            watched.read(0, ByteBuffer.allocateDirect(1 << 20));
            assertThatThrownBy(build::finish).hasMessage("512 of 1280 blocks were read");
        }
    }

    /** Pieces of 1 MiB around what the data map says, in any order that a few cores would give. */
    @Test
    void holesNeedNotBeReadForAnIndex() throws Exception {
        for (int seed = 0; seed < 60; seed++) {
            var random = new Random(seed);
            var image = new byte[(8 << 20) + (seed % 3 == 0 ? 100 : 0)];
            var data = new TreeMap<Long, Long>();
            for (long at = random.nextInt(2 << 20); at < image.length; at += 1 + random.nextInt(3 << 20)) {
                long end = Math.min(image.length, at + 1 + random.nextInt(1 << 20));
                for (long index = at; index < end; index++) {
                    image[(int) index] = (byte) (1 + index % 100);
                }
                data.put(at, end);
                at = end;
            }
            DataPlaces places = offset -> {
                var before = data.floorEntry(offset);
                if (before != null && before.getValue() > offset) {
                    return offset;
                }
                return Optional.ofNullable(data.ceilingKey(offset)).orElse(Long.MAX_VALUE);
            };
            var pieces = new ArrayList<Integer>();
            for (int at = 0; at < image.length; at += 1 << 20) {
                if (places.dataFrom(at) < at + (1 << 20) || random.nextInt(4) == 0) {
                    pieces.add(at);
                }
            }
            for (int from = 0; from < pieces.size(); from += 3) {
                Collections.shuffle(pieces.subList(from, Math.min(pieces.size(), from + 3)), random);
            }
            try (var whole = indexOf(image, "whole-" + seed);
                    var file = IndexFile.make(folder.resolve("index-" + seed));
                    var build = new IndexBuild(KERNEL, file, image.length, places)) {
                var watched = build.watched(new Image(image, Optional.empty()));
                for (int at : pieces) {
                    watched.read(at, ByteBuffer.allocateDirect(Math.min(1 << 20, image.length - at)));
                }
                assertThat(build.finish())
                        .as("seed %d", seed)
                        .isEqualTo(BlockIndex.open(whole).root());
            }
        }
    }

    @Test
    void readsThatAreNoWholeBlocksGiveNoIndex() throws Exception {
        var image = image(new Random(4), 1 << 20);
        try (var file = IndexFile.make(folder.resolve("index"));
                var build = new IndexBuild(KERNEL, file, image.length, DataPlaces.EVERYWHERE)) {
            build.watched(new Image(image, Optional.empty())).read(0, ByteBuffer.allocateDirect(100));

            assertThatThrownBy(build::finish).hasMessage("100 bytes from byte 0 on are no whole blocks");
        }
    }
}
