package io.tidemark.agent;

import io.tidemark.block.BlockException;
import io.tidemark.block.BlockIndex;
import io.tidemark.block.BlockIndexUpdate;
import io.tidemark.block.ChecksumTree;
import io.tidemark.block.TreeHasher;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.BooleanSupplier;

/** The index of a snapshot that was sent, found sound, and its update to the one being sent. One thread reads it. */
final class StoredIndex implements AutoCloseable {
    private final IndexFile file;
    private final IndexFile journal;
    private final BlockIndex index;
    private final BlockIndexUpdate update;

    private StoredIndex(IndexFile file, IndexFile journal, BlockIndex index, BlockIndexUpdate update) {
        this.file = file;
        this.journal = journal;
        this.index = index;
        this.update = update;
    }

    /**
     * Finishes an interrupted update, and computes the root anew from the leaves: 1/256 of what a comparison hashes.
     *
     * @param files closed with this, and when this throws
     * @param cancelled ends it with {@link CancellableReader#ended}
     * @throws BlockException when the index is not whole
     */
    static StoredIndex open(BlockKernel kernel, Files files, BooleanSupplier cancelled)
            throws IOException, BlockException, ProviderException {
        boolean opened = false;
        try {
            var update = BlockIndexUpdate.begin(kernel, files.index(), files.journal());
            var index = BlockIndex.open(files.index());
            checkRoot(kernel, index, cancelled);
            opened = true;
            return new StoredIndex(files.index(), files.journal(), index, update);
        } finally {
            if (!opened) {
                files.close();
            }
        }
    }

    record Files(IndexFile index, IndexFile journal) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            try (journal) {
                index.close();
            }
        }
    }

    private static void checkRoot(BlockKernel kernel, BlockIndex index, BooleanSupplier cancelled)
            throws IOException, ProviderException {
        var hasher = new TreeHasher(kernel, index.algorithm());
        var digests = ByteBuffer.allocateDirect(
                ChecksumTree.MAXIMUM_DIGESTS_PER_CALL * index.algorithm().digestBytes());
        for (long from = 0; from < index.count(0); from += ChecksumTree.MAXIMUM_DIGESTS_PER_CALL) {
            if (cancelled.getAsBoolean()) {
                throw CancellableReader.ended();
            }
            int count = (int) Math.min(ChecksumTree.MAXIMUM_DIGESTS_PER_CALL, index.count(0) - from);
            digests.clear().limit(count * index.algorithm().digestBytes());
            index.read(0, from, digests);
            hasher.append(digests.flip(), TreeHasher.Sink.none());
        }
        if (!hasher.finish(TreeHasher.Sink.none()).equals(index.root())) {
            throw new IOException("its digests do not give its root");
        }
    }

    /** As it was when it was opened, until {@link #update} has finished. */
    BlockIndex index() {
        return index;
    }

    BlockIndexUpdate update() {
        return update;
    }

    @Override
    public void close() throws IOException {
        new Files(file, journal).close();
    }
}
