package io.tidemark.provider.lvm;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;

/** Writes to a thin volume's device; whole chunks of zeros are given back to the pool. */
final class ThinVolumeWriter implements VolumeWriter {
    private static final int ZERO_BYTES = 1 << 20;

    private final BlockDevice device;
    private final LogicalVolume pool;
    private final int chunkBytes;
    private final LvmCommands commands;
    private final Runnable onClose;

    /** @param onClose run at each closing */
    ThinVolumeWriter(BlockDevice device, LogicalVolume pool, LvmCommands commands, Runnable onClose) {
        this.device = device;
        this.pool = pool;
        this.chunkBytes = pool.chunkBytes();
        this.commands = commands;
        this.onClose = onClose;
    }

    boolean on(BlockDevice other) {
        return device == other;
    }

    boolean open() {
        return device.open();
    }

    @Override
    public long sizeBytes() {
        return device.sizeBytes();
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) throws ProviderException {
        explained(() -> device.write(offsetBytes, source));
    }

    private interface Work {
        void run() throws ProviderException;
    }

    /** A full pool says no more than that there was an I/O error. */
    private void explained(Work work) throws ProviderException {
        try {
            work.run();
        } catch (ProviderException e) {
            throw commands.explained(pool.name(), e);
        }
    }

    @Override
    public void writeZeroes(BlockRange range) throws ProviderException {
        device.check(range.offsetBytes(), range.lengthBytes());
        explained(() -> zeroed(range));
    }

    private void zeroed(BlockRange range) throws ProviderException {
        long first = Math.ceilDiv(range.offsetBytes(), chunkBytes) * (long) chunkBytes;
        long last = range.endBytes() / chunkBytes * chunkBytes;
        // A process for less costs more than writing it.
        if (last - first >= ZERO_BYTES && discarded(new BlockRange(first, last - first))) {
            zero(range.offsetBytes(), first);
            zero(last, range.endBytes());
        } else {
            zero(range.offsetBytes(), range.endBytes());
        }
    }

    /** A chunk that is not mapped reads as zeros; what is in the page cache goes with it. */
    private boolean discarded(BlockRange chunks) throws ProviderException {
        device.sync();
        return commands.discard(device.path(), chunks);
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
