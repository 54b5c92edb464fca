package io.tidemark.provider.devices;

import java.util.zip.CRC32C;

/**
 * CRC-32C as Btrfs streams use it: from zero, and not inverted at the end, unlike {@code java.util.zip.CRC32C}
 * ({@code send_cmd} in {@code fs/btrfs/send.c}).
 */
final class SendChecksum {
    /** Takes the JDK's register, which starts with all bits set, to zero. */
    private static final byte[] TO_ZERO = {-1, -1, -1, -1};

    private SendChecksum() {}

    static int of(byte[] header, byte[] body) {
        var checksum = new CRC32C();
        checksum.update(TO_ZERO);
        checksum.update(header);
        checksum.update(body);
        return ~(int) checksum.getValue();
    }
}
