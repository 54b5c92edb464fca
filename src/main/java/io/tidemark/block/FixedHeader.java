package io.tidemark.block;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/** What the headers of index and delta files share: magic, version, a fixed length, a CRC32C in the last four bytes. */
record FixedHeader(String magic, String kind, int version, int lengthBytes) {
    private static final int MAGIC_BYTES = 8;

    /** A zeroed header with magic and version, positioned after them. */
    ByteBuffer begin() {
        return ByteBuffer.allocate(lengthBytes)
                .put(magic.getBytes(StandardCharsets.US_ASCII))
                .putInt(version);
    }

    /** Puts the checksum in its place; ready to write. */
    ByteBuffer seal(ByteBuffer header) {
        header.clear();
        header.putInt(lengthBytes - Integer.BYTES, crcOf(header.slice(0, lengthBytes - Integer.BYTES)));
        return header;
    }

    /** Whether the file begins with the magic. */
    boolean begins(ByteReader file) throws IOException {
        if (file.sizeBytes() < MAGIC_BYTES) {
            return false;
        }
        var start = ByteBuffer.allocate(MAGIC_BYTES);
        file.read(0, start);
        return magic.equals(new String(start.array(), StandardCharsets.US_ASCII));
    }

    /** Whether it begins as one of this kind and version does. */
    boolean hasVersion(ByteReader file) throws IOException {
        return begins(file) && file.sizeBytes() >= MAGIC_BYTES + Integer.BYTES && versionOf(file) == version;
    }

    private static int versionOf(ByteReader file) throws IOException {
        var found = ByteBuffer.allocate(Integer.BYTES);
        file.read(MAGIC_BYTES, found);
        return found.getInt(0);
    }

    /** Whether nothing was written where the magic will be. */
    boolean beginsWithZeros(ByteReader file) throws IOException {
        var start = ByteBuffer.allocate((int) Math.min(MAGIC_BYTES, file.sizeBytes()));
        file.read(0, start);
        return start.flip().equals(ByteBuffer.allocate(start.limit()));
    }

    /** Says what the file is, if it is not one of this kind and version, whatever its header's length and checksum. */
    void checkKindAndVersion(ByteReader file) throws IOException, BlockException {
        if (!begins(file)) {
            throw new BlockException(new BlockError.NotOfKind(file.name(), kind));
        }
        if (file.sizeBytes() >= MAGIC_BYTES + Integer.BYTES) {
            checkVersion(file, versionOf(file));
        }
    }

    private void checkVersion(ByteReader file, int found) throws BlockException {
        if (found != version) {
            throw new BlockException(new BlockError.UnknownVersion(file.name(), kind, found, version));
        }
    }

    /** The header after magic, checksum and version were checked, positioned after the version. */
    ByteBuffer read(ByteReader file) throws IOException, BlockException {
        if (!begins(file)) {
            throw new BlockException(new BlockError.NotOfKind(file.name(), kind));
        }
        if (file.sizeBytes() < lengthBytes) {
            throw new BlockException(new BlockError.Damaged(
                    file.name(), file.sizeBytes(), "ends within the header of %d bytes".formatted(lengthBytes)));
        }
        var header = ByteBuffer.allocate(lengthBytes);
        file.read(0, header);
        header.flip();
        int crc = crcOf(header.slice(0, lengthBytes - Integer.BYTES));
        if (header.getInt(lengthBytes - Integer.BYTES) != crc) {
            throw new BlockException(new BlockError.Damaged(file.name(), 0, "header does not match its checksum"));
        }
        header.position(MAGIC_BYTES);
        checkVersion(file, header.getInt());
        return header;
    }

    static int crcOf(ByteBuffer bytes) {
        var crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }
}
