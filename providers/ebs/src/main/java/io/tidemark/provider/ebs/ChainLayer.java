package io.tidemark.provider.ebs;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.BitSet;

/**
 * The blocks that were written between two cuts of a chain, in a sparse file {@code NUMBER.data}, and which they are, in
 * {@code NUMBER.blocks}. The second is written at a flush, after the first was synced: a block that it does not name was
 * never written, whatever the file has there.
 *
 * <p>Guarded by the lock of its chain, but for reads of a sealed one, which never changes.
 */
final class ChainLayer implements AutoCloseable {
    private static final int BLOCK = DirectCalls.BLOCK_BYTES;

    private final StagingFiles files;
    private final Path folder;
    private final Path data;
    private final Path blocks;
    private final int number;
    private final FileChannel channel;
    private final BlockStates states;
    private boolean changed;
    /** A sync has failed. */
    private boolean lost;

    private ChainLayer(StagingFiles files, Path folder, int number, FileChannel channel, BlockStates states) {
        this.files = files;
        this.folder = folder;
        this.data = data(folder, number);
        this.blocks = blocks(folder, number);
        this.number = number;
        this.channel = channel;
        this.states = states;
    }

    static Path data(Path folder, int number) {
        return folder.resolve(number + ".data");
    }

    static Path blocks(Path folder, int number) {
        return folder.resolve(number + ".blocks");
    }

    /** An existing one, or an empty one. */
    static ChainLayer open(StagingFiles files, Path folder, int number) throws ProviderException {
        var list = files.read(blocks(folder, number));
        var states =
                list.isPresent() ? BlockStates.parse(blocks(folder, number).toString(), list.get()) : new BlockStates();
        return new ChainLayer(files, folder, number, files.open(data(folder, number)), states);
    }

    /** The same sealed layer again, readable until it is closed, though its files be deleted meanwhile. */
    ChainLayer again() throws ProviderException {
        return new ChainLayer(files, folder, number, files.openToRead(data), states);
    }

    int number() {
        return number;
    }

    boolean has(int index) {
        return states.has(index);
    }

    boolean hasBytes(int index) {
        return states.has(index) && !states.isZero(index);
    }

    void addTo(BitSet set) {
        states.addTo(set);
    }

    /** Bytes of one block, which the layer has already, or which are all of it up to the volume's end. */
    void put(int index, int within, ByteBuffer bytes) throws ProviderException {
        refuseLost();
        files.write(data, channel, bytes, (long) index * BLOCK + within);
        states.setData(index);
        changed = true;
    }

    void putZeros(int index) throws ProviderException {
        refuseLost();
        states.setZero(index);
        changed = true;
    }

    /** Fills the target from the block, which the layer has. */
    void read(int index, int within, ByteBuffer target) throws ProviderException {
        refuseLost();
        if (states.isZero(index)) {
            target.put(new byte[target.remaining()]);
            return;
        }
        files.read(data, channel, target, (long) index * BLOCK + within);
    }

    /** What was written before survives a power cut. */
    void flush() throws ProviderException {
        refuseLost();
        if (!changed) {
            return;
        }
        // Linux tells of pages that could not be written once, and the next fsync succeeds without them.
        lost = true;
        files.force(data, channel);
        lost = false;
        files.replace(blocks, states.toBytes());
        changed = false;
    }

    private void refuseLost() throws ProviderException {
        if (lost) {
            throw new ProviderException(new ProviderError.Corrupt(
                    data.toString(),
                    "it could not be synced, and what was written since the last flush may be lost: see to the disk"
                            + " and restart the service, which goes on from that flush"));
        }
    }

    void delete() throws ProviderException {
        close();
        files.delete(data);
        files.delete(blocks);
    }

    @Override
    public void close() throws ProviderException {
        try {
            channel.close();
        } catch (IOException e) {
            throw new ProviderException(new ProviderError.Unexpected("closing " + data, e.toString()), e);
        }
    }
}
