package io.tidemark.provider.azure;

import io.tidemark.provider.azure.BlobCalls.Refused;
import io.tidemark.provider.azure.Leases.Lease;
import io.tidemark.provider.cloud.ChunkReads;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;

/**
 * Reads a snapshot by ranges of {@value BlobCalls#CHUNK_BYTES} bytes. Memory: as {@link ChunkReads} with such chunks. The
 * signature is given back when it is closed.
 */
final class BlobReader implements SnapshotReader {
    /** 16 MiB: what a reader that goes forward in small steps comes back to. */
    private static final int KEPT_MAXIMUM = 4;

    private static final int RENEWALS_MAXIMUM = 3;

    private final SnapshotId id;
    private final long sizeBytes;
    private final BlobCalls calls;
    private final Lease lease;
    private final ChunkReads chunks;
    private final Consumer<BlobReader> onClose;

    BlobReader(
            SnapshotId id,
            long sizeBytes,
            BlobCalls calls,
            Lease lease,
            Semaphore permits,
            Consumer<BlobReader> onClose) {
        this.id = id;
        this.sizeBytes = sizeBytes;
        this.calls = calls;
        this.lease = lease;
        this.onClose = onClose;
        var image = new ChunkReads.Image("Azure", id.toString(), sizeBytes, BlobCalls.CHUNK_BYTES, KEPT_MAXIMUM);
        this.chunks = new ChunkReads(image, permits, this::fetch);
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
        chunks.read(offsetBytes, target);
    }

    private byte[] fetch(int index) throws ProviderException {
        long offset = (long) index * BlobCalls.CHUNK_BYTES;
        int length = Math.toIntExact(Math.min(BlobCalls.CHUNK_BYTES, sizeBytes - offset));
        for (int renewals = 0; ; renewals++) {
            var address = lease.address();
            try {
                return calls.bytes(address, offset, length);
            } catch (Refused e) {
                chunks.refuseClosed();
                if (renewals == RENEWALS_MAXIMUM) {
                    throw new ProviderException(new ProviderError.Denied(id.toString(), lease.lacking()), e);
                }
                lease.renew(address);
            }
        }
    }

    @Override
    public Optional<Path> path() {
        return Optional.empty();
    }

    @Override
    public void close() throws ProviderException {
        if (chunks.close()) {
            onClose.accept(this);
            lease.release();
        }
    }

    /** All of them, whatever fails; the first failure is told. */
    static void releaseAll(List<Lease> leases) throws ProviderException {
        Optional<ProviderException> failure = Optional.empty();
        for (var each : leases) {
            try {
                each.release();
            } catch (ProviderException e) {
                failure = failure.isPresent() ? failure : Optional.of(e);
            }
        }
        if (failure.isPresent()) {
            throw failure.get();
        }
    }
}
