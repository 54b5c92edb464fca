package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataRangesTest {
    private static final long MIB = 1L << 20;
    private static final long SIZE = 256 * MIB;

    @TempDir
    Path folder;

    private record Image(Optional<Path> path, long sizeBytes) implements SnapshotReader {
        @Override
        public void read(long offsetBytes, ByteBuffer target) {
            throw new AssertionError("nothing is read to tell holes");
        }

        @Override
        public void close() {}
    }

    private Image image(String name, long size, long... offsets) throws Exception {
        var file = folder.resolve(name);
        try (var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            for (long offset : offsets) {
                channel.write(ByteBuffer.allocate((int) MIB).put(0, (byte) 1), offset);
            }
            if (channel.size() < size) {
                channel.write(ByteBuffer.allocate(1), size - 1);
            }
        }
        return new Image(Optional.of(file), size);
    }

    private static List<BlockRange> all(DataRanges ranges) {
        var all = new ArrayList<BlockRange>();
        for (var range = ranges.next(); range.isPresent(); range = ranges.next()) {
            all.add(range.get());
        }
        return all;
    }

    private static boolean within(List<BlockRange> ranges, long offset) {
        return ranges.stream().anyMatch(range -> range.offsetBytes() <= offset && offset < range.endBytes());
    }

    @Test
    void dataOfEitherIsNamedAndCommonHolesAreNot() throws Exception {
        assumeTrue(BlockKernels.hostCalls().isPresent(), "holes are told by the native library");
        var older = image("older", SIZE, 0, 100 * MIB);
        var newer = image("newer", SIZE, 50 * MIB, 100 * MIB, 200 * MIB);

        var ranges = all(DataRanges.of(older, newer));

        for (long data : List.of(0L, 50 * MIB, 100 * MIB, 200 * MIB, SIZE - 1)) {
            assertThat(within(ranges, data)).as("byte %d", data).isTrue();
        }
        for (long hole : List.of(10 * MIB, 75 * MIB, 150 * MIB, 250 * MIB)) {
            assertThat(within(ranges, hole)).as("byte %d", hole).isFalse();
        }
    }

    @Test
    void whatTheNewerHasPastTheOlderEndIsNamedHolesToo() throws Exception {
        var ranges = all(DataRanges.of(image("short", 128 * MIB, 0), image("long", SIZE, 0)));

        assertThat(within(ranges, 200 * MIB)).isTrue();
        assertThat(ranges.getLast().endBytes()).isEqualTo(SIZE);
    }

    @Test
    void whereNothingIsKnownAllIsNamed() {
        var unknown = new Image(Optional.empty(), SIZE);

        assertThat(all(DataRanges.of(unknown, unknown))).containsExactly(new BlockRange(0, SIZE));
    }
}
