package io.tidemark.nativeblock;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** {@link FileScan} in Java. */
final class JavaFileScan {
    private final JavaBlockKernel kernel;
    private final FileScan scan;
    private final int blockBytes;
    private final int digestBytes;
    /** These three are guarded by this, as are the bitmaps: pieces of several threads share bytes of them. */
    private long blocks;

    private long differingBlocks;
    private long zeroBlocks;

    JavaFileScan(JavaBlockKernel kernel, FileScan scan) {
        this.kernel = kernel;
        this.scan = scan;
        this.blockBytes = scan.reading().blockBytes();
        this.digestBytes = scan.algorithm().digestBytes();
    }

    FileScan.Counts run(ScanControl control) throws IOException {
        new JavaFileReader(List.of(scan.file()), scan.reading(), control, this::piece).run();
        synchronized (this) {
            return new FileScan.Counts(blocks, differingBlocks, zeroBlocks);
        }
    }

    private void piece(long offsetBytes, List<ByteBuffer> data) {
        var bytes = data.getFirst();
        int first = Math.toIntExact(scan.reading().blockAt(offsetBytes));
        int count = Math.toIntExact(BlockArguments.blockCount(bytes.remaining(), blockBytes));
        if (scan.digests().isPresent() || scan.stored().isPresent()) {
            var digests = scan.digests()
                    .map(all -> entries(all, first, count))
                    .orElseGet(() -> ByteBuffer.allocateDirect(count * digestBytes));
            kernel.hashBlocks(bytes, blockBytes, scan.algorithm(), digests);
            scan.stored().ifPresent(stored -> compare(stored, first, count, digests));
        }
        scan.zeroBits().ifPresent(bits -> findZeros(bytes, first, count, bits));
        synchronized (this) {
            blocks += count;
        }
    }

    private ByteBuffer entries(ByteBuffer all, int first, int count) {
        return all.slice(all.position() + first * digestBytes, count * digestBytes);
    }

    private synchronized void compare(FileScan.Stored stored, int first, int count, ByteBuffer digests) {
        var before = entries(stored.digests(), first, count);
        for (int i = 0; i < count; i++) {
            if (before.slice(i * digestBytes, digestBytes).mismatch(digests.slice(i * digestBytes, digestBytes)) >= 0) {
                JavaBlockKernel.setBit(stored.differingBits(), first + i);
                differingBlocks++;
            }
        }
    }

    private synchronized void findZeros(ByteBuffer bytes, int first, int count, ByteBuffer bits) {
        var found = ByteBuffer.allocateDirect(Math.ceilDiv(count, Byte.SIZE));
        zeroBlocks += kernel.zeroBlocks(bytes, blockBytes, found);
        JavaBlockKernel.setBits(found, count, bits, first);
    }
}
