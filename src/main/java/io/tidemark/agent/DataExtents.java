package io.tidemark.agent;

import io.tidemark.block.DataPlaces;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.FileRange;
import io.tidemark.nativeblock.HostCalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Where a file may have data; between, it reads as zeros and need not be read: a sparse terabyte costs as much as what
 * is in it. Without the native library, on devices and on file systems that do not list extents, all of it may be data.
 * Asked in ascending order, by one thread; whoever writes to the file meanwhile writes behind what was asked.
 */
final class DataExtents implements DataPlaces {
    /** Below this, asking costs more than reading: it makes the kernel write the file's dirty pages out. */
    private static final long MINIMUM_FILE_BYTES = 64L << 20;

    /** Fetched at once: 128 KiB of answers. */
    private static final int RANGES_A_CALL = 4_096;

    private final Path file;
    private Optional<HostCalls> host;
    private List<FileRange> page = List.of();
    private int index;
    private long fetchFromBytes;
    private boolean last;

    private DataExtents(Path file, Optional<HostCalls> host) {
        this.file = file;
        this.host = host;
    }

    static DataExtents of(Optional<Path> file, long sizeBytes) {
        boolean sparse = sizeBytes >= MINIMUM_FILE_BYTES
                && file.filter(Files::isRegularFile).isPresent();
        return new DataExtents(file.orElse(Path.of("")), sparse ? BlockKernels.hostCalls() : Optional.empty());
    }

    /** False only where every byte of the range is zero. */
    boolean mayHaveData(long offsetBytes, long lengthBytes) {
        return dataFrom(offsetBytes) < offsetBytes + lengthBytes;
    }

    /** Whether at least half of the file may be data; looks no further than that takes. */
    static boolean mostlyData(Optional<Path> file, long sizeBytes) {
        var extents = of(file, sizeBytes);
        long data = 0;
        for (long at = extents.dataFrom(0); at < sizeBytes && data < sizeBytes - data; ) {
            long end = Math.min(sizeBytes, extents.dataEnd(at));
            data += end - at;
            at = extents.dataFrom(end);
        }
        return data >= sizeBytes - data;
    }

    @Override
    public long dataFrom(long offsetBytes) {
        var extent = extentBehind(offsetBytes);
        if (host.isEmpty()) {
            return offsetBytes;
        }
        return extent.map(found -> Math.max(offsetBytes, found.offsetBytes())).orElse(Long.MAX_VALUE);
    }

    /** Where the data ends that begins at what {@link #dataFrom} has answered; no sooner than it does. */
    long dataEnd(long offsetBytes) {
        var extent = extentBehind(offsetBytes);
        if (host.isEmpty() || extent.isEmpty()) {
            return Long.MAX_VALUE;
        }
        return extent.get().endBytes();
    }

    /** The first extent that ends behind the offset; empty when there is none, or nobody to ask. */
    private Optional<FileRange> extentBehind(long offsetBytes) {
        try {
            while (host.isPresent()) {
                while (index < page.size() && page.get(index).endBytes() <= offsetBytes) {
                    index++;
                }
                if (index < page.size()) {
                    return Optional.of(page.get(index));
                }
                if (last) {
                    return Optional.empty();
                }
                fetch(host.get());
            }
        } catch (IOException e) {
            // This file system does not list extents.
            host = Optional.empty();
        }
        return Optional.empty();
    }

    private void fetch(HostCalls calls) throws IOException {
        page = calls.dataRanges(file, fetchFromBytes, RANGES_A_CALL);
        index = 0;
        last = page.size() < RANGES_A_CALL;
        if (!page.isEmpty()) {
            fetchFromBytes = page.getLast().endBytes();
        }
    }
}
