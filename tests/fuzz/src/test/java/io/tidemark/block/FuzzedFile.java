package io.tidemark.block;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** Bytes as a file; reading past its end is a fault of the reader, which knows its size. */
final class FuzzedFile implements ByteReader {
    private final byte[] bytes;

    FuzzedFile(byte[] bytes) {
        this.bytes = bytes;
    }

    @Override
    public String name() {
        return "fuzzed";
    }

    @Override
    public long sizeBytes() {
        return bytes.length;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) {
        if (offsetBytes < 0 || offsetBytes > bytes.length - target.remaining()) {
            throw new AssertionError("read of %d bytes at %d".formatted(target.remaining(), offsetBytes));
        }
        target.put(bytes, (int) offsetBytes, target.remaining());
    }

    /** Puts a header's right checksum into its last four bytes. */
    static void seal(byte[] bytes, int lengthBytes) {
        var crc = new CRC32C();
        crc.update(bytes, 0, lengthBytes - Integer.BYTES);
        ByteBuffer.wrap(bytes).putInt(lengthBytes - Integer.BYTES, (int) crc.getValue());
    }
}
