package io.tidemark.agent;

import io.tidemark.block.ChecksumTree;
import io.tidemark.block.DataPlaces;
import io.tidemark.block.DigestLevels;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.Optional;

/**
 * The checksum tree of a snapshot: XXH3-128, 4 KiB. Reads all of it but its holes. Keeps one digest for each 256 MiB
 * and what stands above them, 64 KiB for a TiB; the two levels below are made again, group by group, where they are
 * asked for. So a comparison of images that differ nowhere reads each once, where they differ a group once or twice more.
 */
final class ImageTree implements DigestLevels<ReplicationException> {
    static final int BLOCK_BYTES = 4 << 10;
    private static final HashAlgorithm ALGORITHM = HashAlgorithm.XXH3_128;
    private static final int DIGEST_BYTES = ALGORITHM.digestBytes();
    /** Blocks under one digest of level 1. */
    private static final int CHUNK_BLOCKS = ChecksumTree.FAN_OUT;

    private static final int CHUNK_BYTES = CHUNK_BLOCKS * BLOCK_BYTES;
    /** Blocks under one digest of {@link #KEPT_LEVEL}. */
    private static final int GROUP_BLOCKS = ChecksumTree.FAN_OUT * CHUNK_BLOCKS;

    private static final long GROUP_BYTES = (long) GROUP_BLOCKS * BLOCK_BYTES;
    /** The lowest level that is kept. */
    private static final int KEPT_LEVEL = 2;

    private static final long NO_GROUP = -1;

    /** Told after each chunk that was read; may throw to stop. */
    interface Watch {
        /** @param doneBytes all of the image while it is read again */
        void read(long doneBytes) throws ReplicationException;
    }

    private final SnapshotReader reader;
    private final BlockKernel kernel;
    private final Watch watch;
    private final long sizeBytes;
    private final long blockCount;
    private final ByteBuffer data = ByteBuffer.allocateDirect(CHUNK_BYTES);
    /** Of one group: its blocks' digests, and those of level 1. */
    private final ByteBuffer leaves = ByteBuffer.allocateDirect(GROUP_BLOCKS * DIGEST_BYTES);

    private final ByteBuffer chunks = ByteBuffer.allocateDirect(ChecksumTree.FAN_OUT * DIGEST_BYTES);
    /** What a chunk of zeros has in both. */
    private final ByteBuffer zeroLeaves = ByteBuffer.allocateDirect(CHUNK_BLOCKS * DIGEST_BYTES);

    private final ByteBuffer zeroChunk = ByteBuffer.allocateDirect(DIGEST_BYTES);
    private long group = NO_GROUP;
    private final ChecksumTree kept;

    private ImageTree(SnapshotReader reader, BlockKernel kernel, boolean believed, Watch watch)
            throws ReplicationException {
        this.reader = reader;
        this.kernel = kernel;
        this.watch = watch;
        this.sizeBytes = reader.sizeBytes();
        this.blockCount = Math.ceilDiv(sizeBytes, BLOCK_BYTES);
        kernel.hashBlocks(data, BLOCK_BYTES, ALGORITHM, zeroLeaves);
        kernel.hashBlocks(zeroLeaves, zeroLeaves.capacity(), ALGORITHM, zeroChunk);
        this.kept = keep(DataExtents.of(believed ? reader.path() : Optional.empty(), sizeBytes));
    }

    /** The reader stays open as long as the tree is asked. */
    static ImageTree of(SnapshotReader reader, BlockKernel kernel, Watch watch) throws ReplicationException {
        return new ImageTree(reader, kernel, true, watch);
    }

    /** The same of a storage that was caught: it is not believed where it says that there are holes. */
    static ImageTree ofDistrusted(SnapshotReader reader, BlockKernel kernel, Watch watch) throws ReplicationException {
        return new ImageTree(reader, kernel, false, watch);
    }

