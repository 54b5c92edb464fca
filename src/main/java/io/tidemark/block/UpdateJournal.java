package io.tidemark.block;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * What an update will write to an index, durable before the index is touched: {@code docs/formats/block-index.md}. An
 * empty file is no update; one whose header is not there yet, or not wholly, is one that had not begun to write.
 */
final class UpdateJournal {
    private static final FixedHeader HEADER = new FixedHeader("TMBIXUPD", "block-hash index update", 2, 320);

    /** Of the field with the header that the index had, and has until it is wiped. */
    private static final int OLD_HEADER_OFFSET = 164;

    private static final int RECORD_HEADER_BYTES = Long.BYTES + Integer.BYTES;

    /** Longest record: the digests of one chunk. */
    private static final int RECORD_BYTES_MAXIMUM =
            BlockIndexFormat.CHUNK_DIGESTS * BlockIndexFormat.DIGEST_FIELD_BYTES;

    /** Written and read at once: records are often of a few bytes. */
    private static final int BUFFER_BYTES = 256 << 10;

    private final ImageWriter file;
    private final CRC32C crc = new CRC32C();
    private final ByteBuffer recordHeader = ByteBuffer.allocate(RECORD_HEADER_BYTES);
    private final ByteBuffer unwritten = ByteBuffer.allocate(BUFFER_BYTES);
    private long writtenBytes = HEADER.lengthBytes();

    UpdateJournal(ImageWriter file) {
        this.file = file;
    }

    /** Bytes that belong at an offset of the index. */
    void record(long indexOffset, ByteBuffer bytes) throws IOException {
        append(recordHeader
                .clear()
                .putLong(indexOffset)
                .putInt(bytes.remaining())
                .flip());
        append(bytes);
    }

    /** With what is still to be written to the file. */
    long sizeBytes() {
        return writtenBytes + unwritten.position();
    }

    /** Leaves the buffer as it was: a view of each digest would be garbage. */
    private void append(ByteBuffer bytes) throws IOException {
        int from = bytes.position();
        crc.update(bytes);
        bytes.position(from);
        while (from < bytes.limit()) {
            int taken = Math.min(bytes.limit() - from, unwritten.remaining());
            unwritten.put(unwritten.position(), bytes, from, taken).position(unwritten.position() + taken);
            from += taken;
            if (!unwritten.hasRemaining()) {
                writeOut();
            }
        }
    }

    private void writeOut() throws IOException {
        unwritten.flip();
        int length = unwritten.remaining();
        file.write(writtenBytes, unwritten);
        writtenBytes += length;
        unwritten.clear();
    }

    /** From here on the update will be finished, whoever dies. */
    void seal(ByteBuffer oldIndexHeader, ByteBuffer newIndexHeader, long indexBytes) throws IOException {
        writeOut();
        file.flush();
        var header = HEADER.begin()
                .putInt((int) crc.getValue())
                .putLong(writtenBytes)
                .putLong(indexBytes)
                .putInt(0)
                .put(newIndexHeader.duplicate())
                .put(oldIndexHeader.duplicate());
        file.write(0, HEADER.seal(header));
        file.flush();
    }

    /**
     * Writes what a sealed journal holds to the index, and empties the journal.
     *
     * @throws BlockException NotOfKind, UnknownVersion or Damaged, and nothing is changed
     */
    boolean finish(ImageWriter index) throws IOException, BlockException {
        if (file.sizeBytes() == 0) {
            return false;
        }
        var header = sealed();
        if (header.isPresent()) {
            apply(header.get(), index);
        }
        file.resize(0);
        file.flush();
        return header.isPresent();
    }

    /** The header after magic and version; empty when the update died before it was durable. */
    private Optional<ByteBuffer> sealed() throws IOException, BlockException {
        if (HEADER.beginsWithZeros(file)) {
            return Optional.empty();
        }
        // Before its checksum: the header of another version may have another length.
        HEADER.checkKindAndVersion(file);
        ByteBuffer header;
        try {
            header = HEADER.read(file);
        } catch (BlockException e) {
            if (e.error() instanceof BlockError.Damaged) {
                return Optional.empty();
            }
            throw e;
        }
        long end = header.getLong(header.position() + Integer.BYTES);
        if (end < HEADER.lengthBytes() || end > file.sizeBytes() || header.getInt(header.position()) != crcTo(end)) {
            // They were durable before the header was: not a death but damage.
            throw new BlockException(new BlockError.Damaged(
                    file.name(), HEADER.lengthBytes(), "records do not match the header's checksum"));
        }
        return Optional.of(header);
    }

