package io.tidemark.agent;

import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.FileRange;
import io.tidemark.nativeblock.HostCalls;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Ranges whose blocks are being read from the storage while those before them are compared and sent: one read at a time
 * of scattered blocks would wait for the storage as often as there are blocks.
 */
final class ReadAhead implements ChangedRanges {
    /** Ahead at most: of what is asked for so early, little is pushed out of memory again before its turn. */
    private static final long AHEAD_BYTES = 16L << 20;

    /** As many single blocks as the deepest queue of a device takes several times over. */
    private static final int AHEAD_RANGES = 1_024;

    private final ChangedRanges ranges;
    private final List<Path> files;
    private final HostCalls calls;
    private final long resumeBytes;
    private final ArrayDeque<BlockRange> ahead = new ArrayDeque<>();
    private long aheadBytes;
    private boolean ended;

    private ReadAhead(ChangedRanges ranges, List<Path> files, HostCalls calls, long resumeBytes) {
        this.ranges = ranges;
        this.files = files;
        this.calls = calls;
        this.resumeBytes = resumeBytes;
    }

    /**
     * The ranges themselves where no file of this host is read, or nobody can be advised.
     *
     * @param resumeBytes what lies below is given, and read by nobody
     */
    static ChangedRanges of(ChangedRanges ranges, SnapshotReader older, SnapshotReader newer, long resumeBytes) {
        var files =
                Stream.of(older.path(), newer.path()).flatMap(Optional::stream).toList();
        var calls = BlockKernels.hostCalls();
        return files.isEmpty() || calls.isEmpty() ? ranges : new ReadAhead(ranges, files, calls.get(), resumeBytes);
    }

    @Override
    public Optional<BlockRange> next() throws ProviderException {
        if (2 * aheadBytes <= AHEAD_BYTES && 2 * ahead.size() <= AHEAD_RANGES && !ended) {
            fetch();
        }
        var next = Optional.ofNullable(ahead.poll());
        next.ifPresent(range -> aheadBytes -= range.lengthBytes());
        return next;
    }

    private void fetch() throws ProviderException {
        var fetched = new ArrayList<FileRange>();
        while (aheadBytes < AHEAD_BYTES && ahead.size() < AHEAD_RANGES && !ended) {
            var range = ranges.next();
            ended = range.isEmpty();
            range.ifPresent(found -> {
                ahead.add(found);
                long from = Math.max(resumeBytes, found.offsetBytes());
                if (from < found.endBytes()) {
                    // Of a long one the beginning: the kernel sees by itself how it goes on.
                    fetched.add(new FileRange(from, Math.min(found.endBytes() - from, AHEAD_BYTES)));
                }
                aheadBytes += found.lengthBytes();
            });
        }
        for (var file : files) {
            try {
                calls.willRead(file, fetched);
            } catch (IOException e) {
                // Advice: who reads it hears of what is wrong with the file.
                return;
            }
        }
    }

    @Override
    public int granularityBytes() {
        return ranges.granularityBytes();
    }

    @Override
    public Confidence confidence() {
        return ranges.confidence();
    }

    @Override
    public String source() {
        return ranges.source();
    }

    @Override
    public void close() throws ProviderException {
        ranges.close();
    }
}
