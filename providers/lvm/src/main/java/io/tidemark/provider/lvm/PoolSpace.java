package io.tidemark.provider.lvm;

import io.tidemark.provider.devices.FillForecast;
import io.tidemark.provider.devices.FillRates;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Room in thin pools: measured whenever it is asked for, told ahead, and refused to what would use up the last of it. */
final class PoolSpace {
    /**
     * LVM makes nothing new in a pool whose metadata have less free than this, or than a quarter (lib/metadata/thin_manip.c,
     * {@code _pool_metadata_min_threshold}).
     */
    private static final long LVM_METADATA_BYTES = 4 << 20;

    private static final int LVM_METADATA_PART = 4;

    private static final String MORE_DATA = "lvextend -L +SIZE";
    private static final String MORE_METADATA = "lvextend --poolmetadatasize +SIZE";

    private final LvmConfig config;
    private final LvmCommands commands;
    private final FillRates rates;

    PoolSpace(LvmConfig config, LvmCommands commands, InstantSource clock) {
        this.config = config;
        this.commands = commands;
        this.rates = new FillRates(clock);
    }

    /** For people: when the pool will be full, and whether that is soon enough to refuse; empty where nothing can be said. */
    String note(LogicalVolume pool) throws ProviderException {
        return commands.status(pool.name()).map(status -> note(pool, status)).orElse("");
    }

    private String note(LogicalVolume pool, PoolStatus status) {
        var data = data(pool, status);
        var metadata = metadata(pool, status);
        var left = Stream.of(full("data", data), full("metadata", metadata))
                .flatMap(Optional::stream)
                .collect(Collectors.joining(", "));
        return (left.isEmpty() ? "" : ", at the present rate " + left)
                + config.keepFor().note(List.of(data, metadata));
    }

    private static Optional<String> full(String what, FillForecast forecast) {
        return forecast.left().map(left -> "%s are full in %s".formatted(what, FillForecast.text(left)));
    }

    private FillForecast data(LogicalVolume pool, PoolStatus status) {
        long chunkBytes = pool.chunkBytes();
        return rates.seen(
                pool.name() + " data", status.dataBlocks() * chunkBytes, status.usedDataBlocks() * chunkBytes);
    }

    private FillForecast metadata(LogicalVolume pool, PoolStatus status) {
        return rates.seen(pool.name() + " metadata", status.metadataBytes(), status.usedMetadataBytes());
    }

    /**
     * @throws ProviderException OutOfSpace where the pool has less free than the setting asks for, or LVM, or would be full
     *     before a snapshot may go; Unexpected where its metadata have to be checked first. All say what to do
     */
    void refuseWhereScarce(LogicalVolume pool) throws ProviderException {
        var measured = commands.status(pool.name());
        if (measured.isEmpty()) {
            // Not active, or failed: what is asked next says more than we can.
            return;
        }
        var status = measured.get();
        // Also where it is refused for another reason: a rate is known then by the time it is asked for.
        var data = data(pool, status);
        var metadata = metadata(pool, status);
        var name = config.group() + "/" + pool.name();
        if (status.needsCheck()) {
            throw new ProviderException(new ProviderError.Unexpected(
                    "thin pool " + name,
                    "its metadata could not be written, and need a check: docs/design/lvm-provider.md, Failures"));
        }
        long percent = config.minimumFreePercent();
        long dataBytes = status.dataBlocks() * pool.chunkBytes();
        long usedBytes = status.usedDataBlocks() * pool.chunkBytes();
        refuse(name, "data", MORE_DATA, dataBytes, usedBytes, dataBytes / 100 * percent);
        long metadataBytes = status.metadataBytes();
        long needed = Math.max(
                metadataBytes / 100 * percent, Math.min(metadataBytes / LVM_METADATA_PART, LVM_METADATA_BYTES));
        long used = status.readOnly() ? metadataBytes : status.usedMetadataBytes();
        refuse(name, "metadata", MORE_METADATA, metadataBytes, used, needed);
        refuseWhereShort(name, "data", MORE_DATA, data);
        refuseWhereShort(name, "metadata", MORE_METADATA, metadata);
    }

    private void refuseWhereShort(String pool, String what, String wayOut, FillForecast forecast)
            throws ProviderException {
        config.keepFor()
                .refuseWhereShort(
                        "thin pool %s, its %s".formatted(pool, what),
                        forecast,
                        "enlarge it: %s %s; delete snapshots".formatted(wayOut, pool));
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
}
