package io.tidemark.provider.image;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.Optional;

/** Reads a snapshot's file at any place, from any thread. */
final class ImageSnapshotReader implements SnapshotReader {
    private final StoredSnapshot snapshot;
    private final FileChannel channel;
    private final Uses uses;

    private ImageSnapshotReader(StoredSnapshot snapshot, FileChannel channel, Uses uses) {
        this.snapshot = snapshot;
        this.channel = channel;
        this.uses = uses;
    }

    static ImageSnapshotReader open(StoredSnapshot snapshot, Uses uses) throws ProviderException {
        try {
            var channel = FileChannel.open(snapshot.image(), StandardOpenOption.READ);
            var reader = new ImageSnapshotReader(snapshot, channel, uses);
            uses.add(reader);
            return reader;
        } catch (IOException e) {
            throw Failures.of("opening " + snapshot.snapshot().id(), snapshot.image(), e);
        }
    }

    @Override
    public long sizeBytes() {
        return snapshot.snapshot().sizeBytes();
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
        checkRange(offsetBytes, target.remaining(), sizeBytes());
        readFully(channel, offsetBytes, target, snapshot.image());
    }

    static void checkRange(long offsetBytes, long lengthBytes, long sizeBytes) {
        try {
            Objects.checkFromIndexSize(offsetBytes, lengthBytes, sizeBytes);
        } catch (IndexOutOfBoundsException e) {
            throw new IllegalArgumentException("the range leaves the image: " + e.getMessage(), e);
        }
    }

    /** Fills the buffer or fails: an image that ends early has been cut short behind our back. */
    static void readFully(FileChannel channel, long offsetBytes, ByteBuffer target, Path image)
            throws ProviderException {
        try {
            if (!channel.isOpen()) {
                throw new ClosedChannelException();
            }
            long offset = offsetBytes;
            while (target.hasRemaining()) {
                int length = channel.read(target, offset);
                if (length < 0) {
                    throw new ProviderException(
                            new ProviderError.Corrupt(image.toString(), "it ends at byte " + offset));
                }
                offset += length;
            }
        } catch (IOException e) {
            throw Failures.of("reading " + image, image, e);
        }
    }

    @Override
    public Optional<Path> path() {
        return Optional.of(snapshot.image());
    }

    @Override
    public void close() throws ProviderException {
        uses.remove(this);
        try {
            channel.close();
        } catch (IOException e) {
            throw Failures.of("closing " + snapshot.snapshot().id(), snapshot.image(), e);
        }
    }
}
