package io.tidemark.block;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes a delta as changed blocks come, in ascending order, one record in memory. The header is written last, so that
 * a file cut short has none.
 */
public final class DeltaWriter implements AutoCloseable {
    /** The fastest ordinary level, 1.2 GB/s a core: a delta is usually written to storage faster than level 3. */
    private static final int ZSTD_LEVEL = 1;

    private final ByteWriter file;
    private final BlockKernel kernel;
    private final HashAlgorithm algorithm;
    private final ImageGeometry base;
    private final ImageGeometry result;
    private final TreeHasher recordHasher;
    private final List<DeltaExtent> extents = new ArrayList<>();
    private final ByteBuffer baseDigests;
    private final ByteBuffer data;
    private final ByteBuffer record;
    private final ByteBuffer compressed;
    private final ZstdCompressCtx zstd = new ZstdCompressCtx().setLevel(ZSTD_LEVEL);
    private long offsetBytes = DeltaFormat.HEADER.lengthBytes();
    private int pendingBlocks;
    private long nextBlock;
    private long records;
    private long dataBlocks;
    private long zeroBlocks;

    public DeltaWriter(
            ByteWriter file, BlockKernel kernel, HashAlgorithm algorithm, ImageGeometry base, ImageGeometry result) {
        this.file = file;
        this.kernel = kernel;
        this.algorithm = algorithm;
        this.base = base;
        this.result = result;
        this.recordHasher = new TreeHasher(kernel, algorithm);
        int payload = Math.max(DeltaFormat.USUAL_PAYLOAD_BYTES, result.blockBytes());
        this.baseDigests = ByteBuffer.allocate(DeltaFormat.MAXIMUM_RECORD_BLOCKS * algorithm.digestBytes());
        this.data = ByteBuffer.allocateDirect(payload);
        this.compressed = ByteBuffer.allocateDirect((int) Zstd.compressBound(payload));
        this.record = ByteBuffer.allocateDirect(DeltaFormat.RECORD_HEADER_BYTES
                + DeltaFormat.MAXIMUM_RECORD_BLOCKS * (DeltaFormat.EXTENT_BYTES + algorithm.digestBytes())
                + payload);
    }

    /**
     * Adds a block with its new bytes.
     *
     * @param baseDigest digest of the same block in the base; nothing remaining where the base has no such block
     */
    public void addData(long block, ByteBuffer bytes, ByteBuffer baseDigest) throws IOException {
        if (bytes.remaining() != result.lengthBytes(block)) {
            throw new IllegalArgumentException(
                    "block %d has %d bytes, not %d".formatted(block, result.lengthBytes(block), bytes.remaining()));
        }
        if (bytes.remaining() > data.remaining()) {
            flush();
        }
        add(block, false, baseDigest);
        data.put(bytes);
        dataBlocks++;
    }

    /** Adds a block that became zero. */
    public void addZero(long block, ByteBuffer baseDigest) throws IOException {
        add(block, true, baseDigest);
        zeroBlocks++;
    }

    /** Writes what is left, the trailer and the header. The file is complete, not yet durable. */
    public void finish(Digest baseRoot, Digest resultRoot) throws IOException {
        flush();
        var end = ByteBuffer.allocate(DeltaFormat.RECORD_HEADER_BYTES + DeltaFormat.END_BODY_BYTES);
        end.put(DeltaFormat.END);
        end.position(12).putInt(DeltaFormat.END_BODY_BYTES).putInt((int) records);
        end.position(DeltaFormat.RECORD_HEADER_BYTES);
        end.putLong(records).putLong(dataBlocks).putLong(zeroBlocks);
        recordHasher.finish(TreeHasher.Sink.none()).putInto(end);
        end.clear();
        end.putInt(DeltaFormat.RECORD_CRC_OFFSET, DeltaFormat.recordCrc(end));
        write(end);
        var header = DeltaFormat.putShape(DeltaFormat.HEADER.begin(), algorithm, base.sizeBytes(), result);
        baseRoot.putInto(header.position(DeltaFormat.BASE_ROOT_OFFSET));
        resultRoot.putInto(header.position(DeltaFormat.RESULT_ROOT_OFFSET));
        header.putLong(DeltaFormat.FILE_BYTES_OFFSET, offsetBytes);
        file.write(0, DeltaFormat.HEADER.seal(header));
    }

    public long dataBlocks() {
        return dataBlocks;
    }

    public long zeroBlocks() {
        return zeroBlocks;
    }

    /** Bytes of the file so far. */
    public long fileBytes() {
        return offsetBytes;
    }

    @Override
    public void close() {
        zstd.close();
    }

    private void add(long block, boolean zero, ByteBuffer baseDigest) throws IOException {
        if (block < nextBlock || block >= result.blockCount()) {
            throw new IllegalArgumentException("block %d is out of order or past the image".formatted(block));
        }
        if (baseDigest.remaining() != (block < base.blockCount() ? algorithm.digestBytes() : 0)) {
            throw new IllegalArgumentException(
                    "block %d comes with a base digest of %d bytes".formatted(block, baseDigest.remaining()));
        }
        if (pendingBlocks == DeltaFormat.MAXIMUM_RECORD_BLOCKS) {
            flush();
        }
        var last = extents.isEmpty() ? null : extents.getLast();
        if (last != null && last.endBlock() == block && last.zero() == zero) {
            extents.set(extents.size() - 1, new DeltaExtent(last.firstBlock(), last.blockCount() + 1, zero));
        } else {
            extents.add(new DeltaExtent(block, 1, zero));
        }
        baseDigests.put(baseDigest.duplicate());
        pendingBlocks++;
        nextBlock = block + 1;
    }

    private void flush() throws IOException {
        if (pendingBlocks == 0) {
            return;
        }
        data.flip();
        var stored = data;
        byte encoding = DeltaFormat.PLAIN;
        if (data.remaining() >= DeltaFormat.MINIMUM_COMPRESSED_BYTES && compress()) {
            stored = compressed;
            encoding = DeltaFormat.ZSTD;
        }
        record.clear();
        record.put(DeltaFormat.BLOCKS).put(encoding).putShort((short) 0).putInt(extents.size());
        record.putInt(data.remaining())
                .putInt(stored.remaining())
                .putInt((int) records)
                .putInt(0);
        for (var extent : extents) {
            record.putLong(extent.firstBlock())
                    .putInt(extent.blockCount() | (extent.zero() ? DeltaFormat.ZERO_EXTENT : 0));
        }
        record.put(baseDigests.flip()).put(stored).flip();
        record.putInt(DeltaFormat.RECORD_CRC_OFFSET, DeltaFormat.recordCrc(record));
        recordHasher.append(DeltaFormat.recordDigests(kernel, algorithm, record), TreeHasher.Sink.none());
        write(record);
        records++;
        extents.clear();
        baseDigests.clear();
        data.clear();
        pendingBlocks = 0;
    }

    /** Whether it became smaller. */
    private boolean compress() {
        compressed.clear();
        int size = zstd.compressDirectByteBuffer(compressed, 0, compressed.capacity(), data, 0, data.remaining());
        compressed.limit(size);
        return size < data.remaining();
    }

    private void write(ByteBuffer bytes) throws IOException {
        int length = bytes.remaining();
        file.write(offsetBytes, bytes);
        offsetBytes += length;
    }
}
