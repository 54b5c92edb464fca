package io.tidemark.nativeblock;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** {@link FileComparison} in Java. */
final class JavaFileComparison {
    private final JavaBlockKernel kernel;
    private final FileComparison comparison;
    /** Guarded by this, as is the bitmap: pieces of several threads share bytes of it. */
    private long differingBlocks;

    JavaFileComparison(JavaBlockKernel kernel, FileComparison comparison) {
        this.kernel = kernel;
        this.comparison = comparison;
    }

    long run(ScanControl control) throws IOException {
        new JavaFileReader(List.of(comparison.left(), comparison.right()), comparison.reading(), control, this::piece)
                .run();
        synchronized (this) {
            return differingBlocks;
        }
    }

    private void piece(long offsetBytes, List<ByteBuffer> data) {
        int blockBytes = comparison.reading().blockBytes();
        int count = Math.toIntExact(BlockArguments.blockCount(data.getFirst().remaining(), blockBytes));
        var found = ByteBuffer.allocateDirect(Math.ceilDiv(count, Byte.SIZE));
        long differing = kernel.diffBlocks(data.getFirst(), data.getLast(), blockBytes, found);
        synchronized (this) {
            differingBlocks += differing;
            JavaBlockKernel.setBits(
                    found,
                    count,
                    comparison.differingBits(),
                    comparison.reading().blockAt(offsetBytes));
        }
    }
}
