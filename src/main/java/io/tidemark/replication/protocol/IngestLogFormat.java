package io.tidemark.replication.protocol;

import io.tidemark.domain.LinkId;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * Bytes of an ingest log, version 1: a header of 1 KiB, then records, each with its own checksum. What a crash tore off
 * is found by it, and everything behind it is ignored. Layout: docs/formats/ingest-log.md.
 */
public final class IngestLogFormat {
    public static final int HEADER_BYTES = 1_024;
    public static final int RECORD_HEADER_BYTES = 16;
    private static final long MAGIC = 0x544D494E47455354L; // TMINGEST
    private static final int VERSION = 1;
    private static final int FLAG_DIRECT = 1;
    private static final int HEADER_CHECKSUM_AT = 16;
    private static final int RECORD_MAGIC = 0x544D4952; // TMIR
    private static final int RECORD_CHECKSUM_AT = 12;
    private static final int BLOCKS_KIND = 2;

    private IngestLogFormat() {}

    /**
     * @param direct whether blocks go to the volume and only checkpoints to the log
     * @param createdAt for the age limit
     */
    public record Header(
            LinkId link,
            RecoveryPointId point,
            Optional<RecoveryPointId> base,
            VolumeId volume,
            long volumeBytes,
            boolean direct,
            Instant createdAt) {

        /** Whether the blocks are the bytes of a storage's own stream. */
        public boolean stream() {
            return volumeBytes == Message.Offer.STREAM_BYTES;
        }
    }

    /** What follows the header. */
    public sealed interface Entry {
        /** The recovery point as JSON; the first record. */
        record Metadata(String json) implements Entry {}

        /** Blocks to be written at the apply; the buffer is a view of what was read. */
        record Blocks(Message.Blocks blocks) implements Entry {}

        /** Everything before it is durable, in the log and (direct) on the volume. */
        record Checkpoint(IngestTotals totals) implements Entry {}

        /** The last record: the log must be applied. */
        record Commit(Message.Commit commit) implements Entry {}
    }

    /** @param lengthBytes of the payload */
    public record EntryHeader(int kind, int lengthBytes, int checksum) {}

    public static ByteBuffer encode(Header header) {
        var bytes = ByteBuffer.allocate(HEADER_BYTES);
        bytes.putLong(MAGIC)
                .putInt(VERSION)
                .putInt(header.direct() ? FLAG_DIRECT : 0)
                .putInt(0);
        bytes.putLong(header.volumeBytes()).putLong(header.createdAt().toEpochMilli());
        MessageCodec.text(header.link().value(), bytes);
        MessageCodec.text(header.point().value(), bytes);
        MessageCodec.text(header.base().map(RecoveryPointId::value).orElse(""), bytes);
        MessageCodec.text(header.volume().value(), bytes);
        return bytes.putInt(HEADER_CHECKSUM_AT, Crc32c.of(bytes.clear())).clear();
    }

    /** @throws ReplicationException CorruptFrame when it is not a whole header of this version */
    public static Header header(ByteBuffer bytes) throws ReplicationException {
        if (bytes.remaining() != HEADER_BYTES || bytes.getLong(0) != MAGIC) {
            throw FrameHeader.corrupt("no ingest log");
        }
        var copy = ByteBuffer.allocate(HEADER_BYTES).put(bytes.duplicate()).flip();
        copy.putInt(HEADER_CHECKSUM_AT, 0);
        if (Crc32c.of(copy) != bytes.getInt(HEADER_CHECKSUM_AT)) {
            throw FrameHeader.corrupt("checksum of ingest log header is wrong");
        }
        var in = new PayloadReader(FrameType.OFFER, bytes);
        in.size("magic");
        int version = in.int32("version");
        if (version != VERSION) {
            throw FrameHeader.corrupt("ingest log has version %d, this is %d".formatted(version, VERSION));
        }
        boolean direct = in.int32("flags") == FLAG_DIRECT;
        in.int32("checksum");
        long volumeBytes = in.size("volume bytes");
        var created = Instant.ofEpochMilli(in.size("created"));
        return new Header(
                in.id("link", LinkId::new),
                in.id("point", RecoveryPointId::new),
                in.id("base", text -> text.isEmpty() ? Optional.empty() : Optional.of(new RecoveryPointId(text))),
                in.id("volume", VolumeId::new),
                volumeBytes,
                direct,
                created);
    }

