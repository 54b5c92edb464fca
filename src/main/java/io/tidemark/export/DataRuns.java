package io.tidemark.export;

import io.tidemark.export.protocol.Extent;
import io.tidemark.nativeblock.FileRange;
import io.tidemark.nativeblock.HostCallException;
import io.tidemark.nativeblock.HostCalls;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs of data and holes of a file. */
final class DataRuns {
    private DataRuns() {}

    /** One to {@code maximum} runs from the offset on; where the file system lists none, one run of data. */
    static List<Extent> of(HostCalls host, Path file, long offsetBytes, long lengthBytes, int maximum)
            throws IOException {
        List<FileRange> ranges;
        try {
            ranges = host.dataRanges(file, offsetBytes, maximum);
        } catch (HostCallException e) {
            // To call all of it data is always right.
            return List.of(new Extent(lengthBytes, false));
        }
        long end = offsetBytes + lengthBytes;
        // Past the last range of a full answer there may be more data.
        long known =
                ranges.size() < maximum ? end : Math.min(end, ranges.getLast().endBytes());
        return between(ranges, offsetBytes, known, maximum);
    }

    private static List<Extent> between(List<FileRange> ranges, long fromBytes, long endBytes, int maximum) {
        var runs = new ArrayList<Extent>();
        long at = fromBytes;
        for (var range : ranges) {
            long data = Math.clamp(range.offsetBytes(), at, endBytes);
            long dataEnd = Math.clamp(range.endBytes(), data, endBytes);
            add(runs, data - at, true, maximum);
            add(runs, dataEnd - data, false, maximum);
            at = dataEnd;
        }
        add(runs, endBytes - at, true, maximum);
        return runs;
    }

    private static void add(List<Extent> runs, long lengthBytes, boolean zero, int maximum) {
        if (lengthBytes > 0 && runs.size() < maximum) {
            runs.add(new Extent(lengthBytes, zero));
        }
    }
}
