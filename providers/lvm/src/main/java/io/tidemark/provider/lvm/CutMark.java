package io.tidemark.provider.lvm;

import io.tidemark.nativeblock.DeviceMapper;
import io.tidemark.spi.SnapshotId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.zip.CRC32C;

/** The mark in a classic snapshot's store: docs/formats/cut-mark.md. */
final class CutMark {
    private static final byte[] MAGIC = "TMCUTMRK".getBytes(StandardCharsets.US_ASCII);
    private static final int VERSION = 1;
    private static final int CHECKSUM_AT = DeviceMapper.MARK_BYTES - Integer.BYTES;

    private CutMark() {}

    static ByteBuffer of(SnapshotId snapshot) {
        var mark = ByteBuffer.allocate(DeviceMapper.MARK_BYTES)
                .put(MAGIC)
                .putInt(VERSION)
                .putInt(DeviceMapper.MARK_BYTES)
                .put(digest(snapshot));
        var checksum = new CRC32C();
        checksum.update(mark.array(), 0, CHECKSUM_AT);
        return mark.putInt(CHECKSUM_AT, (int) checksum.getValue()).rewind();
    }

    /** @param block the first one of a store */
    static boolean isIn(ByteBuffer block, SnapshotId snapshot) {
        // All of it follows from the snapshot: magic, version, length and checksum too.
        return block.slice(DeviceMapper.MARK_AT, DeviceMapper.MARK_BYTES).equals(of(snapshot));
    }

    private static byte[] digest(SnapshotId snapshot) {
        try {
            return MessageDigest.getInstance("SHA-256")
                    .digest(snapshot.toString().getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
