package io.tidemark.transport;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdException;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.Compression;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongSupplier;

/**
 * zstd where it gains, at the level that gains most ({@link CompressionLevels}). Blocks that do not shrink are found by
 * a sample and left alone. Between direct buffers nothing is copied; others are, on their way.
 */
public final class ZstdCompression implements Compression {
    /** 40 us, a tenth of a frame at -7. It finds what -7 leaves alone: text of few letters. */
    private static final int SAMPLE_LEVEL = 1;

    /** Compressed first to see whether the rest is worth it: a 32nd of a frame. */
    private static final int SAMPLE_BYTES = 8 << 10;

    /** A sample that keeps more than this part of itself stands for blocks that do not shrink. */
    private static final double SAMPLE_KEPT = 0.9;

    /** Contexts kept for the next frame, whatever its level; 0.2 MiB after level 1, 5 MiB after level 9. */
    private static final int CONTEXTS_KEPT_MAXIMUM = Runtime.getRuntime().availableProcessors();

    private static final ConcurrentLinkedQueue<ZstdCompressCtx> CONTEXTS = new ConcurrentLinkedQueue<>();

    private final LongSupplier nanos;
    private final CompressionGain gain;
    private final ByteBuffer sample = ByteBuffer.allocateDirect(SAMPLE_BYTES);
    private final ByteBuffer packedSample = ByteBuffer.allocateDirect((int) Zstd.compressBound(SAMPLE_BYTES));

    public ZstdCompression() {
        this(System::nanoTime, new CompressionGain());
    }

    ZstdCompression(LongSupplier nanos, CompressionGain gain) {
        this.nanos = nanos;
        this.gain = gain;
    }

    /** How long the connection took for so many bytes: what compressing them could have spared. */
    void sent(long wireBytes, long tookNanos) {
        gain.sent(wireBytes, tookNanos);
    }

    static int contextsKept() {
        return CONTEXTS.size();
    }

    @Override
    public boolean worthTrying(ByteBuffer raw) {
        if (!gain.worthTrying()) {
            return false;
        }
        if (raw.remaining() < 4 * SAMPLE_BYTES) {
            return true;
        }
        sample.put(0, raw, raw.position() + raw.remaining() / 2, SAMPLE_BYTES);
        int packed = pack(SAMPLE_LEVEL, sample, packedSample);
        if (packed > 0 && packed < SAMPLE_BYTES * SAMPLE_KEPT) {
            return true;
        }
        gain.doesNotShrink();
        return false;
    }

    @Override
    public boolean compress(ByteBuffer raw, ByteBuffer target) {
        var from = direct(raw);
        var levels = gain.levels();
        if (levels.probeDue()) {
            long start = nanos.getAsLong();
            int probed = pack(levels.probe(), from, target);
            levels.probed(probed > 0 ? probed : raw.remaining(), nanos.getAsLong() - start);
        }
        long start = nanos.getAsLong();
        int packed = pack(levels.level(), from, target);
        gain.tried(raw.remaining(), packed > 0 ? packed : raw.remaining(), nanos.getAsLong() - start);
        if (packed <= 0) {
            return false;
        }
        target.position(target.position() + packed);
        return true;
    }

    /** Leaves both buffers' positions. @return 0 when it does not fit into what is left of the target */
    static int pack(int level, ByteBuffer from, ByteBuffer target) {
        var kept = CONTEXTS.poll();
        var context = kept == null ? new ZstdCompressCtx() : kept;
        try {
            return context.setLevel(level)
                    .compressDirectByteBuffer(
                            target, target.position(), target.remaining(), from, from.position(), from.remaining());
        } catch (ZstdException e) {
            // The only way to fail: it does not fit, so it does not shrink enough.
            return 0;
        } finally {
            if (CONTEXTS.size() < CONTEXTS_KEPT_MAXIMUM) {
                CONTEXTS.add(context);
            } else {
                context.close();
            }
        }
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
