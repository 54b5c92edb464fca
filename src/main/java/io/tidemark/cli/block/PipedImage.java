package io.tidemark.cli.block;

import io.tidemark.block.BlockIndexWriter;
import io.tidemark.block.ImageGeometry;
import io.tidemark.block.LeafDigests;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/**
 * An image that comes through a pipe, hashed as it comes. Its size is known at its end, and an index begins with that:
 * so its digests, 1/256 of it, wait in a temporary file that goes with it.
 */
final class PipedImage implements AutoCloseable {
    /** Whole blocks of every size, and few enough bytes to stay in a cache. */
    private static final int BUFFER_BYTES = 1 << 20;

    private final FileChannel digests;
    private final long sizeBytes;

    private PipedImage(FileChannel digests, long sizeBytes) {
        this.digests = digests;
        this.sizeBytes = sizeBytes;
    }

    /** Reads it to its end. */
    static PipedImage read(
            InputStream pipe, BlockKernel kernel, HashAlgorithm algorithm, int blockBytes, ProgressLine progress)
            throws IOException {
        var digests = temporaryFile();
        var source = Channels.newChannel(pipe);
        var buffer = ByteBuffer.allocateDirect(Math.max(BUFFER_BYTES, blockBytes));
        var found = ByteBuffer.allocateDirect(buffer.capacity() / blockBytes * algorithm.digestBytes());
        long size = 0;
        while (fill(source, buffer.clear())) {
            buffer.flip();
            long blocks = kernel.hashBlocks(buffer, blockBytes, algorithm, found.clear());
            found.limit(Math.toIntExact(blocks * algorithm.digestBytes()));
            while (found.hasRemaining()) {
                digests.write(found);
            }
            size += buffer.limit();
            progress.at(size);
        }
        return new PipedImage(digests, size);
    }

    long sizeBytes() {
        return sizeBytes;
    }

    /** Appends all digests. */
    void appendTo(BlockIndexWriter writer, HashAlgorithm algorithm, ImageGeometry geometry) throws IOException {
        long end = geometry.blockCount() * algorithm.digestBytes();
        var buffer = ByteBuffer.allocate(BUFFER_BYTES);
        for (long at = 0; at < end; at += buffer.limit()) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), end - at));
            readDigests(at, buffer);
            writer.append(buffer.flip());
        }
    }

    /** Of all blocks, as often as asked for. */
    LeafDigests leaves(HashAlgorithm algorithm, int blockBytes) {
        return new Leaves(this, algorithm, new ImageGeometry(sizeBytes, blockBytes));
    }

    private static final class Leaves implements LeafDigests {
        private final PipedImage image;
        private final HashAlgorithm algorithm;
        private final ImageGeometry geometry;
        private final ByteBuffer digests;
        private long span;

        Leaves(PipedImage image, HashAlgorithm algorithm, ImageGeometry geometry) {
            this.image = image;
            this.algorithm = algorithm;
            this.geometry = geometry;
            this.digests = ByteBuffer.allocate(geometry.spanBlocks() * algorithm.digestBytes());
        }

        @Override
        public String name() {
            return StandardInput.NAME;
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
            digests.clear().limit(geometry.spanBlocks(span) * algorithm.digestBytes());
            image.readDigests(span * digests.capacity(), digests);
            span++;
            return digests.flip();
        }

        /** The image has its own end. */
        @Override
        public void close() {}
    }

    private void readDigests(long offsetBytes, ByteBuffer target) throws IOException {
        while (target.hasRemaining()) {
            if (digests.read(target, offsetBytes + target.position()) < 0) {
                throw new IOException("the temporary file of digests became shorter");
            }
        }
    }

    /** Whether anything came; short only at the pipe's end, so that blocks stay whole. */
    private static boolean fill(ReadableByteChannel source, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (source.read(buffer) < 0) {
                break;
            }
        }
        return buffer.position() > 0;
    }

    static FileChannel temporaryFile() throws IOException {
        Path path = Files.createTempFile("tidemark-block-", ".pipe");
        return FileChannel.open(
                path, Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE));
    }

    @Override
    public void close() throws IOException {
        digests.close();
    }
}
