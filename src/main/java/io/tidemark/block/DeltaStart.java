package io.tidemark.block;

import io.tidemark.nativeblock.HashAlgorithm;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * What the first {@value #LENGTH_BYTES} bytes of a delta say, for who has no more of it yet.
 *
 * @param maximumBytes what the whole delta has at most; exactly so many, when it was not written to a pipe
 */
public record DeltaStart(HashAlgorithm algorithm, ImageGeometry base, ImageGeometry result, long maximumBytes) {
    public static final int LENGTH_BYTES = DeltaFormat.HEADER_BYTES;

    /** @throws BlockException NotOfKind, UnknownVersion or Damaged */
    public static DeltaStart read(ByteReader file) throws IOException, BlockException {
        boolean streamed = !DeltaFormat.HEADER.hasVersion(file);
        return of(file.name(), streamed, (streamed ? DeltaFormat.STREAM_HEADER : DeltaFormat.HEADER).read(file));
    }

    /** What goes before the records where the header comes after them: {@code docs/formats/delta.md}, streamed form. */
    public static ByteBuffer streamed(HashAlgorithm algorithm, ImageGeometry base, ImageGeometry result) {
        return DeltaFormat.STREAM_HEADER.seal(
                DeltaFormat.putShape(DeltaFormat.STREAM_HEADER.begin(), algorithm, base.sizeBytes(), result));
    }

    /** @param header positioned after the version */
    static DeltaStart of(String file, boolean streamed, ByteBuffer header) throws BlockException {
        try {
            var algorithm = HashAlgorithm.ofCode(header.getInt());
            int blockBytes = header.getInt();
            header.getInt();
            var base = new ImageGeometry(header.getLong(), blockBytes);
            var result = new ImageGeometry(header.getLong(), blockBytes);
            long streamBytes = DeltaFormat.maximumStreamBytes(algorithm, result);
            long maximumBytes =
                    streamed ? streamBytes : fileBytes(file, header, streamBytes - DeltaFormat.HEADER_BYTES);
            return new DeltaStart(algorithm, base, result, maximumBytes);
        } catch (IllegalArgumentException e) {
            throw new BlockException(new BlockError.Damaged(file, 12, String.valueOf(e.getMessage())));
        }
    }

    /** Whoever forged it would fill the storage of who believes it. */
    private static long fileBytes(String file, ByteBuffer header, long possibleBytes) throws BlockException {
        long bytes = header.getLong(DeltaFormat.FILE_BYTES_OFFSET);
        if (bytes > possibleBytes) {
            throw new BlockException(new BlockError.Damaged(
                    file,
                    DeltaFormat.FILE_BYTES_OFFSET,
                    "says it has %d bytes; with its image it has at most %d".formatted(bytes, possibleBytes)));
        }
        return bytes;
    }
}
