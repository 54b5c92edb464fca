package io.tidemark.transport;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.Compression;
import java.nio.ByteBuffer;

/** zstd. Between direct buffers nothing is copied; others are, on their way. */
public final class ZstdCompression implements Compression {
    private static final int LEVEL = 1;

    @Override
    public boolean compress(ByteBuffer raw, ByteBuffer target) {
        var from = direct(raw);
        long size;
        try {
            size = Zstd.compressDirectByteBuffer(
                    target, target.position(), target.remaining(), from, from.position(), from.remaining(), LEVEL);
        } catch (ZstdException e) {
            // The only way to fail: it does not fit, so it does not shrink enough.
            return false;
        }
        if (Zstd.isError(size)) {
            return false;
        }
        target.position(target.position() + (int) size);
        return true;
    }

    @Override
    public void decompress(ByteBuffer compressed, ByteBuffer target) throws ReplicationException {
        var from = direct(compressed);
        long size;
        try {
            size = Zstd.decompressDirectByteBuffer(
                    target, target.position(), target.remaining(), from, from.position(), from.remaining());
        } catch (ZstdException e) {
            throw new ReplicationException(new ReplicationError.CorruptFrame("zstd: " + e.getMessage()), e);
        }
        if (Zstd.isError(size) || size != target.remaining()) {
            throw new ReplicationException(new ReplicationError.CorruptFrame(
                    "zstd gave %d bytes, %d announced".formatted(size, target.remaining())));
        }
    }

    private static ByteBuffer direct(ByteBuffer buffer) {
        return buffer.isDirect()
                ? buffer
                : ByteBuffer.allocateDirect(buffer.remaining())
                        .put(buffer.duplicate())
                        .flip();
    }
}
