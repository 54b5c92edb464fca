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
import java.util.concurrent.Executors;

/**
 * An index of 4 KiB XXH3-128 built by the engine in this process, in batches as the command has them, half a GiB a
 * call: tree, checksums, index file. Not synced: what that costs is the disk's.
 */
final class IndexBuild {
    static final int BLOCK_BYTES = 4096;

    private static final long BATCH_BYTES = 1L << 29;

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
    ReadBy run(ReadBy readBy) throws Exception {
        var control = new ScanControl();
        try (var file = FileChannel.open(
                        index,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.TRUNCATE_EXISTING);
                var ahead = Executors.newSingleThreadExecutor()) {
            var writer = new BlockIndexWriter(
                    (offset, source) -> {
                        for (long at = offset; source.hasRemaining(); ) {
                            at += file.write(source, at);
                        }
                    },
                    BlockKernels.best(),
                    HashAlgorithm.XXH3_128,
                    new ImageGeometry(sizeBytes, BLOCK_BYTES));
            // As the command does it: while one batch goes into the index, the next one is hashed.
            var next = ahead.submit(() -> scan(0, readBy, control));
            for (long from = BATCH_BYTES; from < sizeBytes; from += BATCH_BYTES) {
                long start = from;
                var batch = next.get();
                next = ahead.submit(() -> scan(start, readBy, control));
                writer.append(batch);
            }
            writer.append(next.get());
            writer.finish();
        }
        return control.readBy();
    }

    private ByteBuffer scan(long fromBytes, ReadBy readBy, ScanControl control) throws IOException {
        long length = Math.min(BATCH_BYTES, sizeBytes - fromBytes);
        int digestBytes = HashAlgorithm.XXH3_128.digestBytes();
        var part = digests.slice(
                Math.toIntExact(fromBytes / BLOCK_BYTES * digestBytes),
                Math.toIntExact(Math.ceilDiv(length, BLOCK_BYTES) * digestBytes));
        var reading =
                new FileReading(fromBytes, List.of(new FileRange(fromBytes, length)), BLOCK_BYTES, threads(), readBy);
        BlockKernels.best().scanFile(FileScan.digests(image, reading, HashAlgorithm.XXH3_128, part), control);
        return part;
    }
}
