package io.tidemark.cli.block;

import io.tidemark.block.ImageGeometry;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.HostCalls;
import io.tidemark.spi.BlockRange;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where a sparse file has data: what lies between reads as zeros and need not be read. Without the native library, on
 * devices and on file systems that do not tell, all of it is data. Asked in ascending order, by one thread.
 */
final class DataRanges {
    /** Below this, asking costs more than reading; asking also makes the kernel write the file's dirty pages out. */
    private static final long MINIMUM_FILE_BYTES = 64L << 20;

    /** Fetched at once: 128 KiB of answers. */
    private static final int RANGES_PER_CALL = 4096;

    private final Path file;
    private final ImageGeometry geometry;
    private final Optional<HostCalls> calls;
    private final ArrayDeque<BlockRange> fetched = new ArrayDeque<>();
    private long fetchFromBytes;
    private boolean allFetched;

    private DataRanges(Path file, ImageGeometry geometry, Optional<HostCalls> calls) {
        this.file = file;
        this.geometry = geometry;
        this.calls = calls;
    }

    static DataRanges of(ImageFile image, ImageGeometry geometry) {
        var calls = image.fixedSize() || geometry.sizeBytes() < MINIMUM_FILE_BYTES
                ? Optional.<HostCalls>empty()
                : BlockKernels.hostCalls();
        if (calls.isPresent()) {
            var ranges = new DataRanges(image.path(), geometry, calls);
            try {
                ranges.fetch();
                return ranges;
            } catch (IOException e) {
                // This file system does not list extents.
                return new DataRanges(image.path(), geometry, Optional.empty());
            }
        }
        return new DataRanges(image.path(), geometry, calls);
    }

    /** The parts of {@code [from, to)} to read, in whole blocks; both ends are block borders or the image's end. */
    List<BlockRange> within(long fromBytes, long toBytes) throws IOException {
        if (calls.isEmpty()) {
            return List.of(new BlockRange(fromBytes, toBytes - fromBytes));
        }
        var found = new ArrayList<BlockRange>();
        while (true) {
            if (fetched.isEmpty() && !allFetched) {
                fetch();
            }
            var next = fetched.peek();
            if (next == null || next.offsetBytes() >= toBytes) {
                return found;
            }
            if (next.endBytes() > fromBytes) {
                add(found, Math.max(fromBytes, next.offsetBytes()), Math.min(toBytes, next.endBytes()));
            }
            if (next.endBytes() > toBytes) {
                return found;
            }
            fetched.remove();
        }
    }

    private void add(List<BlockRange> found, long fromBytes, long toBytes) {
        if (!found.isEmpty() && found.getLast().endBytes() >= fromBytes) {
            var last = found.removeLast();
            found.add(new BlockRange(last.offsetBytes(), Math.max(last.endBytes(), toBytes) - last.offsetBytes()));
        } else {
            found.add(new BlockRange(fromBytes, toBytes - fromBytes));
        }
    }

    private void fetch() throws IOException {
        var ranges = calls.orElseThrow().dataRanges(file, fetchFromBytes, RANGES_PER_CALL);
        for (var range : ranges) {
            fetchFromBytes = range.endBytes();
            long from = roundDown(range.offsetBytes());
            long to = Math.min(geometry.sizeBytes(), roundDown(fetchFromBytes + geometry.blockBytes() - 1));
            if (from < to) {
                fetched.add(new BlockRange(from, to - from));
            }
        }
        allFetched = ranges.size() < RANGES_PER_CALL;
    }

    private long roundDown(long bytes) {
        return bytes & -geometry.blockBytes();
    }
}
