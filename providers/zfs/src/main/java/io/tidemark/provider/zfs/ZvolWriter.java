package io.tidemark.provider.zfs;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;

/** Writes to a volume's device; whole blocks of zeros are given back to the pool. */
final class ZvolWriter implements VolumeWriter {
    private static final int ZERO_BYTES = 1 << 20;

    private final BlockDevice device;
    private final int blockBytes;
    private final ZfsCommands commands;
    private final Runnable onClose;

    /** @param onClose run at each closing */
    ZvolWriter(BlockDevice device, int blockBytes, ZfsCommands commands, Runnable onClose) {
        this.device = device;
        this.blockBytes = blockBytes;
        this.commands = commands;
        this.onClose = onClose;
    }

    boolean on(BlockDevice other) {
        return device == other;
    }

    @Override
    public long sizeBytes() {
        return device.sizeBytes();
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) throws ProviderException {
        device.write(offsetBytes, source);
    }

    @Override
    public void writeZeroes(BlockRange range) throws ProviderException {
        device.check(range.offsetBytes(), range.lengthBytes());
        long first = Math.ceilDiv(range.offsetBytes(), blockBytes) * (long) blockBytes;
        long last = range.endBytes() / blockBytes * blockBytes;
        // A process for less costs more than writing it.
        if (last - first >= ZERO_BYTES && discarded(new BlockRange(first, last - first))) {
            zero(range.offsetBytes(), first);
            zero(last, range.endBytes());
        } else {
            zero(range.offsetBytes(), range.endBytes());
        }
    }

    /** A block that is freed reads as zeros; what is in the page cache goes with it. */
    private boolean discarded(BlockRange blocks) throws ProviderException {
        device.sync();
        return commands.discard(device.path(), blocks);
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
        device.sync();
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
