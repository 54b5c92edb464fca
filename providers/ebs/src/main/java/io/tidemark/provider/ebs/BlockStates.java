package io.tidemark.provider.ebs;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Which blocks a layer has, and which of those are zeros that take no room: two bits a block.
 *
 * <p>As a file: {@code TMCB}, version, lengths of both sets in bytes, the sets (bit 0 of byte 0 is block 0), SHA-256 of all
 * before. Not safe for several threads.
 */
final class BlockStates {
    private static final int MAGIC = 0x544d4342;
    private static final int VERSION = 1;
    private static final int HEAD_BYTES = 16;
    private static final int DIGEST_BYTES = 32;

    private final BitSet present;
    private final BitSet zero;

    BlockStates() {
        this(new BitSet(), new BitSet());
    }

    private BlockStates(BitSet present, BitSet zero) {
        this.present = present;
        this.zero = zero;
    }

    /** @throws ProviderException Corrupt */
    static BlockStates parse(String file, byte[] bytes) throws ProviderException {
        var head = ByteBuffer.wrap(bytes);
        if (bytes.length < HEAD_BYTES + DIGEST_BYTES || head.getInt() != MAGIC || head.getInt() != VERSION) {
            throw corrupt(file, "it is no list of blocks of version " + VERSION);
        }
        int presentBytes = head.getInt();
        int zeroBytes = head.getInt();
        int body = bytes.length - DIGEST_BYTES;
        if (presentBytes < 0 || zeroBytes < 0 || (long) HEAD_BYTES + presentBytes + zeroBytes != body) {
            throw corrupt(file, "its length is not what it says");
        }
        var digest = DirectCalls.digestOf(ByteBuffer.wrap(bytes, 0, body));
        if (!Arrays.equals(digest, Arrays.copyOfRange(bytes, body, bytes.length))) {
            throw corrupt(file, "its checksum is another one");
        }
        return new BlockStates(
                BitSet.valueOf(ByteBuffer.wrap(bytes, HEAD_BYTES, presentBytes)),
                BitSet.valueOf(ByteBuffer.wrap(bytes, HEAD_BYTES + presentBytes, zeroBytes)));
    }

    private static ProviderException corrupt(String file, String evidence) {
        return new ProviderException(new ProviderError.Corrupt(file, evidence));
    }

    byte[] toBytes() {
        var presentBytes = present.toByteArray();
        var zeroBytes = zero.toByteArray();
        int body = HEAD_BYTES + presentBytes.length + zeroBytes.length;
        var bytes = ByteBuffer.allocate(body + DIGEST_BYTES)
                .putInt(MAGIC)
                .putInt(VERSION)
                .putInt(presentBytes.length)
                .putInt(zeroBytes.length)
                .put(presentBytes)
                .put(zeroBytes);
        return bytes.put(DirectCalls.digestOf(bytes.duplicate().flip())).array();
    }

    boolean has(int index) {
        return present.get(index);
    }

    boolean isZero(int index) {
        return zero.get(index);
    }

    void setData(int index) {
        present.set(index);
        zero.clear(index);
    }

    void setZero(int index) {
        present.set(index);
        zero.set(index);
    }

    /** Adds those that the layer has. */
    void addTo(BitSet blocks) {
        blocks.or(present);
    }

    int count() {
        return present.cardinality();
    }

    /** Index after the last block that has bytes in the layer's file; 0: none has. */
    int dataEnd() {
        var data = (BitSet) present.clone();
        data.andNot(zero);
        return data.length();
    }
}
