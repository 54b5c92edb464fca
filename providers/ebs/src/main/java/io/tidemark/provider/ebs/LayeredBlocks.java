package io.tidemark.provider.ebs;

import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;
import java.util.Optional;

/** Reads what lies in layers on this host from there, and runs of blocks that do not from the base, in one read each. */
final class LayeredBlocks {
    private static final int BLOCK = DirectCalls.BLOCK_BYTES;

    private LayeredBlocks() {}

    /** The layers of a volume or of a snapshot. */
    interface Layers {
        /** @return whether a layer has the block; else nothing was read */
        boolean read(int index, int within, ByteBuffer target) throws ProviderException;
    }

    /** The base as it is now; none: zeros. */
    interface Base {
        Optional<SnapshotReader> reader() throws ProviderException;
    }

    /** Fills the target; the range lies within the image. */
    static void read(Layers layers, Base base, long offsetBytes, ByteBuffer target) throws ProviderException {
        long at = offsetBytes;
        long missingFrom = -1;
        int start = target.position();
        while (target.hasRemaining()) {
            int index = Math.toIntExact(at / BLOCK);
            int within = Math.toIntExact(at % BLOCK);
            int length = Math.min(BLOCK - within, target.remaining());
            boolean staged = layers.read(index, within, target.slice(target.position(), length));
            if (staged && missingFrom >= 0) {
                fromBase(base, missingFrom, slice(target, start, offsetBytes, missingFrom, at));
                missingFrom = -1;
            } else if (!staged && missingFrom < 0) {
                missingFrom = at;
            }
            target.position(target.position() + length);
            at += length;
        }
        if (missingFrom >= 0) {
            fromBase(base, missingFrom, slice(target, start, offsetBytes, missingFrom, at));
        }
    }

    private static ByteBuffer slice(ByteBuffer target, int start, long offsetBytes, long from, long to) {
        return target.slice(start + Math.toIntExact(from - offsetBytes), Math.toIntExact(to - from));
    }

    private static void fromBase(Base base, long offsetBytes, ByteBuffer target) throws ProviderException {
        var reader = base.reader();
        if (reader.isPresent()) {
            reader.get().read(offsetBytes, target);
        } else {
            target.put(new byte[target.remaining()]);
        }
    }

    /** @throws IllegalArgumentException where the range leaves the image */
    static void check(Object what, long sizeBytes, long offsetBytes, long length) {
        if (offsetBytes < 0 || offsetBytes > sizeBytes - length) {
            throw new IllegalArgumentException(
                    "range leaves the image of %s: offset %d, length %d".formatted(what, offsetBytes, length));
        }
    }
}
