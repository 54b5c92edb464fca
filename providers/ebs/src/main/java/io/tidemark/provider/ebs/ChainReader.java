package io.tidemark.provider.ebs;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Reads a snapshot that is not at Amazon yet, from the layers on this host and the base below them. It goes on to do so when
 * the upload is at its end meanwhile.
 */
final class ChainReader implements SnapshotReader {
    private final SnapshotId id;
    private final long sizeBytes;
    private final List<ChainLayer> highestFirst;
    private final ChainBase base;
    private final Consumer<ChainReader> onClose;
    private volatile boolean closed;

    ChainReader(
            SnapshotId id,
            long sizeBytes,
            List<ChainLayer> highestFirst,
            ChainBase base,
            Consumer<ChainReader> onClose) {
        this.id = id;
        this.sizeBytes = sizeBytes;
        this.highestFirst = highestFirst;
        this.base = base;
        this.onClose = onClose;
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
        LayeredBlocks.check(id, sizeBytes, offsetBytes, target.remaining());
        if (closed) {
            throw new ProviderException(new ProviderError.Conflict(id.toString(), "its reader is closed"));
        }
        LayeredBlocks.read(
                (index, within, part) -> Chain.read(highestFirst, index, within, part), base, offsetBytes, target);
    }

    @Override
    public Optional<Path> path() {
        return Optional.empty();
    }

    @Override
    public void close() throws ProviderException {
        if (closed) {
            return;
        }
        closed = true;
        onClose.accept(this);
        base.close();
        for (var each : highestFirst) {
            each.close();
        }
    }
}
