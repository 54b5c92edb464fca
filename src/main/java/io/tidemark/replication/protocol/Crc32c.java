package io.tidemark.replication.protocol;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * CRC32C (RFC 3720, appendix B.4) of bytes, and of bytes put together: blocks are read for it once, though their frame,
 * their log record and the chain of their transfer each have a checksum that covers them.
 */
final class Crc32c {
    /** Of the polynomial, bit-reversed. */
    private static final int POLYNOMIAL = 0x82F63B78;

    /** The polynomial x^0, bit-reversed. */
    private static final int ONE = 0x8000_0000;

    private static final int LENGTH_BITS = Long.SIZE;

    /** {@code x^(8 * 2^n)}: what n zero bits more of a length in bytes do to a checksum. */
    private static final int[] BYTES_SHIFTED = shifts();

    private Crc32c() {}

    /** Leaves the buffer as it was: a view for each frame would be garbage. */
    static int of(ByteBuffer bytes) {
        return of(bytes, bytes.position(), bytes.remaining());
    }

    /** Of the bytes from an index on, wherever the buffer's position is; leaves it as it was. */
    static int of(ByteBuffer bytes, int from, int length) {
        var crc = new CRC32C();
        update(crc, bytes, from, length);
        return (int) crc.getValue();
    }

    static void update(CRC32C crc, ByteBuffer bytes, int from, int length) {
        int position = bytes.position();
        int limit = bytes.limit();
        crc.update(bytes.limit(from + length).position(from));
        bytes.limit(limit).position(position);
    }

    /**
     * The checksum of two pieces, one behind the other, from those of each.
     *
     * @param secondBytes length of the second
     */
    static int ofBoth(int first, int second, long secondBytes) {
        int shift = ONE;
        for (int bit = 0; bit < LENGTH_BITS && secondBytes >>> bit != 0; bit++) {
            if ((secondBytes >>> bit & 1) != 0) {
                shift = product(BYTES_SHIFTED[bit], shift);
            }
        }
        return product(shift, first) ^ second;
    }

    private static int[] shifts() {
        var shifts = new int[LENGTH_BITS];
        int shift = ONE >>> Byte.SIZE;
        for (int bit = 0; bit < LENGTH_BITS; bit++) {
            shifts[bit] = shift;
            shift = product(shift, shift);
        }
        return shifts;
    }

    /** Of two polynomials over GF(2), both bit-reversed, modulo the polynomial. */
    private static int product(int left, int right) {
        int sum = 0;
        int shifted = right;
        for (int bit = ONE; bit != 0; bit >>>= 1) {
            if ((left & bit) != 0) {
                sum ^= shifted;
            }
            shifted = (shifted & 1) == 0 ? shifted >>> 1 : shifted >>> 1 ^ POLYNOMIAL;
        }
        return sum;
    }
}
