package io.tidemark.provider.ebs;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/**
 * Writes to the overlay of a chain. A write of part of a block that the overlay lacks reads the whole block first: from a
 * layer below, or from Amazon.
 */
final class ChainWriter implements VolumeWriter {
    private static final int BLOCK = DirectCalls.BLOCK_BYTES;

    private final Chain chain;
    private final ChainBase base;
    private final Consumer<ChainWriter> onClose;
    private volatile boolean closed;

    /** @param base read until the writer is closed */
    ChainWriter(Chain chain, ChainBase base, Consumer<ChainWriter> onClose) throws ProviderException {
        chain.beginWriting();
        this.chain = chain;
        this.base = base;
        this.onClose = onClose;
    }

    @Override
    public long sizeBytes() {
        return chain.sizeBytes();
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) throws ProviderException {
        check(offsetBytes, source.remaining());
        long at = offsetBytes;
        while (source.hasRemaining()) {
            int index = Math.toIntExact(at / BLOCK);
            int within = Math.toIntExact(at % BLOCK);
            int length = Math.min(BLOCK - within, source.remaining());
            write(index, within, source.slice(source.position(), length));
            source.position(source.position() + length);
            at += length;
        }
    }

    private void write(int index, int within, ByteBuffer bytes) throws ProviderException {
        if (chain.put(index, within, bytes)) {
            return;
        }
        // Nobody else writes, and a cut or an upload meanwhile changes where bytes lie, not what they are.
        var block = new byte[BLOCK];
        long start = (long) index * BLOCK;
        int length = Math.toIntExact(Math.min(BLOCK, chain.sizeBytes() - start));
        LayeredBlocks.read(chain::readStaged, base, start, ByteBuffer.wrap(block, 0, length));
        bytes.get(block, within, bytes.remaining());
        chain.putWhole(index, block);
    }

    @Override
    public void writeZeroes(BlockRange range) throws ProviderException {
        check(range.offsetBytes(), range.lengthBytes());
        long at = range.offsetBytes();
        while (at < range.endBytes()) {
            int index = Math.toIntExact(at / BLOCK);
            int within = Math.toIntExact(at % BLOCK);
            long blockEnd = Math.min((index + 1L) * BLOCK, chain.sizeBytes());
            int length = Math.toIntExact(Math.min(blockEnd, range.endBytes()) - at);
            if (within == 0 && at + length == blockEnd) {
                chain.putZeros(index);
            } else {
                write(index, within, ByteBuffer.wrap(new byte[length]));
            }
            at += length;
        }
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
        check(offsetBytes, target.remaining());
        LayeredBlocks.read(chain::readStaged, base, offsetBytes, target);
    }

    @Override
    public void flush() throws ProviderException {
        refuseClosed();
        chain.flush();
    }

    private void check(long offsetBytes, long length) throws ProviderException {
        refuseClosed();
        LayeredBlocks.check(chain.id(), chain.sizeBytes(), offsetBytes, length);
    }

    private void refuseClosed() throws ProviderException {
        if (closed) {
            throw new ProviderException(new ProviderError.Conflict(chain.id().toString(), "its writer is closed"));
        }
    }

    @Override
    public void close() throws ProviderException {
        if (closed) {
            return;
        }
        closed = true;
        onClose.accept(this);
        base.close();
        chain.endWriting();
    }
}
