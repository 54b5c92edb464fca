package io.tidemark.live;

import io.tidemark.export.ExportImage;
import io.tidemark.export.protocol.Extent;
import io.tidemark.replication.live.Bytes;
import io.tidemark.replication.live.LiveWire;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.List;
import java.util.Optional;

/** A live volume whose copy here is primary, for clients of its export. It outlives its export: closing this ends nothing. */
final class LiveImage implements ExportImage {
    /** Zeros go over the line as their length, but each part is one write of the core. */
    private static final int ZEROS_MAXIMUM = 4 << 20;

    private final LiveVolume volume;

    LiveImage(LiveVolume volume) {
        this.volume = volume;
    }

    @Override
    public long sizeBytes() {
        return volume.sizeBytes();
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws IOException {
        while (target.hasRemaining()) {
            int length = Math.min(target.remaining(), LiveWire.DATA_MAXIMUM);
            var bytes = volume.read(offsetBytes, length);
            // Zeros are put as such: what the target has is not theirs.
            target.put(bytes.data().orElseGet(() -> ByteBuffer.allocate(length)));
            offsetBytes += length;
        }
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) throws IOException {
        volume.write(offsetBytes, Bytes.of(source), LiveWire.DATA_MAXIMUM);
        source.position(source.limit());
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean keepSpace) throws IOException {
        for (long done = 0; done < lengthBytes; done += ZEROS_MAXIMUM) {
            int length = (int) Math.min(ZEROS_MAXIMUM, lengthBytes - done);
            var zeros = keepSpace ? Bytes.of(ByteBuffer.allocate(length)) : Bytes.zeros(length);
            volume.write(offsetBytes + done, zeros, LiveWire.DATA_MAXIMUM);
        }
    }

    @Override
    public void flush() throws IOException {
        volume.flush();
    }

    @Override
    public List<Extent> extents(long offsetBytes, long lengthBytes, int maximum) throws IOException {
        return volume.disk().extents(offsetBytes, lengthBytes, maximum);
    }

    /** None: every byte goes through the copy. */
    @Override
    public Optional<FileChannel> file() {
        return Optional.empty();
    }

    /** A request may wait for the peer. */
    @Override
    public boolean slow() {
        return true;
    }

    @Override
    public void close() {}
}
