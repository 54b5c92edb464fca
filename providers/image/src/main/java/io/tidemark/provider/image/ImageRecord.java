package io.tidemark.provider.image;

import io.tidemark.spi.SnapshotId;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoField;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * What lies beside a snapshot, or tells where a clone came from; docs/formats/image-records.md has the bytes.
 *
 * @param snapshot the snapshot itself, or the one a clone was made from
 * @param sizeBytes of the image
 * @param createdAt of the snapshot, or of the clone
 */
record ImageRecord(Kind kind, SnapshotId snapshot, long sizeBytes, Instant createdAt, CutMethod method) {
    static final String SUFFIX = ".record";
    static final int BYTES_MAXIMUM = 1_024;

    private static final long MAGIC = 0x5449_4445_494D_4752L; // "TIDEIMGR"
    private static final short VERSION = 1;

    /** Codes are on disk: never change one. */
    enum Kind {
        SNAPSHOT(1),
        ORIGIN(2);

        private final int code;

        Kind(int code) {
            this.code = code;
        }
    }

    /** A record that is not what it should be, with what was found. */
    static final class DamagedException extends IOException {
        private static final long serialVersionUID = 1L;

        DamagedException(String evidence) {
            super(evidence);
        }
    }

    byte[] encode() {
        var id = snapshot.toString().getBytes(StandardCharsets.US_ASCII);
        var buffer = ByteBuffer.allocate(BYTES_MAXIMUM)
                .putLong(MAGIC)
                .putShort(VERSION)
                .put((byte) kind.code)
                .put((byte) method.code())
                .putLong(sizeBytes)
                .putLong(createdAt.getEpochSecond())
                .putInt(createdAt.getNano())
                .putShort((short) id.length)
                .put(id);
        buffer.putInt(checksum(buffer.array(), buffer.position()));
        return Arrays.copyOf(buffer.array(), buffer.position());
    }

    static ImageRecord decode(byte[] bytes) throws DamagedException {
        try {
            var buffer = ByteBuffer.wrap(bytes);
            if (buffer.getLong() != MAGIC) {
                throw new DamagedException("not a record: wrong magic");
            }
            int version = buffer.getShort();
            if (version != VERSION) {
                throw new DamagedException("record version %d, this version reads %d".formatted(version, VERSION));
            }
            if (ByteBuffer.wrap(bytes).getInt(bytes.length - Integer.BYTES)
                    != checksum(bytes, bytes.length - Integer.BYTES)) {
                throw new DamagedException("wrong checksum");
            }
            var kind = kind(buffer.get());
            var method = CutMethod.ofCode(buffer.get());
            long sizeBytes = buffer.getLong();
            var createdAt = Instant.ofEpochSecond(
                    buffer.getLong(), ChronoField.NANO_OF_SECOND.checkValidIntValue(buffer.getInt()));
            var id = new byte[Short.toUnsignedInt(buffer.getShort())];
            buffer.get(id);
            if (buffer.remaining() != Integer.BYTES) {
                throw new DamagedException("record has %d bytes too many".formatted(buffer.remaining()));
            }
            var snapshot = SnapshotId.parse(new String(id, StandardCharsets.US_ASCII));
            return new ImageRecord(kind, snapshot, sizeBytes, createdAt, method);
        } catch (BufferUnderflowException | IndexOutOfBoundsException e) {
            throw new DamagedException("record of %d bytes ends early".formatted(bytes.length));
        } catch (IllegalArgumentException | DateTimeException e) {
            throw new DamagedException(String.valueOf(e.getMessage()));
        }
    }

    static ImageRecord read(Path file) throws IOException {
        long length = Files.size(file);
        if (length > BYTES_MAXIMUM) {
            throw new DamagedException("record has %d bytes, at most %d allowed".formatted(length, BYTES_MAXIMUM));
        }
        return decode(Files.readAllBytes(file));
    }

    private static Kind kind(int code) throws DamagedException {
        for (var kind : Kind.values()) {
            if (kind.code == code) {
                return kind;
            }
        }
        throw new DamagedException("unknown kind of record: " + code);
    }

    private static int checksum(byte[] bytes, int length) {
        var checksum = new CRC32C();
        checksum.update(bytes, 0, length);
        return (int) checksum.getValue();
    }
}
