package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.SnapshotReader;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ReadAheadTest {
    private static final int BLOCK = 4 << 10;

    @TempDir
    Path folder;

    @BeforeAll
    static void theLibraryIsHere() {
        assertThat(BlockKernels.hostCalls()).as("built with the native library").isPresent();
    }

    /** Counts what was asked of it. */
    private static final class Source implements ChangedRanges {
        private final List<BlockRange> ranges;
        private int asked;
        private boolean closed;

        Source(List<BlockRange> ranges) {
            this.ranges = ranges;
        }

        @Override
        public int granularityBytes() {
            return BLOCK;
        }

        @Override
        public Confidence confidence() {
            return Confidence.EXACT;
        }

        @Override
        public String source() {
            return "test";
        }

        @Override
        public Optional<BlockRange> next() {
            return asked < ranges.size() ? Optional.of(ranges.get(asked++)) : Optional.empty();
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    private record Image(Optional<Path> path, long sizeBytes) implements SnapshotReader {
        @Override
        public void read(long offsetBytes, ByteBuffer target) {
            throw new AssertionError("nothing is read");
        }

        @Override
        public void close() {}
    }

    private static List<BlockRange> scattered(int count) {
        return LongStream.range(0, count)
                .mapToObj(index -> new BlockRange(index * 64 * BLOCK, BLOCK))
                .toList();
    }

    private static ChangedRanges ahead(Source source, Optional<Path> path) {
        return ahead(source, path, 0);
    }

    private static ChangedRanges ahead(Source source, Optional<Path> path, long resumeBytes) {
        var image = new Image(path, 1L << 40);
        return ReadAhead.of(source, image, image, resumeBytes);
    }

    @Test
    void allRangesAreGivenInOrderAndFewAreAskedForAhead() throws Exception {
        var file = Files.createFile(folder.resolve("empty"));
        var ranges = new ArrayList<>(scattered(5_000));
        ranges.add(new BlockRange(1L << 32, 1L << 33));
        ranges.add(new BlockRange(1L << 34, BLOCK));
        var source = new Source(ranges);
        var given = new ArrayList<BlockRange>();

        try (var ahead = ahead(source, Optional.of(file))) {
            for (var range = ahead.next(); range.isPresent(); range = ahead.next()) {
                given.add(range.get());
                assertThat(source.asked - given.size()).isBetween(0, 1_024);
            }
        }

        assertThat(given).isEqualTo(ranges);
        assertThat(source.closed).isTrue();
    }

    @Test
    void behindALongRangeNothingIsAskedForUntilItIsTaken() throws Exception {
        var file = Files.createFile(folder.resolve("empty"));
        var source = new Source(
                List.of(new BlockRange(0, BLOCK), new BlockRange(1 << 20, 1L << 33), new BlockRange(1L << 34, BLOCK)));

        try (var ahead = ahead(source, Optional.of(file))) {
            ahead.next();

            assertThat(source.asked).isEqualTo(2);
        }
    }

    private Path uncached() throws Exception {
        var file = folder.resolve("image");
        Files.write(file, new byte[16 << 20]);
        var dropped = new ProcessBuilder(
                        "dd", "of=" + file, "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none")
                .inheritIO()
                .start();
        assertThat(dropped.waitFor()).isZero();
        assertThat(cachedBlocks(file)).isEmpty();
        return file;
    }

    private static List<Long> offsets(List<BlockRange> ranges) {
        return ranges.stream().map(BlockRange::offsetBytes).toList();
    }

    @Test
    void blocksOfLaterRangesAreReadWithoutAnybodyReadingThem() throws Exception {
        var file = uncached();
        var ranges = scattered(60);

        try (var ahead = ahead(new Source(ranges), Optional.of(file))) {
            ahead.next();
            while (cachedBlocks(file).size() < ranges.size()) {
                Thread.sleep(5);
            }
        }

        assertThat(cachedBlocks(file)).isEqualTo(offsets(ranges));
    }

    @Test
    void whatAResumedTransferPassesOverIsNotRead() throws Exception {
        var file = uncached();
        var ranges = scattered(60);
        long resume = ranges.get(50).offsetBytes();

        try (var ahead = ahead(new Source(ranges), Optional.of(file), resume)) {
            assertThat(ahead.next()).contains(ranges.getFirst());
            while (cachedBlocks(file).size() < 10) {
                Thread.sleep(5);
            }
        }

        assertThat(cachedBlocks(file)).isEqualTo(offsets(ranges.subList(50, 60)));
    }

    @Test
    void withoutAFileTheRangesAreLeftAlone() {
        var source = new Source(scattered(1));

        assertThat(ahead(source, Optional.empty())).isSameAs(source);
    }

    private static List<Long> cachedBlocks(Path file) throws Exception {
        try (var channel = FileChannel.open(file, StandardOpenOption.READ);
                var arena = Arena.ofConfined()) {
            var mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return LongStream.range(0, channel.size() / BLOCK)
                    .map(index -> index * BLOCK)
                    .filter(at -> mapped.asSlice(at, BLOCK).isLoaded())
                    .boxed()
                    .toList();
        }
    }
}
