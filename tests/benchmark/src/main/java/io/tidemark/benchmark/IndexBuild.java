package io.tidemark.benchmark;

import io.tidemark.block.BlockIndexWriter;
import io.tidemark.block.ImageGeometry;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.FileRange;
import io.tidemark.nativeblock.FileReading;
import io.tidemark.nativeblock.FileScan;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.nativeblock.ReadBy;
import io.tidemark.nativeblock.ScanControl;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * An index of 4 KiB XXH3-128 built by the engine in this process: one call over the image, tree, checksums, index file.
 * Not synced: what that costs is the disk's.
 */
final class IndexBuild {
    static final int BLOCK_BYTES = 4096;

    private final Path image;
    private final Path index;
    private final long sizeBytes;
    private final ByteBuffer digests;

    IndexBuild(Path image, Path index, long sizeBytes) {
        this.image = image;
        this.index = index;
        this.sizeBytes = sizeBytes;
        this.digests = ByteBuffer.allocateDirect(
                Math.toIntExact(Math.ceilDiv(sizeBytes, BLOCK_BYTES) * HashAlgorithm.XXH3_128.digestBytes()));
    }

    static int threads() {
        return Runtime.getRuntime().availableProcessors();
    }

    /** @return how the image was read */
    ReadBy run(ReadBy readBy) throws IOException {
        var kernel = BlockKernels.best();
        var control = new ScanControl();
        var reading = new FileReading(0, List.of(new FileRange(0, sizeBytes)), BLOCK_BYTES, threads(), readBy);
        kernel.scanFile(FileScan.digests(image, reading, HashAlgorithm.XXH3_128, digests.clear()), control);
        try (var file = FileChannel.open(
                index, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            var writer = new BlockIndexWriter(
                    (offset, source) -> {
                        for (long at = offset; source.hasRemaining(); ) {
                            at += file.write(source, at);
                        }
                    },
                    kernel,
                    HashAlgorithm.XXH3_128,
                    new ImageGeometry(sizeBytes, BLOCK_BYTES));
            writer.append(digests);
            writer.finish();
        }
        return control.readBy();
    }
}
