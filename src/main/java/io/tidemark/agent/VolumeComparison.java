package io.tidemark.agent;

import io.tidemark.block.ChangedBlocks;
import io.tidemark.block.RangeAlgebra;
import io.tidemark.domain.LinkId;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.spi.Capability;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.StorageProvider;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Whether a volume still is what a snapshot of it is. */
final class VolumeComparison {
    /** Sorts before every real id, so that one left behind by a crash never looks like a newer recovery point. */
    static final String PROBE = "rp-0probe";

    private final Providers providers;
    private final BlockKernel kernel;

    VolumeComparison(Providers providers, BlockKernel kernel) {
        this.providers = providers;
        this.kernel = kernel;
    }

    /**
     * How it is known that the volume is not what the snapshot is; empty: it is. Through the storage's changed ranges
     * where it has them, else wholly.
     *
     * @param believed whether the storage's word on what changed counts; else everything is read
     */
    Optional<String> changedSince(SnapshotId base, LinkId link, boolean believed) throws ProviderException {
        var provider = providers.of(base.volume());
        var volume = provider.volume(base.volume());
        return volume.can(Capability.INSTANT_SNAPSHOT) && volume.can(Capability.CHANGED_RANGES)
                ? comparedByProbe(provider, base, link, believed)
                : comparedWholly(provider, base);
    }

    private Optional<String> comparedByProbe(StorageProvider provider, SnapshotId base, LinkId link, boolean believed)
            throws ProviderException {
        String body = link.value().substring("ln-".length());
        var probe = new SnapshotId(
                base.volume(), new RecoveryPointId(PROBE + body.substring(0, Math.min(body.length(), 30))));
        provider.delete(probe);
        provider.cut(new CutRequest(probe.recoveryPoint(), List.of(base.volume())));
        try (var older = provider.read(base);
                var newer = provider.read(probe);
                var changed = new ChangedBlocks(
                        believed ? provider.changedRanges(base, probe) : RangeAlgebra.whole(newer.sizeBytes()),
                        older,
                        newer,
                        kernel,
                        0)) {
            return changed.next()
                    .map(run ->
                            "it differs from %s from byte %d on".formatted(base.recoveryPoint(), run.offsetBytes()));
        } finally {
            provider.delete(probe);
        }
    }

    private Optional<String> comparedWholly(StorageProvider provider, SnapshotId base) throws ProviderException {
        var file = provider.volume(base.volume()).device();
        try (var older = provider.read(base);
                var writer = provider.write(base.volume());
                var changed = new ChangedBlocks(
                        DataRanges.of(older, file, Math.min(writer.sizeBytes(), older.sizeBytes())),
                        older,
                        new SnapshotReader() {
                            @Override
                            public long sizeBytes() {
                                return Math.min(writer.sizeBytes(), older.sizeBytes());
                            }

                            @Override
                            public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
                                writer.read(offsetBytes, target);
                            }

                            @Override
                            public Optional<Path> path() {
                                return Optional.empty();
                            }

                            @Override
                            public void close() {}
                        },
                        kernel,
                        0)) {
            return changed.next()
                    .map(run ->
                            "it differs from %s from byte %d on".formatted(base.recoveryPoint(), run.offsetBytes()));
        }
    }
}
