package io.tidemark.provider.image;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.HostCalls;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.function.LongConsumer;

/** Copies an image, leaving holes where it holds zeros. */
final class SparseCopy {
    /** One request: large enough that calls cost nothing, small enough to stay in the processor's cache. */
    private static final int CHUNK_BYTES = 1 << 20;

    /** Zeros are looked for in pieces of this, the block size of the file systems we know. */
    private static final int PAGE_BYTES = 4_096;

    /** Extents listed by one host call. */
    static final int EXTENTS_A_CALL = 4_096;

    private static final BlockKernel KERNEL = BlockKernels.best();

    private final Optional<HostCalls> host;

    SparseCopy(Optional<HostCalls> host) {
        this.host = host;
    }

    /** Bytes that a copy will need at most: what is allocated, where the host can tell, else the whole size. */
    long neededBytes(Path source, long sizeBytes) throws IOException {
        if (host.isEmpty()) {
            return sizeBytes;
        }
        long needed = 0;
        long from = 0;
        while (true) {
            var extents = host.get().extents(source, from, EXTENTS_A_CALL);
            for (var extent : extents) {
                boolean written = (extent.flags() & HostCalls.Extent.UNWRITTEN) == 0;
                needed += written ? extent.lengthBytes() : 0;
                from = extent.logicalBytes() + extent.lengthBytes();
            }
            if (extents.size() < EXTENTS_A_CALL) {
                return Math.min(needed, sizeBytes);
            }
        }
    }

    /**
     * Copies all of {@code source} into the new file {@code target}; not synced.
     *
     * @param copied told the number of bytes after every chunk
     */
    void copy(Path source, Path target, LongConsumer copied) throws IOException {
        createSparse(target, Files.size(source));
        try (var from = FileChannel.open(source, StandardOpenOption.READ);
                var to = FileChannel.open(target, StandardOpenOption.WRITE)) {
            long size = from.size();
            if (host.isEmpty()) {
                copyRange(from, to, 0, size, copied);
                return;
            }
            long offset = 0;
            while (offset < size) {
                var extents = host.get().extents(source, offset, EXTENTS_A_CALL);
                for (var extent : extents) {
                    long end = Math.min(size, extent.logicalBytes() + extent.lengthBytes());
                    if ((extent.flags() & HostCalls.Extent.UNWRITTEN) == 0 && end > extent.logicalBytes()) {
                        copyRange(from, to, extent.logicalBytes(), end, copied);
                    }
                    offset = extent.logicalBytes() + extent.lengthBytes();
                }
                if (extents.size() < EXTENTS_A_CALL) {
                    return;
                }
            }
        }
    }

    /** Makes a new file of the size, all of it a hole, that only its owner may use. */
    static void createSparse(Path file, long sizeBytes) throws IOException {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try (var access = new RandomAccessFile(file.toFile(), "rw")) {
            access.setLength(sizeBytes);
        }
    }

    private static void copyRange(FileChannel from, FileChannel to, long start, long end, LongConsumer copied)
            throws IOException {
        var chunk = ByteBuffer.allocateDirect(CHUNK_BYTES);
        var zeroPages = ByteBuffer.allocateDirect(CHUNK_BYTES / PAGE_BYTES / Byte.SIZE);
        long offset = start;
        while (offset < end) {
            chunk.clear().limit((int) Math.min(CHUNK_BYTES, end - offset));
            if (from.read(chunk, offset) <= 0) {
                return;
            }
            chunk.flip();
            int length = chunk.remaining();
            writeNonZero(to, offset, chunk, zeroPages);
            offset += length;
            copied.accept(length);
        }
    }

    /** Writes runs of pages that hold anything, and leaves the rest as the holes they are in the new file. */
    private static void writeNonZero(FileChannel to, long offset, ByteBuffer chunk, ByteBuffer zeroPages)
            throws IOException {
        int limit = chunk.limit();
        for (int index = 0; index < zeroPages.capacity(); index++) {
            zeroPages.put(index, (byte) 0);
        }
        // One call for all pages: a view for each would be garbage of 1/32 of what is copied.
        if (KERNEL.zeroBlocks(chunk, PAGE_BYTES, zeroPages.clear()) == 0) {
            writeFully(to, offset, chunk);
            return;
        }
        int runStart = 0;
        for (int page = 0; page < limit; page += PAGE_BYTES) {
            int pageEnd = Math.min(page + PAGE_BYTES, limit);
            int number = page / PAGE_BYTES;
            if ((zeroPages.get(number / Byte.SIZE) >> number % Byte.SIZE & 1) != 0) {
                writeFully(to, offset + runStart, chunk.slice(runStart, page - runStart));
                runStart = pageEnd;
            }
        }
        writeFully(to, offset + runStart, chunk.slice(runStart, limit - runStart));
    }

    static void writeFully(FileChannel to, long offset, ByteBuffer bytes) throws IOException {
        long at = offset;
        while (bytes.hasRemaining()) {
            at += to.write(bytes, at);
        }
    }
}
