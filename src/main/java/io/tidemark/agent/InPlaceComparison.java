package io.tidemark.agent;

import static io.tidemark.block.ChangedRuns.BLOCK_BYTES;

import io.tidemark.block.BlockComparison;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.FileComparison;
import io.tidemark.nativeblock.FileRange;
import io.tidemark.nativeblock.FileReading;
import io.tidemark.nativeblock.ReadBy;
import io.tidemark.nativeblock.ScanControl;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Two snapshots that are files of this host, compared where they are in memory: a copy of both would cost three times
 * what comparing does. One thread at a time.
 */
final class InPlaceComparison implements BlockComparison {
    private final Path older;
    private final Path newer;
    private final BlockKernel kernel;
    private final BooleanSupplier cancelled;
    private final ScanControl control = new ScanControl();

    private InPlaceComparison(Path older, Path newer, BlockKernel kernel, BooleanSupplier cancelled) {
        this.older = older;
        this.newer = newer;
        this.kernel = kernel;
        this.cancelled = cancelled;
    }

    /** Empty where one of them is no file of this host, or somebody has to see what is read. */
    static Optional<BlockComparison> of(
            SnapshotReader older, SnapshotReader newer, BlockKernel kernel, BooleanSupplier cancelled) {
        if (!kernel.looksInPlace() || older.path().isEmpty() || newer.path().isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                new InPlaceComparison(older.path().get(), newer.path().get(), kernel, cancelled));
    }

    @Override
    public long differing(long offsetBytes, int lengthBytes, ByteBuffer differingBits) throws ProviderException {
        if (cancelled.getAsBoolean()) {
            throw CancellableReader.ended();
        }
        var range = new FileRange(offsetBytes, lengthBytes);
        var reading = new FileReading(offsetBytes, List.of(range), BLOCK_BYTES, 1, ReadBy.MAPPED);
        try {
            return kernel.compareFiles(new FileComparison(older, newer, reading, differingBits), control);
        } catch (IOException e) {
            throw new ProviderException(
                    new ProviderError.Unexpected("comparison of snapshots", String.valueOf(e.getMessage())), e);
        }
    }
}
