package io.tidemark.agent;

import io.tidemark.block.ChangedBlocks;
import io.tidemark.block.ChangedRuns;
import io.tidemark.block.RangeAlgebra;
import io.tidemark.domain.LinkId;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.replication.ReplicationException;
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

    /** Reads what the volume has and the snapshot has not; good only inside. */
    interface Reading<T> {
        T read(ChangedRuns changed) throws ReplicationException, ProviderException;
    }

    /**
     * How it is known that the volume is not what the snapshot is; empty: it is.
     *
     * @param believed whether the storage's word on what changed counts; else everything is read
     */
    Optional<String> changedSince(SnapshotId base, LinkId link, boolean believed) throws ProviderException {
        if (providers.of(base.volume()).volume(base.volume()).can(Capability.FILES)) {
            return providers.streamsOf(base.volume()).changedSince(base.volume(), Optional.of(base.recoveryPoint()));
        }
        try {
            return compare(
                    base,
                    link,
                    believed,
                    changed -> changed.next()
                            .map(run -> "it differs from %s from byte %d on"
                                    .formatted(base.recoveryPoint(), run.offsetBytes())));
        } catch (ReplicationException e) {
            throw new AssertionError("nothing but storage is read", e);
        }
    }

    /** Through the storage's changed ranges where it has them, else wholly. */
    <T> T compare(SnapshotId base, LinkId link, boolean believed, Reading<T> reading)
            throws ReplicationException, ProviderException {
        var provider = providers.of(base.volume());
        var volume = provider.volume(base.volume());
        return volume.can(Capability.INSTANT_SNAPSHOT) && volume.can(Capability.CHANGED_RANGES)
                ? comparedByProbe(provider, base, link, believed, reading)
                : comparedWholly(provider, base, believed, reading);
    }

    private <T> T comparedByProbe(
            StorageProvider provider, SnapshotId base, LinkId link, boolean believed, Reading<T> reading)
            throws ReplicationException, ProviderException {
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
            return reading.read(changed);
        } finally {
            provider.delete(probe);
        }
    }

    private <T> T comparedWholly(StorageProvider provider, SnapshotId base, boolean believed, Reading<T> reading)
            throws ReplicationException, ProviderException {
        var file = provider.volume(base.volume()).device();
        try (var older = provider.read(base);
                var writer = provider.write(base.volume());
                var changed = new ChangedBlocks(
                        believed
                                ? DataRanges.of(older, file, Math.min(writer.sizeBytes(), older.sizeBytes()))
                                : RangeAlgebra.whole(Math.min(writer.sizeBytes(), older.sizeBytes())),
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
            return reading.read(changed);
        }
    }
}
