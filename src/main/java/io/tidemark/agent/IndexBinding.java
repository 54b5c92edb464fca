package io.tidemark.agent;

import io.tidemark.block.Digest;
import io.tidemark.domain.LinkId;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * Whose index a file is, in a file of its own: {@code docs/formats/block-index.md}. The root ties the two together, so
 * that it does not matter which of them was replaced first.
 *
 * @param sizeBytes of the snapshot
 * @param epoch of the volume's tracking in which every digest was computed
 */
record IndexBinding(LinkId link, SnapshotId snapshot, long sizeBytes, long epoch, Digest root) {
    private static final byte[] MAGIC = "TMIXBIND".getBytes(StandardCharsets.US_ASCII);
    private static final int VERSION = 1;

    /** Longest file: three ids of at most 146 bytes. */
    static final int BYTES_MAXIMUM = 1_024;

    /** Whether it is of that snapshot and may be used in that epoch; empty, else the reason why not. */
    Optional<String> whyNot(SnapshotId wanted, long wantedBytes, long wantedEpoch) {
        if (!snapshot.equals(wanted)) {
            return Optional.of("of snapshot " + snapshot + ", not of " + wanted);
        }
        if (sizeBytes != wantedBytes) {
            return Optional.of("of %d bytes, not of %d".formatted(sizeBytes, wantedBytes));
        }
        return epoch == wantedEpoch
                ? Optional.empty()
                : Optional.of("of epoch %d, not of %d".formatted(epoch, wantedEpoch));
    }

    ByteBuffer encoded() {
        var bytes = ByteBuffer.allocate(BYTES_MAXIMUM)
                .put(MAGIC)
                .putInt(VERSION)
                .putLong(sizeBytes)
                .putLong(epoch);
        root.putInto(bytes);
        put(bytes, link.value());
        put(bytes, snapshot.volume().value());
        put(bytes, snapshot.recoveryPoint().value());
        bytes.putInt(crcOf(bytes.duplicate().flip()));
        return bytes.flip();
    }

    /** @throws IOException when it is not what {@link #encoded} gave */
    static IndexBinding decode(ByteBuffer bytes) throws IOException {
        try {
            var magic = new byte[MAGIC.length];
            bytes.get(magic);
            int version = bytes.getInt();
            if (!Arrays.equals(magic, MAGIC) || version != VERSION) {
                throw new IOException("no binding of an index, version " + VERSION);
            }
            int crcOffset = bytes.limit() - Integer.BYTES;
            if (bytes.getInt(crcOffset) != crcOf(bytes.slice(0, crcOffset))) {
                throw new IOException("binding of an index does not match its checksum");
            }
            long sizeBytes = bytes.getLong();
            long epoch = bytes.getLong();
            var root = Digest.take(HashAlgorithm.XXH3_128, bytes);
            var link = new LinkId(take(bytes));
            var volume = new VolumeId(take(bytes));
            var snapshot = new SnapshotId(volume, new RecoveryPointId(take(bytes)));
            if (bytes.position() != crcOffset) {
                throw new IOException("binding of an index has bytes that belong to nothing");
            }
            return new IndexBinding(link, snapshot, sizeBytes, epoch, root);
        } catch (BufferUnderflowException | IndexOutOfBoundsException | IllegalArgumentException e) {
            throw new IOException("binding of an index is cut short or malformed", e);
        }
    }

    private static void put(ByteBuffer bytes, String text) {
        var encoded = text.getBytes(StandardCharsets.UTF_8);
        bytes.putShort((short) encoded.length).put(encoded);
    }

    private static String take(ByteBuffer bytes) {
        var encoded = new byte[Short.toUnsignedInt(bytes.getShort())];
        bytes.get(encoded);
        return new String(encoded, StandardCharsets.UTF_8);
    }

    private static int crcOf(ByteBuffer bytes) {
        var crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }
}
