package io.tidemark.provider.image;

/**
 * CRC-32C as Btrfs streams use it: from zero, and not inverted at the end, unlike {@code java.util.zip.CRC32C}
 * ({@code send_cmd} in {@code fs/btrfs/send.c}).
 */
final class SendChecksum {
    /** Castagnoli's polynomial, reflected. */
    private static final int POLYNOMIAL = 0x82F6_3B78;

    private static final int[] TABLE = new int[256];

    static {
        for (int index = 0; index < TABLE.length; index++) {
            int value = index;
            for (int bit = 0; bit < Byte.SIZE; bit++) {
                value = (value & 1) == 0 ? value >>> 1 : (value >>> 1) ^ POLYNOMIAL;
            }
            TABLE[index] = value;
        }
    }

    private SendChecksum() {}

    static int of(byte[] header, byte[] body) {
        return update(update(0, header), body);
    }

    private static int update(int before, byte[] bytes) {
        int value = before;
        for (byte next : bytes) {
            value = TABLE[(value ^ next) & 0xFF] ^ (value >>> Byte.SIZE);
        }
        return value;
    }
}
