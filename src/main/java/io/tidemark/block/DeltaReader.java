package io.tidemark.block;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import io.tidemark.nativeblock.BlockKernel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Reads a delta from start to end, one record in memory, and believes nothing before it is checked: lengths against
 * limits and the file's size, each record against its checksum, order and place of extents against the image, the
 * whole against counts and digest of the trailer. Who wants to know that all is sound before acting reads it twice.
 */
public final class DeltaReader implements AutoCloseable {
    private final ByteReader file;
    private final int headerBytesAtEnd;
    private final BlockKernel kernel;
    private final DeltaHeader header;
    private final int baseDigestBytes;
    private final TreeHasher recordHasher;
    private final ZstdDecompressCtx zstd = new ZstdDecompressCtx();
    private ByteBuffer record = ByteBuffer.allocateDirect(64 << 10);
    private ByteBuffer data = ByteBuffer.allocateDirect(64 << 10);
    private long offsetBytes = DeltaFormat.HEADER.lengthBytes();
    private long nextBlock;
    private long records;
    private long dataBlocks;
    private long zeroBlocks;
    private boolean ended;

    private DeltaReader(ByteReader file, int headerBytesAtEnd, BlockKernel kernel, DeltaHeader header) {
        this.file = file;
        this.headerBytesAtEnd = headerBytesAtEnd;
        this.kernel = kernel;
        this.header = header;
        this.baseDigestBytes = header.algorithm().digestBytes();
        this.recordHasher = new TreeHasher(kernel, header.algorithm());
    }

    /** Whether the file begins as a delta of any version does; what follows may still be damaged. */
    public static boolean isDelta(ByteReader file) throws IOException {
        return DeltaFormat.HEADER.begins(file);
    }

    /** @throws BlockException NotOfKind, UnknownVersion or Damaged */
    public static DeltaReader open(ByteReader file, BlockKernel kernel) throws IOException, BlockException {
        if (DeltaFormat.HEADER.hasVersion(file)) {
            return new DeltaReader(file, 0, kernel, header(file, file.sizeBytes()));
        }
        var start = DeltaStart.read(file);
        long end = file.sizeBytes() - DeltaFormat.HEADER_BYTES;
        var last = new LastHeader(file, end);
        if (end < DeltaFormat.HEADER_BYTES || !DeltaFormat.HEADER.begins(last)) {
            throw new BlockException(new BlockError.Damaged(
                    file.name(), file.sizeBytes(), "ends before the header that follows its records"));
        }
        var header = header(last, end);
        if (header.algorithm() != start.algorithm()
                || !header.base().equals(start.base())
                || !header.result().equals(start.result())) {
            throw new BlockException(new BlockError.Damaged(file.name(), end, "its two headers contradict each other"));
        }
        return new DeltaReader(file, DeltaFormat.HEADER_BYTES, kernel, header);
    }

    /** A streamed delta's, as if it were a file's first bytes. */
    private record LastHeader(ByteReader file, long fromBytes) implements ByteReader {
        @Override
        public String name() {
            return file.name();
        }

        @Override
        public long sizeBytes() {
            return file.sizeBytes() - fromBytes;
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) throws IOException {
            file.read(fromBytes + offsetBytes, target);
        }
    }

    /** @param endBytes where the trailer must end */
    private static DeltaHeader header(ByteReader file, long endBytes) throws IOException, BlockException {
        var bytes = DeltaFormat.HEADER.read(file);
        var start = DeltaStart.of(file.name(), false, bytes);
        try {
            if (start.maximumBytes() != endBytes) {
                throw new IllegalArgumentException(
                        "has %d bytes, was written with %d".formatted(endBytes, start.maximumBytes()));
            }
            return new DeltaHeader(
                    start.algorithm(),
                    start.base(),
                    start.result(),
                    Digest.take(start.algorithm(), bytes.position(DeltaFormat.BASE_ROOT_OFFSET)),
                    Digest.take(start.algorithm(), bytes.position(DeltaFormat.RESULT_ROOT_OFFSET)));
        } catch (IllegalArgumentException e) {
            throw new BlockException(new BlockError.Damaged(file.name(), 12, String.valueOf(e.getMessage())));
        }
    }

