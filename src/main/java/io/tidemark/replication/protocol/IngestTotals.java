package io.tidemark.replication.protocol;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * How far a transfer has come and what it consisted of; both sides count alike, and at the commit they must agree.
 * The chain is a digest of all extents and bytes in their order: {@code SHA-256(chain before | extents | CRC32C of the
 * bytes)}, from 32 zero bytes on.
 *
 * @param throughBytes end of the last extent: everything that changed below it has been taken
 * @param chain 32 bytes, never changed once here: copied, unless it is a read-only buffer of just these
 */
public record IngestTotals(long throughBytes, long frameCount, long payloadBytes, long zeroBytes, ByteBuffer chain) {
    public static final int CHAIN_BYTES = 32;
    private static final int EXTENT_BYTES = 12;

    /** One a thread: new ones for each frame would be most of a transfer's garbage. */
    private static final ThreadLocal<Link> LINK = ThreadLocal.withInitial(Link::new);

    /** Room for what makes the chain one longer. */
    private static final class Link {
        private final MessageDigest sha256 = sha256();
        private final ByteBuffer fields =
                ByteBuffer.allocate(CHAIN_BYTES + Message.Blocks.EXTENTS_MAXIMUM * EXTENT_BYTES + Integer.BYTES);

        ByteBuffer digest() {
            sha256.update(fields.array(), 0, fields.position());
            return ByteBuffer.wrap(sha256.digest()).asReadOnlyBuffer();
        }
    }

    public static final IngestTotals NOTHING = new IngestTotals(0, 0, 0, 0, ByteBuffer.allocate(CHAIN_BYTES));

    public IngestTotals {
        if (chain.remaining() != CHAIN_BYTES) {
            throw new IllegalArgumentException("chain has %d bytes".formatted(chain.remaining()));
        }
        // What plus has made is nobody else's.
        chain = chain.isReadOnly() && chain.capacity() == CHAIN_BYTES
                ? chain
                : ByteBuffer.wrap(bytesOf(chain)).asReadOnlyBuffer();
    }

    /** With one more frame. */
    public IngestTotals plus(Message.Blocks blocks) {
        var extents = blocks.extents();
        var link = LINK.get();
        var fields = link.fields.put(0, chain, chain.position(), CHAIN_BYTES).position(CHAIN_BYTES);
        long zeros = 0;
        for (int index = 0; index < extents.size(); index++) {
            var extent = extents.get(index);
            fields.putLong(extent.offsetBytes()).putInt(extent.zero() ? -extent.lengthBytes() : extent.lengthBytes());
            zeros += extent.zero() ? extent.lengthBytes() : 0;
        }
        fields.putInt(blocks.dataChecksum());
        return new IngestTotals(
                extents.getLast().endBytes(),
                frameCount + 1,
                payloadBytes + blocks.data().remaining(),
                zeroBytes + zeros,
                link.digest());
    }

    public String chainHex() {
        return HexFormat.of().formatHex(bytesOf(chain));
    }

    private static byte[] bytesOf(ByteBuffer buffer) {
        var bytes = new byte[buffer.remaining()];
        buffer.get(buffer.position(), bytes);
        return bytes;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
