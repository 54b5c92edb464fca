package io.tidemark.nativeblock;

import java.util.List;

/**
 * What of a file is read, in which blocks and how.
 *
 * @param baseBytes where block 0 of the outputs starts; a multiple of {@code blockBytes}, not after any range
 * @param ranges ascending and disjoint; offsets are multiples of {@code blockBytes}, lengths too, but for the last one's
 * @param threads that compute, 1 to {@link #THREADS_MAX}
 * @param readBy asked for; what served is known by {@link ScanControl#readBy} afterwards
 */
public record FileReading(long baseBytes, List<FileRange> ranges, int blockBytes, int threads, ReadBy readBy) {
    public static final int THREADS_MAX = 256;

    public FileReading {
        BlockArguments.checkBlockBytes(blockBytes);
        if (baseBytes < 0 || baseBytes % blockBytes != 0) {
            throw new IllegalArgumentException(
                    "baseBytes is not a multiple of %d: %d".formatted(blockBytes, baseBytes));
        }
        if (threads < 1 || threads > THREADS_MAX) {
            throw new IllegalArgumentException("threads is not within 1 to %d: %d".formatted(THREADS_MAX, threads));
        }
        ranges = List.copyOf(ranges);
        long from = baseBytes;
        for (int i = 0; i < ranges.size(); i++) {
            var range = ranges.get(i);
            boolean whole = i == ranges.size() - 1 || range.lengthBytes() % blockBytes == 0;
            if (range.offsetBytes() < from || range.offsetBytes() % blockBytes != 0 || !whole) {
                throw new IllegalArgumentException(
                        "%s is not in order or not in whole blocks of %d bytes".formatted(range, blockBytes));
            }
            from = range.endBytes();
        }
    }

    /** Blocks from the base to the end of the last range: what outputs must hold. */
    public long blockSpan() {
        return ranges.isEmpty() ? 0 : BlockArguments.blockCount(ranges.getLast().endBytes() - baseBytes, blockBytes);
    }

    /** Position in the outputs of the block that starts there. */
    long blockAt(long offsetBytes) {
        return (offsetBytes - baseBytes) / blockBytes;
    }
}
