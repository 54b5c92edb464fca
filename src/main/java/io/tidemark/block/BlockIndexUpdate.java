package io.tidemark.block;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.spi.BlockRange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * Brings an index up to date where its image changed, at the cost of the change: only the changed blocks are hashed,
 * and of the index only the chunks above them are read. What will be written goes to a journal first; a process that
 * dies leaves the old index, or a journal from which {@link #recover} finishes the new one. In between the index has no
 * valid header, so nobody mistakes it for either.
 */
public final class BlockIndexUpdate {

    /** Digests of the image as it is now. */
    @FunctionalInterface
    public interface CurrentDigests {
        /** @param count at most {@link ChecksumTree#MAXIMUM_DIGESTS_PER_CALL} */
        ByteBuffer of(long firstBlock, int count) throws IOException;
    }

    /** New digests of neighbours within one chunk of a level. */
    private record Run(long first, ByteBuffer digests) {}

    /** Runs in ascending order. */
    @FunctionalInterface
    private interface Runs {
        Optional<Run> next() throws IOException;
    }

    private final BlockKernel kernel;
    private final ImageWriter file;
    private final BlockIndex index;
    private final BlockIndexFormat format;
    private final HashAlgorithm algorithm;
    private final int digestBytes;
    private final UpdateJournal journal;

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
     * Updates the index; durable when it returns. The image's size must not have changed.
     *
     * @param journal an empty file beside the index, or what an interrupted update left
     * @param changed ascending and disjoint; may name what did not change, must name all that did
     * @param digests asked for whole blocks that the ranges touch
     * @return the new root
     */
    public static Digest run(
            BlockKernel kernel,
            ImageWriter index,
            ImageWriter journal,
            Iterator<BlockRange> changed,
            CurrentDigests digests)
            throws IOException, BlockException {
        recover(index, journal);
        var update = new BlockIndexUpdate(kernel, index, BlockIndex.open(index), new UpdateJournal(journal));
        return update.run(new ChangedLeaves(update.index.geometry().blockCount(), changed, digests));
    }

    private Digest run(ChangedLeaves leaves) throws IOException, BlockException {
        var root = index.root();
        Runs runs = () -> leaves.next(index.geometry().blockBytes());
        for (int level = 0; level < format.levels() && format.count(0) > 0; level++) {
            var parents = stage(level, runs);
            if (parents.isEmpty()) {
                return root;
            }
            root = Digest.take(algorithm, parents.getFirst().digests().duplicate());
            var iterator = parents.iterator();
            runs = () -> iterator.hasNext() ? Optional.of(iterator.next()) : Optional.empty();
        }
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
    private List<Run> stage(int level, Runs runs) throws IOException {
        var parents = new ArrayList<Run>();
        Optional<ChunkEdit> edit = Optional.empty();
        for (var run = runs.next(); run.isPresent(); run = runs.next()) {
            long number = run.get().first() / BlockIndexFormat.CHUNK_DIGESTS;
            if (edit.isEmpty() || edit.get().number != number) {
                if (edit.isPresent()) {
                    edit.get().finish(parents);
                }
                edit = Optional.of(new ChunkEdit(level, number));
            }
            edit.get().put(run.get());
        }
        if (edit.isPresent()) {
            edit.get().finish(parents);
        }
        return parents;
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
            var before = index.digests(level, firstDigest, format.chunkDigests(level, number));
            this.bytes =
                    ByteBuffer.allocateDirect(before.remaining()).put(before).flip();
        }

        void put(Run run) throws IOException {
            int within = Math.toIntExact(run.first() - firstDigest);
            int count = run.digests().remaining() / digestBytes;
            bytes.put(within * digestBytes, run.digests(), run.digests().position(), count * digestBytes);
            groups.set(within / ChecksumTree.FAN_OUT, (within + count - 1) / ChecksumTree.FAN_OUT + 1);
            journal.record(format.chunkOffset(level, number) + (long) within * digestBytes, run.digests());
        }

        void finish(List<Run> parents) throws IOException {
            int crc = BlockIndexFormat.chunkCrc(level, number, bytes.duplicate());
            journal.record(
                    format.chunkOffset(level, number) + bytes.capacity(),
                    ByteBuffer.allocate(Integer.BYTES).putInt(crc).flip());
            if (level == format.levels() - 1) {
                parents.add(new Run(0, bytes.slice(0, digestBytes)));
                return;
            }
            int groupBytes = ChecksumTree.FAN_OUT * digestBytes;
            long firstParent = firstDigest / ChecksumTree.FAN_OUT;
            for (int group = groups.nextSetBit(0); group >= 0; group = groups.nextSetBit(group + 1)) {
                int from = group * groupBytes;
                var parent = ByteBuffer.allocateDirect(digestBytes);
                var children = bytes.slice(from, Math.min(groupBytes, bytes.capacity() - from));
                kernel.hashBlocks(children, groupBytes, algorithm, parent);
                parents.add(new Run(firstParent + group, parent));
            }
        }
    }

    /** Changed ranges as runs of whole blocks, none across two chunks. */
    private static final class ChangedLeaves {
        private final long blockCount;
        private final Iterator<BlockRange> changed;
        private final CurrentDigests digests;
        private long nextBlock;
        private long endBlock;

        ChangedLeaves(long blockCount, Iterator<BlockRange> changed, CurrentDigests digests) {
            this.blockCount = blockCount;
            this.changed = changed;
            this.digests = digests;
        }

        Optional<Run> next(int blockBytes) throws IOException {
            while (nextBlock >= endBlock) {
                if (!changed.hasNext()) {
                    return Optional.empty();
                }
                var range = changed.next();
                // Two ranges that are disjoint may share a block.
                nextBlock = Math.max(endBlock, range.offsetBytes() / blockBytes);
                endBlock = Math.max(endBlock, Math.min(blockCount, Math.ceilDiv(range.endBytes(), blockBytes)));
            }
            long chunkEnd = (nextBlock / BlockIndexFormat.CHUNK_DIGESTS + 1) * BlockIndexFormat.CHUNK_DIGESTS;
            int count = Math.toIntExact(Math.min(endBlock, chunkEnd) - nextBlock);
            var run = new Run(nextBlock, digests.of(nextBlock, count));
            nextBlock += count;
            return Optional.of(run);
        }
    }
}
