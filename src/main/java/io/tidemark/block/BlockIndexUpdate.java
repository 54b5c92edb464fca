package io.tidemark.block;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Brings an index up to date where its image changed, at the cost of the change: of the index only the chunks that hold
 * the changed blocks' digests, or those of their parents, are read. What will be written goes to a journal as it comes;
 * {@link #finish} makes it count. A process that dies before leaves the old index, later a journal from which
 * {@link #recover} finishes the new one. In between the index has no valid header, so nobody mistakes it for either.
 *
 * <p>One thread. Holds one chunk of a level and the digests of the level above the blocks that changed.
 */
public final class BlockIndexUpdate {

    /** Hears of the new root while the index can still stay as it is. */
    @FunctionalInterface
    public interface BeforeSealing {
        /** What is thrown ends the update, and the index is the old one. */
        void root(Digest root) throws IOException, BlockException;
    }

    /** New digests of neighbours within one chunk of a level. */
    private record Run(long first, ByteBuffer digests) {}

    private final BlockKernel kernel;
    private final ImageWriter file;
    private final BlockIndex index;
    private final BlockIndexFormat format;
    private final HashAlgorithm algorithm;
    private final int digestBytes;
    private final UpdateJournal journal;
    private final List<Run> parents = new ArrayList<>();
    private @Nullable ChunkEdit edit;
    private long nextBlock;

    private BlockIndexUpdate(BlockKernel kernel, ImageWriter file, BlockIndex index, UpdateJournal journal) {
        this.kernel = kernel;
        this.file = file;
        this.index = index;
        this.algorithm = index.algorithm();
        this.format = new BlockIndexFormat(algorithm, index.geometry().blockCount());
        this.digestBytes = algorithm.digestBytes();
        this.journal = journal;
    }

    /**
     * Finishes an update that was interrupted, or drops one that had not come far enough to matter. What it refuses
     * stays as it is: an index that was made anew meanwhile is right without the journal, which may be deleted then.
     *
     * @param journal beside the index; empty when no update was interrupted
     * @return whether there was something to finish
     * @throws BlockException Damaged when the journal belongs to another index or its records are not what they were;
     *     UnknownVersion or NotOfKind when it is none of this version's journals
     */
    public static boolean recover(ImageWriter index, ImageWriter journal) throws IOException, BlockException {
        return new UpdateJournal(journal).finish(index);
    }

    /**
     * Recovers, and begins another update. The image's size must not have changed.
     *
     * @param journal an empty file beside the index, whose name is durable, or what an interrupted update left
     */
    public static BlockIndexUpdate begin(BlockKernel kernel, ImageWriter index, ImageWriter journal)
            throws IOException, BlockException {
        recover(index, journal);
        return new BlockIndexUpdate(kernel, index, BlockIndex.open(index), new UpdateJournal(journal));
    }

    /** The index as it was when the update began. */
    public BlockIndex index() {
        return index;
    }

    /** Of the journal so far: what the update takes beside the index. */
    public long journalBytes() {
        return journal.sizeBytes();
    }

    /**
     * What neighbouring blocks hold now; they may hold what they held before.
     *
     * @param firstBlock behind all that came before
     * @param digests not kept; the position moves to the limit
     */
    public void put(long firstBlock, ByteBuffer digests) throws IOException {
        int count = digests.remaining() / digestBytes;
        if (digests.remaining() % digestBytes != 0
                || firstBlock < nextBlock
                || firstBlock > index.geometry().blockCount() - count) {
            throw new IllegalArgumentException("%d bytes of digests from block %d, after block %d of %d"
                    .formatted(
                            digests.remaining(),
                            firstBlock,
                            nextBlock,
                            index.geometry().blockCount()));
        }
        nextBlock = firstBlock + count;
        for (long block = firstBlock; digests.hasRemaining(); ) {
            long chunkEnd = (block / BlockIndexFormat.CHUNK_DIGESTS + 1) * BlockIndexFormat.CHUNK_DIGESTS;
            int taken = Math.toIntExact(Math.min(nextBlock, chunkEnd) - block);
            edit = put(edit, 0, new Run(block, digests.slice(digests.position(), taken * digestBytes)), parents);
            digests.position(digests.position() + taken * digestBytes);
            block += taken;
        }
    }

    /**
     * Writes all that was put; durable when it returns, and the journal is empty.
     *
     * @return the new root
     */
    public Digest finish(BeforeSealing before) throws IOException, BlockException {
        var root = index.root();
        if (edit != null) {
            edit.finish(parents);
            var runs = List.copyOf(parents);
            for (int level = 1; level < format.levels(); level++) {
                runs = stage(level, runs);
            }
            root = Digest.take(algorithm, runs.getFirst().digests().duplicate());
        }
        before.root(root);
        if (!root.equals(index.root())) {
            var oldHeader = ByteBuffer.allocate(BlockIndexFormat.HEADER.lengthBytes());
            file.read(0, oldHeader);
            var header = ByteBuffer.allocate(oldHeader.capacity()).put(oldHeader.flip());
            header.position(BlockIndexFormat.ROOT_OFFSET);
            root.putInto(header);
            journal.seal(oldHeader.flip(), BlockIndexFormat.HEADER.seal(header), file.sizeBytes());
        }
        journal.finish(file);
        return root;
    }

    /** Journals the runs of one level. Returns the new digests of the level above; of the top level, its own. */
    private List<Run> stage(int level, List<Run> runs) throws IOException {
        var above = new ArrayList<Run>();
        ChunkEdit current = null;
        for (var run : runs) {
            current = put(current, level, run, above);
        }
        if (current != null) {
            current.finish(above);
        }
        return above;
    }

    /** Goes on with the chunk in work, or with the next when the run is of that. */
    private ChunkEdit put(@Nullable ChunkEdit current, int level, Run run, List<Run> above) throws IOException {
        long number = run.first() / BlockIndexFormat.CHUNK_DIGESTS;
        var chunk = current;
        if (chunk == null || chunk.number != number) {
            if (chunk != null) {
                chunk.finish(above);
            }
            chunk = new ChunkEdit(level, number);
        }
        chunk.put(run);
        return chunk;
    }

    /** One chunk of a level with some digests replaced. */
    private final class ChunkEdit {
        private final int level;
        private final long number;
        private final long firstDigest;
        private final ByteBuffer bytes;
        private final BitSet groups = new BitSet();

        ChunkEdit(int level, long number) throws IOException {
            this.level = level;
            this.number = number;
            this.firstDigest = number * BlockIndexFormat.CHUNK_DIGESTS;
            this.bytes = ByteBuffer.allocateDirect(format.chunkDigests(level, number) * digestBytes);
            index.read(level, firstDigest, bytes);
            bytes.flip();
        }

        void put(Run run) throws IOException {
            int within = Math.toIntExact(run.first() - firstDigest);
            int count = run.digests().remaining() / digestBytes;
            bytes.put(within * digestBytes, run.digests(), run.digests().position(), count * digestBytes);
            groups.set(within / ChecksumTree.FAN_OUT, (within + count - 1) / ChecksumTree.FAN_OUT + 1);
            journal.record(format.chunkOffset(level, number) + (long) within * digestBytes, run.digests());
        }

        void finish(List<Run> above) throws IOException {
            int crc = BlockIndexFormat.chunkCrc(level, number, bytes.duplicate());
            journal.record(
                    format.chunkOffset(level, number) + bytes.capacity(),
                    ByteBuffer.allocate(Integer.BYTES).putInt(crc).flip());
            if (level == format.levels() - 1) {
                above.add(new Run(0, bytes.slice(0, digestBytes)));
                return;
            }
            int groupBytes = ChecksumTree.FAN_OUT * digestBytes;
            long firstParent = firstDigest / ChecksumTree.FAN_OUT;
            var hashed = ByteBuffer.allocateDirect(groups.cardinality() * digestBytes);
            for (int group = groups.nextSetBit(0); group >= 0; group = groups.nextSetBit(group + 1)) {
                int from = group * groupBytes;
                var parent = hashed.slice(hashed.position(), digestBytes);
                hashed.position(hashed.position() + digestBytes);
                var children = bytes.slice(from, Math.min(groupBytes, bytes.capacity() - from));
                kernel.hashBlocks(children, groupBytes, algorithm, parent);
                above.add(new Run(firstParent + group, parent));
            }
        }
    }
}
