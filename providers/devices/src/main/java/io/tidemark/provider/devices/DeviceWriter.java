package io.tidemark.provider.devices;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;

/** Writes to a volume's device; whole granules of zeros are given back to the storage. */
final class DeviceWriter implements VolumeWriter {
    private static final int ZERO_BYTES = 1 << 20;

    private final BlockDevice device;
    private final Storage storage;
    private final Runnable onClose;

    /** @param onClose run at each closing */
    DeviceWriter(BlockDevice device, Storage storage, Runnable onClose) {
        this.device = device;
        this.storage = storage;
        this.onClose = onClose;
    }

    boolean on(BlockDevice other) {
        return device == other;
    }

    boolean isOpen() {
        return device.isOpen();
    }

    @Override
    public long sizeBytes() {
        return device.sizeBytes();
    }

    private interface Work {
        void run() throws ProviderException;
    }

    private void explained(Work work) throws ProviderException {
        try {
            work.run();
        } catch (ProviderException e) {
            // A closed writer is one whatever the storage is like.
            throw device.isOpen() ? storage.explained(e) : e;
        }
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) throws ProviderException {
        explained(() -> device.write(offsetBytes, source));
    }

    @Override
    public void writeZeroes(BlockRange range) throws ProviderException {
        device.check(range.offsetBytes(), range.lengthBytes());
        explained(() -> zeroed(range));
    }

    private void zeroed(BlockRange range) throws ProviderException {
        long granuleBytes = storage.granuleBytes();
        long first = Math.ceilDiv(range.offsetBytes(), granuleBytes) * granuleBytes;
        long last = range.endBytes() / granuleBytes * granuleBytes;
        // A process for less costs more than writing it.
        if (last - first >= ZERO_BYTES && discarded(new BlockRange(first, last - first))) {
            zero(range.offsetBytes(), first);
            zero(last, range.endBytes());
        } else {
            zero(range.offsetBytes(), range.endBytes());
        }
    }

    /** What is given back reads as zeros; what is in the page cache goes with it. */
    private boolean discarded(BlockRange granules) throws ProviderException {
        device.sync();
        return storage.discard(device.path(), granules);
    }

    private void zero(long fromBytes, long endBytes) throws ProviderException {
        var zeros = ByteBuffer.allocateDirect((int) Math.min(ZERO_BYTES, endBytes - fromBytes));
        for (long at = fromBytes; at < endBytes; at += zeros.limit()) {
            device.write(at, zeros.clear().limit((int) Math.min(zeros.capacity(), endBytes - at)));
        }
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
        device.read(offsetBytes, target);
    }

    @Override
    public void flush() throws ProviderException {
        explained(device::sync);
    }

    @Override
    public void close() throws ProviderException {
        try {
            device.close();
        } finally {
            onClose.run();
        }
    }
}