    public String name() {
        return file.name();
    }

    public DeltaHeader header() {
        return header;
    }

    public long dataBlocks() {
        return dataBlocks;
    }

    public long zeroBlocks() {
        return zeroBlocks;
    }

    /** Bytes of the file read so far. */
    public long offsetBytes() {
        return offsetBytes;
    }

    /**
     * The next record, valid until the next call; empty once the trailer was reached and is right.
     *
     * @throws BlockException Damaged
     */
    public Optional<DeltaRecord> next() throws IOException, BlockException {
        if (ended) {
            return Optional.empty();
        }
        read(0, DeltaFormat.RECORD_HEADER_BYTES);
        byte kind = record.get(0);
        check(kind == DeltaFormat.BLOCKS || kind == DeltaFormat.END, () -> "record of unknown kind %d".formatted(kind));
        check(
                record.getInt(16) == (int) records,
                () -> "record %d where record %d belongs".formatted(record.getInt(16), records));
        int storedBytes = record.getInt(12);
        check(
                storedBytes >= 0 && storedBytes <= DeltaFormat.MAXIMUM_PAYLOAD_BYTES,
                () -> "%d stored bytes".formatted(storedBytes));
        if (kind == DeltaFormat.END) {
            end(storedBytes);
            return Optional.empty();
        }
        return Optional.of(blocks(storedBytes));
    }

    @Override
    public void close() {
        zstd.close();
    }

    private DeltaRecord blocks(int storedBytes) throws IOException, BlockException {
        byte encoding = record.get(1);
        int extentCount = record.getInt(4);
        int plainBytes = record.getInt(8);
        check(
                encoding == DeltaFormat.PLAIN || encoding == DeltaFormat.ZSTD,
                () -> "unknown encoding %d".formatted(encoding));
        check(
                extentCount > 0 && extentCount <= DeltaFormat.MAXIMUM_RECORD_BLOCKS,
                () -> "%d extents".formatted(extentCount));
        check(
                plainBytes >= 0 && plainBytes <= DeltaFormat.MAXIMUM_PAYLOAD_BYTES,
                () -> "%d plain bytes".formatted(plainBytes));
        check(
                encoding == DeltaFormat.PLAIN ? plainBytes == storedBytes : storedBytes < plainBytes,
                () -> "%d bytes stored for %d".formatted(storedBytes, plainBytes));
        int tableEnd = DeltaFormat.RECORD_HEADER_BYTES + extentCount * DeltaFormat.EXTENT_BYTES;
        read(DeltaFormat.RECORD_HEADER_BYTES, tableEnd);
        var table = extents(extentCount);
        check(
                table.dataBytes == plainBytes,
                () -> "%d bytes for blocks of %d bytes".formatted(plainBytes, table.dataBytes));
        int digestsEnd = tableEnd + table.baseBlocks * baseDigestBytes;
        read(tableEnd, digestsEnd + storedBytes);
        record.limit(digestsEnd + storedBytes).position(0);
        check(
                record.getInt(DeltaFormat.RECORD_CRC_OFFSET) == DeltaFormat.recordCrc(record),
                () -> "record %d does not match its checksum".formatted(records));
        var plain = encoding == DeltaFormat.PLAIN
                ? record.slice(digestsEnd, storedBytes)
                : decompress(digestsEnd, storedBytes, plainBytes);
        recordHasher.append(DeltaFormat.recordDigests(kernel, header.algorithm(), record), TreeHasher.Sink.none());
        offsetBytes += record.remaining();
        nextBlock = table.extents.getLast().endBlock();
        dataBlocks += table.dataBlocks;
        zeroBlocks += table.zeroBlocks;
        records++;
        return new DeltaRecord(table.extents, record.slice(tableEnd, digestsEnd - tableEnd), plain);
    }

    private record Extents(List<DeltaExtent> extents, int baseBlocks, int dataBlocks, int zeroBlocks, long dataBytes) {}

