package io.tidemark.agent;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * A snapshot that is not read on once its use was cancelled. Comparing goes on for hours where little has changed, in
 * loops on several threads: a read is what all of them do every few milliseconds.
 */
record CancellableReader(SnapshotReader reader, BooleanSupplier cancelled) implements SnapshotReader {
    @Override
    public long sizeBytes() {
        return reader.sizeBytes();
    }

    /** @throws ProviderException Unexpected once it is cancelled, for whoever cancelled to take as that */
    @Override
    public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
        if (cancelled.getAsBoolean()) {
            throw ended();
        }
        reader.read(offsetBytes, target);
    }

    /** For who does by other means what a cancelled reader does not do. */
    static ProviderException ended() {
        return new ProviderException(new ProviderError.Unexpected("read of a snapshot", "cancelled"));
    }

    @Override
    public Optional<Path> path() {
        return reader.path();
    }

    @Override
    public void close() throws ProviderException {
        reader.close();
    }
}
