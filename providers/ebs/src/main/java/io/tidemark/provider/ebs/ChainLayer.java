package io.tidemark.provider.ebs;

import io.tidemark.provider.ebs.ChainRecord.Content;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.Optional;

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
    private final long sizeBytes;
    private final FileChannel channel;
    private final BlockStates states;
    private boolean changed;
    /** A sync has failed. */
    private boolean lost;

    private ChainLayer(
            StagingFiles files, Path folder, int number, long sizeBytes, FileChannel channel, BlockStates states) {
        this.files = files;
        this.folder = folder;
        this.data = data(folder, number);
        this.blocks = blocks(folder, number);
        this.number = number;
        this.sizeBytes = sizeBytes;
        this.channel = channel;
        this.states = states;
    }

    static Path data(Path folder, int number) {
        return folder.resolve(number + ".data");
    }

    static Path blocks(Path folder, int number) {
        return folder.resolve(number + ".blocks");
    }

    /** An empty one. */
    static ChainLayer make(StagingFiles files, Path folder, int number, long sizeBytes) throws ProviderException {
        return new ChainLayer(files, folder, number, sizeBytes, files.open(data(folder, number)), new BlockStates());
    }

    /**
     * One that a record names. An overlay that was never flushed has no list of blocks yet.
     *
     * @param sealed what the record says that it has; none: the overlay
     * @throws ProviderException Corrupt where files are missing, or are not what they were
     */
    static ChainLayer open(StagingFiles files, Path folder, int number, long sizeBytes, Optional<Content> sealed)
            throws ProviderException {
        var file = blocks(folder, number);
        var list = files.read(file);
        var states = list.isPresent() ? BlockStates.parse(file.toString(), list.get()) : new BlockStates();
        if (sealed.isPresent() && !sealed.get().equals(content(states))) {
            throw new ProviderException(new ProviderError.Corrupt(
                    file.toString(),
                    "it lists %d blocks, and is not the list of %d that the chain's record knows"
                            .formatted(states.count(), sealed.get().blocks())));
        }
        long end = Math.min((long) states.dataEnd() * BLOCK, sizeBytes);
        var channel = files.openExisting(data(folder, number), end);
        return new ChainLayer(files, folder, number, sizeBytes, channel, states);
    }

    /** The same sealed layer again, readable until it is closed, though its files be deleted meanwhile. */
    ChainLayer again() throws ProviderException {
        return new ChainLayer(files, folder, number, sizeBytes, files.openToRead(data), states);
    }

    /** What a record keeps of a sealed layer. */
    Content content() {
        return content(states);
    }

    private static Content content(BlockStates states) {
        var digest = DirectCalls.digestOf(ByteBuffer.wrap(states.toBytes()));
        return new Content(states.count(), HexFormat.of().formatHex(digest));
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

    /** Fills the target from the block, which the layer has; past the volume's end there are zeros. */
    void read(int index, int within, ByteBuffer target) throws ProviderException {
        refuseLost();
        if (states.isZero(index)) {
            target.put(new byte[target.remaining()]);
            return;
        }
        long offset = (long) index * BLOCK + within;
        int length = Math.toIntExact(Math.clamp(sizeBytes - offset, 0, target.remaining()));
        files.read(data, channel, target.slice(target.position(), length), offset);
        target.position(target.position() + length);
        target.put(new byte[target.remaining()]);
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
