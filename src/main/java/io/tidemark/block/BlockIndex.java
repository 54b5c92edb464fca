package io.tidemark.block;

import io.tidemark.nativeblock.HashAlgorithm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * A block-hash index file, read as needed. Nothing of it is believed unchecked: header and lengths when opened, each
 * chunk of digests when first read. Damage shows as an {@link IOException} where {@link DigestLevels} is used and as
 * {@link BlockError.Damaged} through {@link #leaves}. Not for several threads at once.
 */
public final class BlockIndex implements DigestLevels<IOException> {
    private final ByteReader file;
    private final HashAlgorithm algorithm;
    private final ImageGeometry geometry;
    private final BlockIndexFormat format;
    private final Digest root;
    private final Chunk[] chunks;

    private BlockIndex(ByteReader file, HashAlgorithm algorithm, ImageGeometry geometry, Digest root) {
        this.file = file;
        this.algorithm = algorithm;
        this.geometry = geometry;
        this.format = new BlockIndexFormat(algorithm, geometry.blockCount());
        this.root = root;
        this.chunks = new Chunk[format.levels()];
        for (int level = 0; level < chunks.length; level++) {
            chunks[level] = new Chunk();
        }
    }

    /** Whether the file begins as an index does; what follows may still be damaged. */
    public static boolean isIndex(ByteReader file) throws IOException {
        return BlockIndexFormat.HEADER.begins(file);
    }

    /** @throws BlockException NotOfKind, UnknownVersion or Damaged */
    public static BlockIndex open(ByteReader file) throws IOException, BlockException {
        var header = BlockIndexFormat.HEADER.read(file);
        HashAlgorithm algorithm;
        ImageGeometry geometry;
        int blockBytes;
        try {
            algorithm = HashAlgorithm.ofCode(header.getInt());
            blockBytes = header.getInt();
            int levels = header.getInt();
            geometry = new ImageGeometry(header.getLong(), blockBytes);
            if (levels != ChecksumTree.levels(geometry.blockCount())) {
                throw new IllegalArgumentException("%d levels for %d blocks".formatted(levels, geometry.blockCount()));
            }
        } catch (IllegalArgumentException e) {
            throw new BlockException(new BlockError.Damaged(file.name(), 12, String.valueOf(e.getMessage())));
        }
        var root = Digest.take(algorithm, header);
        var index = new BlockIndex(file, algorithm, geometry, root);
        long recorded = header.getLong(64);
        if (recorded != index.format.fileBytes() || file.sizeBytes() != index.format.fileBytes()) {
            throw new BlockException(new BlockError.Damaged(
                    file.name(),
                    Math.min(file.sizeBytes(), index.format.fileBytes()),
                    "has %d bytes, an index of %d blocks has %d"
                            .formatted(file.sizeBytes(), geometry.blockCount(), index.format.fileBytes())));
        }
        index.checkTop();
        return index;
    }

    public String name() {
        return file.name();
    }

    public ImageGeometry geometry() {
        return geometry;
    }

    /** Of the index. */
    public long sizeBytes() {
        return format.fileBytes();
    }

    @Override
    public Digest root() {
        return root;
    }

    @Override
    public HashAlgorithm algorithm() {
        return algorithm;
    }

    @Override
    public int levels() {
        return format.levels();
    }

    @Override
    public long count(int level) {
        return format.count(level);
    }

    @Override
    public ByteBuffer digests(int level, long from, int count) throws IOException {
        try {
            return checkedDigests(level, from, count);
        } catch (BlockException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /**
     * As {@link #digests}, as many as the buffer has room for, and nothing is allocated: who reads all of a large index
     * would leave as much garbage.
     *
     * @param into its position moves to its limit
     */
    public void read(int level, long from, ByteBuffer into) throws IOException {
        Objects.checkIndex(level, levels());
        Objects.checkFromIndexSize(from, into.remaining() / algorithm.digestBytes(), count(level));
        try {
            fill(level, from, into);
        } catch (BlockException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /** All leaves in order; closing them leaves the index open. */
    public LeafDigests leaves() {
        return new Leaves();
    }

    private ByteBuffer checkedDigests(int level, long from, int count) throws IOException, BlockException {
        ChecksumTree.checkCall(this, level, from, count);
        var result = ByteBuffer.allocate(count * algorithm.digestBytes());
        fill(level, from, result);
        return result.flip();
    }

    private void fill(int level, long from, ByteBuffer into) throws IOException, BlockException {
        int digestBytes = algorithm.digestBytes();
        long next = from;
        while (into.hasRemaining()) {
            int within = (int) (next % BlockIndexFormat.CHUNK_DIGESTS) * digestBytes;
            var chunk = chunks[level].load(level, next / BlockIndexFormat.CHUNK_DIGESTS);
            int taken = Math.min(into.remaining(), chunk.remaining() - within);
            into.put(into.position(), chunk, within, taken).position(into.position() + taken);
            next += taken / digestBytes;
        }
    }

    private void checkTop() throws IOException, BlockException {
        int top = format.levels() - 1;
        var found = format.count(top) == 0
                ? Digest.ofNothing(algorithm)
                : Digest.take(algorithm, checkedDigests(top, 0, 1));
        if (!found.equals(root)) {
            throw new BlockException(new BlockError.Damaged(
                    file.name(), format.chunkOffset(top, 0), "top digest is not the header's root"));
        }
    }

    /** The chunk of a level that was read last: readers go through a level in order. */
    private final class Chunk {
        private long number = -1;
        private ByteBuffer bytes = ByteBuffer.allocate(0);

        /** Good until the next call; to be copied from, by index. */
        ByteBuffer load(int level, long wanted) throws IOException, BlockException {
            if (wanted != number) {
                int digestsBytes = format.chunkDigests(level, wanted) * algorithm.digestBytes();
                long offset = format.chunkOffset(level, wanted);
                number = -1;
                int readBytes = digestsBytes + Integer.BYTES;
                bytes = bytes.capacity() < readBytes ? ByteBuffer.allocate(readBytes) : bytes.clear();
                file.read(offset, bytes.limit(readBytes));
                int checksum = bytes.getInt(digestsBytes);
                bytes.flip().limit(digestsBytes);
                if (checksum != BlockIndexFormat.chunkCrc(level, wanted, bytes.duplicate())) {
                    throw new BlockException(new BlockError.Damaged(
                            file.name(), offset, "digests of level %d do not match their checksum".formatted(level)));
                }
                number = wanted;
            }
            return bytes;
        }
    }

    private final class Leaves implements LeafDigests {
        private long span;

        @Override
        public String name() {
            return file.name();
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
        public ByteBuffer nextSpan() throws IOException, BlockException {
            int blocks = geometry.spanBlocks(span);
            var digests =
                    blocks == 0 ? ByteBuffer.allocate(0) : checkedDigests(0, span * geometry.spanBlocks(), blocks);
            span++;
            return digests;
        }

        @Override
        public void close() {}
    }
}
