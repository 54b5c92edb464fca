package io.tidemark.provider.azure;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The last 512 bytes of a fixed virtual hard disk, without which nothing that is uploaded becomes a disk. Layout:
 * "Virtual Hard Disk Image Format Specification", version 1.0, "Hard Disk Footer Format" and "CHS Calculation".
 */
final class VhdFooter {
    static final int BYTES = 512;
    private static final int FEATURES_RESERVED = 2;
    private static final int VERSION = 0x00010000;
    private static final int TYPE_FIXED = 2;
    private static final int CHECKSUM_AT = 64;
    private static final int ID_BYTES = 16;
    private static final int SECTOR = 512;
    private static final int HOST_WINDOWS = 0x5769326B;

    private VhdFooter() {}

    /** @param name of which its unique id is made: the same again each time */
    static byte[] of(long sizeBytes, String name) {
        var footer = ByteBuffer.allocate(BYTES);
        footer.put("conectix".getBytes(StandardCharsets.US_ASCII));
        footer.putInt(FEATURES_RESERVED);
        footer.putInt(VERSION);
        // No header follows: it is of fixed size.
        footer.putLong(-1);
        // Its time, which nobody reads.
        footer.putInt(0);
        footer.put("tdmk".getBytes(StandardCharsets.US_ASCII));
        footer.putInt(VERSION);
        footer.putInt(HOST_WINDOWS);
        footer.putLong(sizeBytes);
        footer.putLong(sizeBytes);
        footer.putInt(geometry(sizeBytes / SECTOR));
        footer.putInt(TYPE_FIXED);
        footer.putInt(0);
        footer.put(id(name), 0, ID_BYTES);
        int sum = 0;
        for (byte each : footer.array()) {
            sum += each & 0xff;
        }
        footer.putInt(CHECKSUM_AT, ~sum);
        return footer.array();
    }

    /** Cylinders, heads and sectors of a track, as that document counts them. */
    private static int geometry(long sectors) {
        long total = Math.min(sectors, 65_535L * 16 * 255);
        int perTrack = 255;
        int heads = 16;
        long cylindersTimesHeads = total / perTrack;
        if (total < 65_535L * 16 * 63) {
            perTrack = 17;
            cylindersTimesHeads = total / perTrack;
            heads = Math.max(4, Math.toIntExact((cylindersTimesHeads + 1_023) / 1_024));
            if (cylindersTimesHeads >= heads * 1_024L || heads > 16) {
                perTrack = 31;
                heads = 16;
                cylindersTimesHeads = total / perTrack;
            }
            if (cylindersTimesHeads >= heads * 1_024L) {
                perTrack = 63;
                heads = 16;
                cylindersTimesHeads = total / perTrack;
            }
        }
        return Math.toIntExact(cylindersTimesHeads / heads) << 16 | heads << 8 | perTrack;
    }

    private static byte[] id(String name) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
