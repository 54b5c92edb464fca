package io.tidemark.provider.lvm;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.time.InstantSource;
import java.util.Optional;

/** Room in thin pools: measured whenever it is asked for, told ahead, and refused to what would use up the last of it. */
final class PoolSpace {
    /**
     * LVM makes nothing new in a pool whose metadata have less free than this, or than a quarter (lib/metadata/thin_manip.c,
     * {@code _pool_metadata_min_threshold}).
     */
    private static final long LVM_METADATA_BYTES = 4 << 20;

    private static final int LVM_METADATA_PART = 4;

    private final LvmConfig config;
    private final LvmCommands commands;
    private final Samples samples;

    PoolSpace(LvmConfig config, LvmCommands commands, InstantSource clock) {
        this.config = config;
        this.commands = commands;
        this.samples = new Samples(clock);
    }

    /** For people: when the pool will be full; empty where nothing can be said. */
    String note(LogicalVolume pool) throws ProviderException {
        return measured(pool)
                .flatMap(status -> forecast(pool, status).note())
                .map(", "::concat)
                .orElse("");
    }

    /**
     * @throws ProviderException OutOfSpace where the pool has less free than the setting asks for, or LVM; Unexpected where
     *     its metadata have to be checked first. Both say what to do
     */
    void refuseWhereScarce(LogicalVolume pool) throws ProviderException {
        var measured = measured(pool);
        if (measured.isEmpty()) {
            // Not active, or failed: what is asked next says more than we can.
            return;
        }
        var status = measured.get();
        var name = config.group() + "/" + pool.name();
        if (status.needsCheck()) {
            throw new ProviderException(new ProviderError.Unexpected(
                    "thin pool " + name,
                    "its metadata could not be written, and need a check: docs/design/lvm-provider.md, Failures"));
        }
        long percent = config.minimumFreePercent();
        long dataBytes = status.dataBlocks() * pool.chunkBytes();
        long usedBytes = status.usedDataBlocks() * pool.chunkBytes();
        refuse(name, "data", "lvextend -L +SIZE", dataBytes, usedBytes, dataBytes / 100 * percent);
        long metadataBytes = status.metadataBytes();
        long needed = Math.max(
                metadataBytes / 100 * percent, Math.min(metadataBytes / LVM_METADATA_PART, LVM_METADATA_BYTES));
        long used = status.readOnly() ? metadataBytes : status.usedMetadataBytes();
        refuse(name, "metadata", "lvextend --poolmetadatasize +SIZE", metadataBytes, used, needed);
    }

    private static void refuse(
            String pool, String what, String wayOut, long sizeBytes, long usedBytes, long neededBytes)
            throws ProviderException {
        long freeBytes = Math.max(0, sizeBytes - usedBytes);
        if (freeBytes < neededBytes || freeBytes == 0) {
            throw new ProviderException(new ProviderError.OutOfSpace(
                    "thin pool %s, its %s (enlarge it: %s %s; or delete snapshots)".formatted(pool, what, wayOut, pool),
                    freeBytes,
                    neededBytes));
        }
    }

    private Optional<PoolStatus> measured(LogicalVolume pool) throws ProviderException {
        var status = commands.status(pool.name());
        status.ifPresent(each -> remember(pool, each));
        return status;
    }

    private void remember(LogicalVolume pool, PoolStatus status) {
        samples.add(pool.name(), status.usedDataBlocks() * pool.chunkBytes(), status.usedMetadataBytes());
    }

    private PoolForecast forecast(LogicalVolume pool, PoolStatus status) {
        return new PoolForecast(
                status.dataBlocks() * pool.chunkBytes(), status.metadataBytes(), samples.of(pool.name()));
    }
}
