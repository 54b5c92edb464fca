package io.tidemark.provider.gce;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A snapshot's bytes, from a temporary disk. That is made when the first byte is asked for: whoever compares with an
 * index of hashes opens the older snapshot and never reads it.
 */
final class HelperReader implements SnapshotReader {
    private final HelperDisks disks;
    private final SnapshotId id;
    private final CloudSnapshot snapshot;
    private final HelperDisks.Use use;
    private final AtomicBoolean closed = new AtomicBoolean();

    HelperReader(HelperDisks disks, SnapshotId id, CloudSnapshot snapshot) throws ProviderException {
        this.disks = disks;
        this.id = id;
        this.snapshot = snapshot;
        this.use = disks.use(snapshot);
    }

    @Override
    public long sizeBytes() {
        return snapshot.sizeBytes();
    }

    /** @throws ProviderException Busy while the disk is made and attached: asked again, it goes on */
    @Override
    public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
        if (offsetBytes < 0 || offsetBytes > sizeBytes() - target.remaining()) {
            throw new IllegalArgumentException(
                    "range %d+%d leaves the image of %d bytes".formatted(offsetBytes, target.remaining(), sizeBytes()));
        }
        if (closed.get()) {
            throw new ProviderException(new ProviderError.Unexpected("read of " + id, "the reader is closed"));
        }
        FileChannel device = disks.device(use, id, snapshot);
        long at = offsetBytes;
        try {
            while (target.hasRemaining()) {
                int read = device.read(target, at);
                if (read < 0) {
                    throw new IOException("it ends at byte " + at);
                }
                at += read;
            }
        } catch (IOException e) {
            throw new ProviderException(
                    new ProviderError.Unexpected(
                            "read of %s from disk %s of the helper".formatted(id, use.disk()),
                            String.valueOf(e.getMessage())),
                    e);
        }
    }

    /** None: a kernel would not know that the disk is still to be made. */
    @Override
    public Optional<Path> path() {
        return Optional.empty();
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            disks.release(use);
        }
    }

    /** Google tells nothing of what a snapshot holds: all of it may be data. */
    static ChangedRanges everything(long sizeBytes) {
        return new ChangedRanges() {
            private boolean told;

            @Override
            public int granularityBytes() {
                return 4 << 10;
            }

            @Override
            public Confidence confidence() {
                return Confidence.COARSE;
            }

            @Override
            public String source() {
                return "full";
            }

            @Override
            public Optional<BlockRange> next() {
                boolean last = told || sizeBytes == 0;
                told = true;
                return last ? Optional.empty() : Optional.of(new BlockRange(0, sizeBytes));
            }

            @Override
            public void close() {}
        };
    }
}