    private int crcTo(long end) throws IOException {
        var found = new CRC32C();
        var buffer = ByteBuffer.allocate(1 << 20);
        for (long at = HEADER.lengthBytes(); at < end; at += buffer.limit()) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), end - at));
            file.read(at, buffer);
            found.update(buffer.flip());
        }
        return (int) found.getValue();
    }

    private void apply(ByteBuffer header, ImageWriter index) throws IOException, BlockException {
        header.getInt();
        long end = header.getLong();
        long indexBytes = header.getLong();
        header.getInt();
        var newIndexHeader = header.slice(header.position(), BlockIndexFormat.HEADER.lengthBytes());
        checkBelongsTo(index, indexBytes, header.slice(OLD_HEADER_OFFSET, newIndexHeader.remaining()), newIndexHeader);
        // Neither the old index nor the new one until all is written: no reader takes it for either.
        index.write(Long.BYTES, ByteBuffer.allocate(newIndexHeader.remaining() - Long.BYTES));
        index.flush();
        var records = new Records(end);
        while (records.more()) {
            long at = records.atBytes();
            var record = records.take(RECORD_HEADER_BYTES);
            long offset = record.getLong();
            int length = record.getInt();
            if (length < 1 || length > RECORD_BYTES_MAXIMUM || offset < 0 || offset > indexBytes - length) {
                throw new BlockException(new BlockError.Damaged(file.name(), at, "record outside the index"));
            }
            index.write(offset, records.take(length));
        }
        index.flush();
        index.write(0, newIndexHeader);
        index.flush();
    }

    /** What the journal holds, in order, many records read at once. */
    private final class Records {
        private final long end;
        private final ByteBuffer read = ByteBuffer.allocate(BUFFER_BYTES).limit(0);
        private long readBytes = HEADER.lengthBytes();

        Records(long end) {
            this.end = end;
        }

        boolean more() {
            return atBytes() < end;
        }

        long atBytes() {
            return readBytes - read.remaining();
        }

        ByteBuffer take(int length) throws IOException {
            var taken = ByteBuffer.allocate(length);
            while (taken.hasRemaining()) {
                if (!read.hasRemaining()) {
                    read.clear().limit((int) Math.min(BUFFER_BYTES, end - readBytes));
                    if (!read.hasRemaining()) {
                        throw new EOFException("%s ends within a record".formatted(file.name()));
                    }
                    file.read(readBytes, read);
                    readBytes += read.flip().remaining();
                }
                int part = Math.min(taken.remaining(), read.remaining());
                taken.put(read.slice(read.position(), part));
                read.position(read.position() + part);
            }
            return taken.flip();
        }
    }

    /** The index has the old header, the new one, or one that this journal's update wiped. */
    private void checkBelongsTo(ImageWriter index, long indexBytes, ByteBuffer oldHeader, ByteBuffer newHeader)
            throws IOException, BlockException {
        if (index.sizeBytes() != indexBytes) {
            throw new BlockException(new BlockError.Damaged(
                    file.name(),
                    24,
                    "belongs to an index of %d bytes, %s has %d"
                            .formatted(indexBytes, index.name(), index.sizeBytes())));
        }
        var found = ByteBuffer.allocate(newHeader.remaining());
        index.read(0, found);
        found.flip();
        var wiped = ByteBuffer.allocate(newHeader.remaining())
                .putLong(newHeader.getLong(0))
                .clear();
        if (!found.equals(oldHeader) && !found.equals(newHeader) && !found.equals(wiped)) {
            throw new BlockException(new BlockError.Damaged(
                    file.name(),
                    OLD_HEADER_OFFSET,
                    "belongs to an index with another header than %s has".formatted(index.name())));
        }
    }
}
