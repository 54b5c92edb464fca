package io.tidemark.block;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** An image, index or delta in an array; may stop writing after so many calls, as a killed process does. */
final class MemoryImage implements ImageWriter {
    /** Thrown where the writer dies. */
    static final class Killed extends IOException {
        private static final long serialVersionUID = 1L;
    }

    private byte[] bytes;
    private int writesBeforeKilled = Integer.MAX_VALUE;

    MemoryImage(byte... bytes) {
        this.bytes = bytes.clone();
    }

    byte[] bytes() {
        return bytes.clone();
    }

    MemoryImage killedAfter(int writes) {
        writesBeforeKilled = writes;
        return this;
    }

    /** Hashes all of it, one span at a time. */
    LeafDigests leaves(BlockKernel kernel, HashAlgorithm algorithm, int blockBytes) {
        return new Leaves(kernel, algorithm, new ImageGeometry(bytes.length, blockBytes));
    }

    @Override
    public String name() {
        return "memory";
    }

    @Override
    public long sizeBytes() {
        return bytes.length;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws IOException {
        if (offsetBytes + target.remaining() > bytes.length) {
            throw new EOFException("read past the end of the image");
        }
        target.put(bytes, (int) offsetBytes, target.remaining());
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) throws IOException {
        dieWhenDue();
        int end = (int) offsetBytes + source.remaining();
        if (end > bytes.length) {
            bytes = Arrays.copyOf(bytes, end);
        }
        source.get(bytes, (int) offsetBytes, source.remaining());
    }

    @Override
    public boolean fixedSize() {
        return false;
    }

    @Override
    public void resize(long sizeBytes) throws IOException {
        dieWhenDue();
        bytes = Arrays.copyOf(bytes, (int) sizeBytes);
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes) throws IOException {
        dieWhenDue();
        Arrays.fill(bytes, (int) offsetBytes, (int) (offsetBytes + lengthBytes), (byte) 0);
    }

    @Override
    public void flush() throws IOException {
        dieWhenDue();
    }

    private void dieWhenDue() throws Killed {
        if (writesBeforeKilled-- == 0) {
            throw new Killed();
        }
    }

    private final class Leaves implements LeafDigests {
        private final BlockKernel kernel;
        private final HashAlgorithm algorithm;
        private final ImageGeometry geometry;
        private long span;

        Leaves(BlockKernel kernel, HashAlgorithm algorithm, ImageGeometry geometry) {
            this.kernel = kernel;
            this.algorithm = algorithm;
            this.geometry = geometry;
        }

        @Override
        public String name() {
            return "memory";
        }

        @Override
        public HashAlgorithm algorithm() {
            return algorithm;
        }

        @Override
        public ImageGeometry geometry() {
            return geometry;
        }

        @Override
        public ByteBuffer nextSpan() throws IOException {
            int blocks = geometry.spanBlocks(span);
            long first = span * geometry.spanBlocks();
            var digests = ByteBuffer.allocateDirect(blocks * algorithm.digestBytes());
            if (blocks > 0) {
                var data = ByteBuffer.allocateDirect((int) geometry.lengthBytes(first, blocks));
                read(first * geometry.blockBytes(), data);
                kernel.hashBlocks(data.flip(), geometry.blockBytes(), algorithm, digests);
            }
            span++;
            return digests;
        }

        @Override
        public void close() {}
    }
}
