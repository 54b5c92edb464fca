package io.tidemark.nativeblock;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** The structs of {@code tidemark_block.h}, filled in; {@code scan.c} asserts the same offsets. */
final class NativeStructs {
    private static final int READING_BYTES = 40;
    private static final int RANGE_BYTES = 16;

    private static final int SCAN_READING = 8;
    private static final int SCAN_DIGESTS = SCAN_READING + READING_BYTES;
    private static final int SCAN_STORED = SCAN_DIGESTS + 16;
    private static final int SCAN_DIFFERING = SCAN_STORED + 16;
    private static final int SCAN_ZERO = SCAN_DIFFERING + 16;
    private static final int SCAN_ALGORITHM = SCAN_ZERO + 16;
    private static final int SCAN_DIFFERING_BLOCKS = SCAN_ALGORITHM + 8;
    private static final int SCAN_ZERO_BLOCKS = SCAN_DIFFERING_BLOCKS + 8;
    private static final int SCAN_BYTES = SCAN_ZERO_BLOCKS + 8;

    private static final int COMPARISON_READING = 16;
    private static final int COMPARISON_BITS = COMPARISON_READING + READING_BYTES;
    private static final int COMPARISON_BYTES = COMPARISON_BITS + 16;

    private NativeStructs() {}

    /** {@code struct tidemark_scan}, which lives as long as the arena; the buffers it points to are the caller's. */
    static MemorySegment scan(Arena arena, FileScan scan) {
        var struct = arena.allocate(SCAN_BYTES, Long.BYTES);
        putPath(arena, struct, 0, scan.file());
        putReading(arena, struct, SCAN_READING, scan.reading());
        if (scan.digests().isPresent()) {
            putBuffer(struct, SCAN_DIGESTS, scan.digests().get());
        }
        if (scan.stored().isPresent()) {
            putBuffer(struct, SCAN_STORED, scan.stored().get().digests());
            putBuffer(struct, SCAN_DIFFERING, scan.stored().get().differingBits());
        }
        if (scan.zeroBits().isPresent()) {
            putBuffer(struct, SCAN_ZERO, scan.zeroBits().get());
        }
        struct.set(ValueLayout.JAVA_INT, SCAN_ALGORITHM, scan.algorithm().code());
        return struct;
    }

    static FileScan.Counts counts(MemorySegment scan, long blocks) {
        return new FileScan.Counts(
                blocks,
                scan.get(ValueLayout.JAVA_LONG, SCAN_DIFFERING_BLOCKS),
                scan.get(ValueLayout.JAVA_LONG, SCAN_ZERO_BLOCKS));
    }

    /** {@code struct tidemark_comparison}, likewise. */
    static MemorySegment comparison(Arena arena, FileComparison comparison) {
        var struct = arena.allocate(COMPARISON_BYTES, Long.BYTES);
        putPath(arena, struct, 0, comparison.left());
        putPath(arena, struct, Long.BYTES, comparison.right());
        putReading(arena, struct, COMPARISON_READING, comparison.reading());
        putBuffer(struct, COMPARISON_BITS, comparison.differingBits());
        return struct;
    }

    private static void putReading(Arena arena, MemorySegment struct, int at, FileReading reading) {
        var ranges = arena.allocate(Math.max(1, reading.ranges().size()) * (long) RANGE_BYTES, Long.BYTES);
        long offset = 0;
        for (var range : reading.ranges()) {
            ranges.set(ValueLayout.JAVA_LONG, offset, range.offsetBytes());
            ranges.set(ValueLayout.JAVA_LONG, offset + Long.BYTES, range.lengthBytes());
            offset += RANGE_BYTES;
        }
        struct.set(ValueLayout.JAVA_LONG, at, ranges.address());
        struct.set(ValueLayout.JAVA_LONG, at + 8L, reading.ranges().size());
        struct.set(ValueLayout.JAVA_LONG, at + 16L, reading.baseBytes());
        struct.set(ValueLayout.JAVA_INT, at + 24L, reading.blockBytes());
        struct.set(ValueLayout.JAVA_INT, at + 28L, reading.threads());
        struct.set(ValueLayout.JAVA_INT, at + 32L, reading.readBy().code());
    }

    private static void putPath(Arena arena, MemorySegment struct, int at, Path path) {
        var bytes = NativePath.bytes(path);
        var copy = arena.allocate(bytes.length);
        MemorySegment.copy(bytes, 0, copy, ValueLayout.JAVA_BYTE, 0, bytes.length);
        struct.set(ValueLayout.JAVA_LONG, at, copy.address());
    }

    /** Address and length: members that follow each other in every struct. */
    private static void putBuffer(MemorySegment struct, int at, ByteBuffer buffer) {
        struct.set(ValueLayout.JAVA_LONG, at, NativeBlockKernel.address(buffer));
        struct.set(ValueLayout.JAVA_LONG, at + 8L, buffer.remaining());
    }
}
