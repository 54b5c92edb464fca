package io.tidemark.agent;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The target's volume as a session sees it. One thread writes; another may read meanwhile, ahead of what is written: a
 * span's digests are asked for once, before any block of it comes.
 */
final class TargetBlocks implements AutoCloseable {
    private static final int BLOCK_BYTES = 4 << 10;
    private static final int DIGEST_BYTES = HashAlgorithm.XXH3_128.digestBytes();
    private static final int CHUNK_BYTES = 256 << 10;

    private final StorageProvider provider;
    private final VolumeId volume;
    private final BlockKernel kernel;
    private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES);
    private final ByteBuffer zeroBits = ByteBuffer.allocateDirect(CHUNK_BYTES / BLOCK_BYTES / Byte.SIZE);
    private final ByteBuffer digests =
            ByteBuffer.allocateDirect(Message.DigestsWanted.LENGTH_BYTES_MAXIMUM / BLOCK_BYTES * DIGEST_BYTES);
    private final ByteBuffer zeroDigest = ByteBuffer.allocateDirect(DIGEST_BYTES);
    /** Made by the first write: a session may read only. */
    private @Nullable GatheredWrites gathered;

    private @Nullable VolumeWriter writer;
    private @Nullable DataExtents data;

    TargetBlocks(StorageProvider provider, VolumeId volume, BlockKernel kernel) {
        this.provider = provider;
        this.volume = volume;
        this.kernel = kernel;
        kernel.hashBlocks(ByteBuffer.allocateDirect(BLOCK_BYTES), BLOCK_BYTES, HashAlgorithm.XXH3_128, zeroDigest);
    }

    /** Written at once or with what follows; {@link #flush} writes all. */
    void write(Message.Blocks blocks) throws ProviderException {
        var open = open();
        var joined = gathered();
        write(blocks, open, joined);
    }

    /** Written when it returns, as far as a killed process is concerned. */
    void writeAtOnce(Message.Blocks blocks) throws ProviderException {
        write(blocks);
        gathered().write(open());
    }

    private static void write(Message.Blocks blocks, VolumeWriter open, GatheredWrites joined)
            throws ProviderException {
        int from = blocks.data().position();
        for (var extent : blocks.extents()) {
            if (extent.zero()) {
                joined.write(open);
                open.writeZeroes(new BlockRange(extent.offsetBytes(), extent.lengthBytes()));
            } else {
                joined.add(open, extent.offsetBytes(), blocks.data(), from, extent.lengthBytes());
                from += extent.lengthBytes();
            }
        }
    }

    /** Bytes that are not a transfer's: among what is gathered they would go out of order. */
    void write(long offsetBytes, ByteBuffer bytes) throws ProviderException {
        open().write(offsetBytes, bytes);
    }

    private GatheredWrites gathered() {
        var joined = gathered;
        if (joined == null) {
            joined = new GatheredWrites();
            gathered = joined;
        }
        return joined;
    }

    /** Good until the next call. Holes are told without reading them. */
    Message.Digests digests(Message.DigestsWanted wanted) throws ProviderException {
        var open = open();
        digests.clear();
        if (wanted.lengthBytes() % BLOCK_BYTES == 0
                && !extents(open).mayHaveData(wanted.offsetBytes(), wanted.lengthBytes())) {
            return new Message.Digests(wanted.offsetBytes(), wanted.lengthBytes(), digests.limit(0));
        }
        boolean allZero = true;
        for (int done = 0; done < wanted.lengthBytes(); done += CHUNK_BYTES) {
            int length = Math.min(CHUNK_BYTES, wanted.lengthBytes() - done);
            int blocks = (length + BLOCK_BYTES - 1) / BLOCK_BYTES;
            if (zero(open, wanted.offsetBytes() + done, length, blocks)) {
                for (int block = 0; block < blocks; block++) {
                    digests.put(zeroDigest.clear());
                }
            } else {
                allZero = false;
                kernel.hashBlocks(chunk, BLOCK_BYTES, HashAlgorithm.XXH3_128, digests);
                digests.position(digests.position() + blocks * DIGEST_BYTES);
            }
        }
        digests.flip();
        return new Message.Digests(wanted.offsetBytes(), wanted.lengthBytes(), allZero ? digests.limit(0) : digests);
    }

    /** Otherwise the chunk has the bytes. A last block that is short has another digest than a whole one. */
    private boolean zero(VolumeWriter open, long offsetBytes, int lengthBytes, int blocks) throws ProviderException {
        boolean whole = lengthBytes % BLOCK_BYTES == 0;
        if (whole && !extents(open).mayHaveData(offsetBytes, lengthBytes)) {
            return true;
        }
        chunk.clear().limit(lengthBytes);
        open.read(offsetBytes, chunk);
        chunk.flip();
        for (int index = 0; index < zeroBits.capacity(); index++) {
            zeroBits.put(index, (byte) 0);
        }
        return whole && kernel.zeroBlocks(chunk, BLOCK_BYTES, zeroBits.clear()) == blocks;
    }

    private DataExtents extents(VolumeWriter open) throws ProviderException {
        var known = data;
        if (known == null) {
            known = DataExtents.of(provider.volume(volume).device(), open.sizeBytes());
            data = known;
        }
        return known;
    }

    /**
     * What a process before this one wrote too, which some storage lets nobody cut before. Not what cannot be written
     * any more, since its cut has begun.
     */
    void flushWhole() throws ProviderException {
        if (provider.volume(volume).can(Capability.RANDOM_WRITE)) {
            open();
        }
        flush();
    }

    void flush() throws ProviderException {
        VolumeWriter open;
        synchronized (this) {
            open = writer;
        }
        if (open != null) {
            gathered().write(open);
            open.flush();
        }
    }

    private synchronized VolumeWriter open() throws ProviderException {
        var open = writer;
        if (open == null) {
            open = provider.write(volume);
            writer = open;
        }
        return open;
    }

    /** What was written and not flushed is lost, or not. */
    @Override
    public void close() throws ProviderException {
        VolumeWriter open;
        synchronized (this) {
            open = writer;
            writer = null;
            gathered = null;
        }
        if (open != null) {
            open.close();
        }
    }
}