    /** Writes a record of blocks but for the blocks themselves, which are to follow it, at the start of {@code into}. */
    public static void encodeHead(Message.Blocks blocks, ByteBuffer into) {
        into.clear().position(RECORD_HEADER_BYTES);
        MessageCodec.writeExtents(blocks.extents(), into);
        into.flip();
        int payloadBytes = into.limit() - RECORD_HEADER_BYTES + blocks.data().remaining();
        into.putInt(0, RECORD_MAGIC)
                .putInt(4, BLOCKS_KIND)
                .putInt(8, payloadBytes)
                .putInt(RECORD_CHECKSUM_AT, 0);
        int bytes = blocks.data().remaining();
        into.putInt(RECORD_CHECKSUM_AT, Crc32c.ofBoth(Crc32c.of(into), blocks.dataChecksum(), bytes));
    }

    /** Writes a record at the start of {@code into}, which then holds exactly it. */
    public static void encode(Entry entry, ByteBuffer into) {
        into.clear().position(RECORD_HEADER_BYTES);
        int kind = switch (entry) {
            case Entry.Metadata metadata -> {
                MessageCodec.text(metadata.json(), into);
                yield 1;
            }
            case Entry.Blocks blocks -> {
                MessageCodec.writeBlocks(
                        blocks.blocks().extents(), blocks.blocks().data(), into);
                yield BLOCKS_KIND;
            }
            case Entry.Checkpoint checkpoint -> {
                MessageCodec.totals(checkpoint.totals(), into);
                yield 3;
            }
            case Entry.Commit commit -> {
                MessageCodec.totals(commit.commit().totals(), into);
                MessageCodec.cost(commit.commit().cost(), into);
                yield 4;
            }
        };
        into.flip();
        into.putInt(0, RECORD_MAGIC).putInt(4, kind).putInt(8, into.limit() - RECORD_HEADER_BYTES);
        into.putInt(RECORD_CHECKSUM_AT, 0).putInt(RECORD_CHECKSUM_AT, Crc32c.of(into));
    }

    /** Empty where no record begins, or one that no record can be: the log ends here. */
    public static Optional<EntryHeader> entryHeader(ByteBuffer bytes) {
        int magic = bytes.getInt();
        int kind = bytes.getInt();
        int length = bytes.getInt();
        int checksum = bytes.getInt();
        boolean known = magic == RECORD_MAGIC && kind >= 1 && kind <= 4;
        return known && length >= 0 && length <= largest(kind)
                ? Optional.of(new EntryHeader(kind, length, checksum))
                : Optional.empty();
    }

    /** Empty when the payload is not what was written: torn, the log ends before it. */
    public static Optional<Entry> entry(EntryHeader header, ByteBuffer payload) {
        var head = ByteBuffer.allocate(RECORD_HEADER_BYTES)
                .putInt(RECORD_MAGIC)
                .putInt(header.kind())
                .putInt(header.lengthBytes())
                .putInt(0)
                .flip();
        var crc = new CRC32C();
        crc.update(head);
        int divided = header.kind() == BLOCKS_KIND ? MessageCodec.headBytes(payload) : payload.remaining();
        Crc32c.update(crc, payload, payload.position(), divided);
        int restBytes = payload.remaining() - divided;
        int restChecksum = Crc32c.of(payload, payload.position() + divided, restBytes);
        if (Crc32c.ofBoth((int) crc.getValue(), restChecksum, restBytes) != header.checksum()) {
            return Optional.empty();
        }
        var in = new PayloadReader(FrameType.BLOCKS, payload);
        try {
            return Optional.of(
                    switch (header.kind()) {
                        case 1 -> new Entry.Metadata(in.text("metadata"));
                        case 2 -> new Entry.Blocks(MessageCodec.readBlocks(in, _ -> restChecksum));
                        case 3 -> new Entry.Checkpoint(MessageCodec.totals(in));
                        default -> new Entry.Commit(new Message.Commit(MessageCodec.totals(in), MessageCodec.cost(in)));
                    });
        } catch (ReplicationException e) {
            return Optional.empty();
        }
    }

    /** Bytes of the largest record of a kind; the metadata's is much larger than the rest. */
    public static int largestBytes(boolean metadata) {
        return RECORD_HEADER_BYTES + largest(metadata ? 1 : 2);
    }

    private static int largest(int kind) {
        return kind == 1 ? FrameType.OFFER.payloadBytesMaximum() : FrameType.BLOCKS.payloadBytesMaximum();
    }
}