    private ChecksumTree keep(DataExtents extents) throws ReplicationException {
        var builder = ChecksumTree.builder(kernel, ALGORITHM);
        var digest = ByteBuffer.allocateDirect(DIGEST_BYTES);
        var zeros = zeroGroup();
        for (long index = 0; index * GROUP_BYTES < sizeBytes; index++) {
            long from = index * GROUP_BYTES;
            boolean whole = from + GROUP_BYTES <= sizeBytes;
            if (whole && !extents.mayHaveData(from, GROUP_BYTES)) {
                builder.append(zeros.duplicate());
                watch.read(from + GROUP_BYTES);
                continue;
            }
            load(index, extents, true);
            kernel.hashBlocks(chunks.rewind(), chunks.capacity(), ALGORITHM, digest.clear());
            builder.append(digest);
        }
        return builder.build();
    }

    /** The kept digest of a group of zeros. */
    private ByteBuffer zeroGroup() {
        chunks.clear();
        while (chunks.hasRemaining()) {
            chunks.put(zeroChunk.duplicate());
        }
        var digest = ByteBuffer.allocateDirect(DIGEST_BYTES);
        kernel.hashBlocks(chunks.flip(), chunks.capacity(), ALGORITHM, digest);
        return digest;
    }

    /** Digests a group into the buffers, whose limits are then what it has. */
    private void load(long index, DataPlaces places, boolean firstTime) throws ReplicationException {
        group = NO_GROUP;
        leaves.clear();
        chunks.clear();
        long end = Math.min(sizeBytes, (index + 1) * GROUP_BYTES);
        try {
            for (long at = index * GROUP_BYTES; at < end; at += CHUNK_BYTES) {
                int length = (int) Math.min(CHUNK_BYTES, end - at);
                if (length == CHUNK_BYTES && places.dataFrom(at) >= at + CHUNK_BYTES) {
                    leaves.put(zeroLeaves.duplicate());
                    chunks.put(zeroChunk.duplicate());
                } else {
                    loadChunk(at, length);
                }
                watch.read(firstTime ? at + length : sizeBytes);
            }
        } catch (ProviderException e) {
            throw new ReplicationException(new ReplicationError.Storage(e.error()), e);
        }
        leaves.flip();
        chunks.flip();
        group = index;
    }

    private void loadChunk(long offsetBytes, int lengthBytes) throws ProviderException {
        data.clear().limit(lengthBytes);
        reader.read(offsetBytes, data);
        data.flip();
        int from = leaves.position();
        int bytes = (int) kernel.hashBlocks(data, BLOCK_BYTES, ALGORITHM, leaves) * DIGEST_BYTES;
        kernel.hashBlocks(leaves.slice(from, bytes), zeroLeaves.capacity(), ALGORITHM, chunks);
        leaves.position(from + bytes);
        chunks.position(chunks.position() + DIGEST_BYTES);
    }

    @Override
    public HashAlgorithm algorithm() {
        return ALGORITHM;
    }

    @Override
    public int levels() {
        return ChecksumTree.levels(blockCount);
    }

    @Override
    public long count(int level) {
        return ChecksumTree.count(blockCount, level);
    }

    @Override
    public ByteBuffer digests(int level, long from, int count) throws ReplicationException {
        Objects.checkIndex(level, levels());
        Objects.checkFromIndexSize(from, count, count(level));
        if (level >= KEPT_LEVEL) {
            return kept.digests(level - KEPT_LEVEL, from, count);
        }
        if (count > ChecksumTree.MAXIMUM_DIGESTS_PER_CALL) {
            throw new IndexOutOfBoundsException(
                    "%d digests asked, at most %d in one call".formatted(count, ChecksumTree.MAXIMUM_DIGESTS_PER_CALL));
        }
        int inGroup = level == 0 ? GROUP_BLOCKS : ChecksumTree.FAN_OUT;
        var answer = ByteBuffer.allocate(count * DIGEST_BYTES);
        for (long at = from; answer.hasRemaining(); ) {
            if (group != at / inGroup) {
                // Its holes too: extents are told in ascending order alone.
                load(at / inGroup, DataPlaces.EVERYWHERE, false);
            }
            var made = level == 0 ? leaves : chunks;
            int first = (int) (at % inGroup) * DIGEST_BYTES;
            int length = Math.min(answer.remaining(), made.limit() - first);
            answer.put(made.slice(first, length));
            at += length / DIGEST_BYTES;
        }
        return answer.flip();
    }
}
