package io.tidemark.agent;

import io.tidemark.block.RangeAlgebra;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.SnapshotReader;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What has to be compared where no storage says what changed: all that may hold data in one image or the other, and
 * what the newer one has past the older one's end. Where both have holes both are zeros, and equal.
 */
final class DataRanges implements ChangedRanges {
    /** Longest range put together from neighbouring extents: the first is not waited for long. */
    private static final long RANGE_BYTES_MAXIMUM = 1L << 30;

    private final DataExtents older;
    private final DataExtents newer;
    private final long commonBytes;
    private final long newerBytes;
    private long fromBytes;

    private DataRanges(DataExtents older, DataExtents newer, long olderBytes, long newerBytes) {
        this.older = older;
        this.newer = newer;
        this.commonBytes = Math.min(olderBytes, newerBytes);
        this.newerBytes = newerBytes;
    }

    static DataRanges of(SnapshotReader older, SnapshotReader newer) {
        return of(older, newer.path(), newer.sizeBytes());
    }

    /** @param file of the newer image, where there is one; written by nobody meanwhile */
    static DataRanges of(SnapshotReader older, Optional<Path> file, long newerBytes) {
        return new DataRanges(
                DataExtents.of(older.path(), older.sizeBytes()),
                DataExtents.of(file, newerBytes),
                older.sizeBytes(),
                newerBytes);
    }

    @Override
    public int granularityBytes() {
        return 4 << 10;
    }

    @Override
    public Confidence confidence() {
        return Confidence.COARSE;
    }

    @Override
    public String source() {
        return RangeAlgebra.WHOLE;
    }

    @Override
    public Optional<BlockRange> next() {
        long start = dataFrom(fromBytes);
        if (start >= newerBytes) {
            fromBytes = newerBytes;
            return Optional.empty();
        }
        long end = dataEnd(start);
        while (end < newerBytes && end - start < RANGE_BYTES_MAXIMUM && dataFrom(end) == end) {
            end = dataEnd(end);
        }
        fromBytes = end;
        return Optional.of(new BlockRange(start, end - start));
    }

    private long dataFrom(long offsetBytes) {
        if (offsetBytes >= commonBytes) {
            return offsetBytes;
        }
        return Math.min(commonBytes, Math.min(older.dataFrom(offsetBytes), newer.dataFrom(offsetBytes)));
    }

    /** Of the data that begins at the offset, in whichever image. */
    private long dataEnd(long offsetBytes) {
        if (offsetBytes >= commonBytes) {
            return newerBytes;
        }
        var first = older.dataFrom(offsetBytes) == offsetBytes ? older : newer;
        return Math.min(commonBytes, first.dataEnd(offsetBytes));
    }

    @Override
    public void close() {}
}
