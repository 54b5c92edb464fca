package io.tidemark.provider.image;

import io.tidemark.nativeblock.HostCalls;
import io.tidemark.nativeblock.HostCalls.Extent;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A file's extents in order, asked for some thousands at a time, with the holes between them. */
final class ExtentWalk {
    /** 128 KiB of answers; the call's own cost no longer counts. */
    private static final int EXTENTS_A_CALL = 4_096;

    /**
     * A stretch of the file.
     *
     * @param physicalBytes where its first byte lies; -1 for a hole or unwritten space, which read as zeros
     * @param comparable whether the place says what the bytes are
     */
    record Stretch(long startBytes, long endBytes, long physicalBytes, boolean comparable) {
        static final long NOWHERE = -1;

        boolean isHole() {
            return physicalBytes == NOWHERE;
        }

        /** Whether both files have the same bytes from {@code offset} on, as far as both stretches go. */
        boolean sameAt(long offset, Stretch other) {
            if (isHole() || other.isHole()) {
                return isHole() && other.isHole();
            }
            return comparable
                    && other.comparable
                    && physicalBytes + (offset - startBytes) == other.physicalBytes + (offset - other.startBytes);
        }
    }

    private final HostCalls host;
    private final Path file;
    private List<Extent> page = List.of();
    private int nextIndex;
    private long askFrom;
    private boolean lastPage;
    private @Nullable Extent ahead;
    private long position;

    ExtentWalk(HostCalls host, Path file) {
        this.host = host;
        this.file = file;
    }

    /** The stretch that begins where the last one ended; after the last extent one endless hole. */
    Stretch next() throws IOException {
        if (ahead == null) {
            ahead = nextExtent();
        }
        var extent = ahead;
        long start = position;
        if (extent == null) {
            position = Long.MAX_VALUE;
            return new Stretch(start, Long.MAX_VALUE, Stretch.NOWHERE, true);
        }
        if (extent.logicalBytes() > start) {
            position = extent.logicalBytes();
            return new Stretch(start, position, Stretch.NOWHERE, true);
        }
        ahead = null;
        position = Math.max(start, extent.logicalBytes() + extent.lengthBytes());
        boolean unwritten = (extent.flags() & Extent.UNWRITTEN) != 0;
        boolean comparable = (extent.flags() & Extent.NOT_COMPARABLE) == 0;
        long physical = extent.physicalBytes() + (start - extent.logicalBytes());
        return new Stretch(start, position, unwritten && comparable ? Stretch.NOWHERE : physical, comparable);
    }

    private @Nullable Extent nextExtent() throws IOException {
        while (nextIndex == page.size()) {
            if (lastPage) {
                return null;
            }
            page = host.extents(file, askFrom, EXTENTS_A_CALL);
            nextIndex = 0;
            lastPage = page.size() < EXTENTS_A_CALL;
            if (!page.isEmpty()) {
                askFrom = page.getLast().logicalBytes() + page.getLast().lengthBytes();
            }
        }
        return page.get(nextIndex++);
    }
}
