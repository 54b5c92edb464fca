package io.tidemark.nativeblock;

import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * Two files, byte by byte.
 *
 * @param differingBits direct; set for blocks that differ, one bit for each of {@link FileReading#blockSpan}
 */
public record FileComparison(Path left, Path right, FileReading reading, ByteBuffer differingBits) {
    public FileComparison {
        BlockArguments.checkBits(reading.blockSpan(), differingBits);
    }
}