    private Extents extents(int extentCount) throws BlockException {
        var extents = new ArrayList<DeltaExtent>(extentCount);
        long next = nextBlock;
        int dataBlocks = 0;
        int zeroBlocks = 0;
        int baseBlocks = 0;
        long dataBytes = 0;
        for (int i = 0; i < extentCount; i++) {
            int at = DeltaFormat.RECORD_HEADER_BYTES + i * DeltaFormat.EXTENT_BYTES;
            long first = record.getLong(at);
            int count = record.getInt(at + Long.BYTES) & ~DeltaFormat.ZERO_EXTENT;
            boolean zero = (record.getInt(at + Long.BYTES) & DeltaFormat.ZERO_EXTENT) != 0;
            int room = DeltaFormat.MAXIMUM_RECORD_BLOCKS - dataBlocks - zeroBlocks;
            check(count > 0 && count <= room, () -> "extent of %d blocks".formatted(count));
            check(
                    first >= next && first <= header.result().blockCount() - count,
                    () -> "extent of %d blocks from block %d".formatted(count, first));
            extents.add(new DeltaExtent(first, count, zero));
            next = first + count;
            if (zero) {
                zeroBlocks += count;
            } else {
                dataBlocks += count;
                dataBytes += header.result().lengthBytes(first, count);
            }
            baseBlocks += (int) Math.clamp(header.base().blockCount() - first, 0L, (long) count);
        }
        return new Extents(extents, baseBlocks, dataBlocks, zeroBlocks, dataBytes);
    }

    private ByteBuffer decompress(int storedOffset, int storedBytes, int plainBytes) throws BlockException {
        if (data.capacity() < plainBytes) {
            data = ByteBuffer.allocateDirect(plainBytes);
        }
        try {
            int got = zstd.decompressDirectByteBuffer(data, 0, plainBytes, record, storedOffset, storedBytes);
            check(got == plainBytes, () -> "payload unpacks to %d bytes, not %d".formatted(got, plainBytes));
        } catch (ZstdException e) {
            check(false, () -> "payload cannot be unpacked: %s".formatted(String.valueOf(e.getMessage())));
        }
        return data.slice(0, plainBytes);
    }

    private void end(int storedBytes) throws IOException, BlockException {
        check(storedBytes == DeltaFormat.END_BODY_BYTES, () -> "trailer of %d bytes".formatted(storedBytes));
        int length = DeltaFormat.RECORD_HEADER_BYTES + DeltaFormat.END_BODY_BYTES;
        read(DeltaFormat.RECORD_HEADER_BYTES, length);
        record.limit(length).position(0);
        check(
                record.getInt(DeltaFormat.RECORD_CRC_OFFSET) == DeltaFormat.recordCrc(record),
                () -> "trailer does not match its checksum");
        record.position(DeltaFormat.RECORD_HEADER_BYTES);
        check(
                record.getLong() == records && record.getLong() == dataBlocks && record.getLong() == zeroBlocks,
                () -> "trailer counts other records or blocks than there are");
        var root = recordHasher.finish(TreeHasher.Sink.none());
        check(Digest.take(header.algorithm(), record).equals(root), () -> "records do not match the trailer's digest");
        check(offsetBytes + length == endBytes(), () -> "bytes follow the trailer");
        offsetBytes += length;
        ended = true;
    }

    /** Has bytes {@code [from, to)} of the record in its buffer, or says that the file ends before. */
    private void read(int from, int to) throws IOException, BlockException {
        check(offsetBytes <= endBytes() - to, () -> "ends within record %d".formatted(records));
        if (record.capacity() < to) {
            var larger = ByteBuffer.allocateDirect(Math.max(to, 2 * record.capacity()));
            larger.put(record.limit(from).position(0));
            record = larger;
        }
        record.limit(to).position(from);
        file.read(offsetBytes + from, record);
    }

    private long endBytes() {
        return file.sizeBytes() - headerBytesAtEnd;
    }

    private void check(boolean right, Supplier<String> evidence) throws BlockException {
        if (!right) {
            throw new BlockException(new BlockError.Damaged(file.name(), offsetBytes, evidence.get()));
        }
    }
}
