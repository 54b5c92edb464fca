package io.tidemark.agent;

import io.tidemark.blockfile.ChannelImage;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/**
 * A file of the state's folder that holds an index or its journal. One process has it: the state's folder is locked.
 *
 * <p>Nothing is synced. A killed process loses nothing by that; after a power cut a file may be anything, which shows when
 * the root is computed anew from all leaves, and costs a comparison of both snapshots.
 */
final class IndexFile extends ChannelImage {
    private IndexFile(Path path, FileChannel channel) {
        super(path, channel);
    }

    /** @throws java.nio.file.NoSuchFileException when there is none */
    static IndexFile open(Path path) throws IOException {
        return new IndexFile(path, FileChannel.open(path, Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE)));
    }

    /** Made when there is none. */
    static IndexFile openOrMake(Path path) throws IOException {
        return new IndexFile(
                path,
                FileChannel.open(
                        path, Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE)));
    }

    /** Empty, whatever it was. */
    static IndexFile make(Path path) throws IOException {
        return new IndexFile(
                path,
                FileChannel.open(
                        path,
                        Set.of(
                                StandardOpenOption.READ,
                                StandardOpenOption.WRITE,
                                StandardOpenOption.CREATE,
                                StandardOpenOption.TRUNCATE_EXISTING)));
    }

    @Override
    public boolean fixedSize() {
        return false;
    }

    @Override
    public void resize(long sizeBytes) throws IOException {
        if (sizeBytes > channel().size()) {
            throw new IllegalArgumentException("%s is not grown to %d bytes".formatted(path(), sizeBytes));
        }
        channel().truncate(sizeBytes);
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes) {
        throw new UnsupportedOperationException("no index has holes");
    }

    @Override
    public void flush() {
        // See above: the six syncs of an update would cost more than what they spare.
    }
}
