package io.tidemark.block;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** Numbers of a delta: {@code docs/formats/delta.md}. */
final class DeltaFormat {
    static final int HEADER_BYTES = 160;
    static final FixedHeader HEADER = new FixedHeader("TMBDELTA", "delta", 1, HEADER_BYTES);

    /** Before the records of a delta whose header could not be written before them. */
    static final FixedHeader STREAM_HEADER = new FixedHeader("TMBDELTA", "delta", 2, HEADER_BYTES);

    static final int BASE_ROOT_OFFSET = 40;
    static final int RESULT_ROOT_OFFSET = 72;
    static final int FILE_BYTES_OFFSET = 104;

    static final int RECORD_HEADER_BYTES = 24;
    static final int RECORD_CRC_OFFSET = 20;
    static final byte BLOCKS = 1;
    static final byte END = 2;
    static final byte PLAIN = 0;
    static final byte ZSTD = 1;

    static final int EXTENT_BYTES = Long.BYTES + Integer.BYTES;
    /** Set in an extent's count: its blocks are zero and take no payload. */
    static final int ZERO_EXTENT = 1 << 31;

    /** Bounds what a reader holds of one record beside its payload: tables of at most 3 MiB. */
    static final int MAXIMUM_RECORD_BLOCKS = 65_536;

    /** Bounds a record's payload before and after compression: one block of the largest size. */
    static final int MAXIMUM_PAYLOAD_BYTES = ImageGeometry.MAXIMUM_BLOCK_BYTES;

    /** What a writer collects before it closes a record. Compression gains little beyond, and memory stays small. */
    static final int USUAL_PAYLOAD_BYTES = 1 << 20;

    /** Below this zstd costs more time than it saves bytes (0.5 GB/s at 4 KiB, 1.2 GB/s from here on). */
    static final int MINIMUM_COMPRESSED_BYTES = 64 << 10;

    static final int END_BODY_BYTES = 3 * Long.BYTES + BlockIndexFormat.DIGEST_FIELD_BYTES;

    private DeltaFormat() {}

    /** Puts the fields of both headers that are known before any block is. */
    static ByteBuffer putShape(ByteBuffer header, HashAlgorithm algorithm, long baseBytes, ImageGeometry result) {
        return header.putInt(algorithm.code())
                .putInt(result.blockBytes())
                .putInt(0)
                .putLong(baseBytes)
                .putLong(result.sizeBytes());
    }

    /** Every block in a record of its own, with bytes that nothing compresses. */
    static long maximumStreamBytes(HashAlgorithm algorithm, ImageGeometry result) {
        int aBlock = RECORD_HEADER_BYTES + EXTENT_BYTES + algorithm.digestBytes();
        return HEADER_BYTES
                + result.blockCount() * aBlock
                + result.sizeBytes()
                + RECORD_HEADER_BYTES
                + END_BODY_BYTES
                + HEADER_BYTES;
    }

    /** Over the record's header up to the checksum, then its body. */
    static int recordCrc(ByteBuffer record) {
        var crc = new CRC32C();
        crc.update(record.slice(record.position(), RECORD_CRC_OFFSET));
        crc.update(record.slice(record.position() + RECORD_HEADER_BYTES, record.remaining() - RECORD_HEADER_BYTES));
        return (int) crc.getValue();
    }

    /** Digests of a record, one for each {@link ImageGeometry#MAXIMUM_BLOCK_BYTES} of it: at most two. */
    static ByteBuffer recordDigests(BlockKernel kernel, HashAlgorithm algorithm, ByteBuffer record) {
        int count = Math.ceilDiv(record.remaining(), ImageGeometry.MAXIMUM_BLOCK_BYTES);
        var digests = ByteBuffer.allocateDirect(count * algorithm.digestBytes());
        kernel.hashBlocks(record, ImageGeometry.MAXIMUM_BLOCK_BYTES, algorithm, digests);
        return digests;
    }
}
