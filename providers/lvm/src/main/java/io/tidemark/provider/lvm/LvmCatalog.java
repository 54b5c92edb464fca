package io.tidemark.provider.lvm;

import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Instant;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** One report of the group, as volumes and snapshots. */
final class LvmCatalog {
    private final String group;
    private final List<LogicalVolume> all;

    LvmCatalog(String group, List<LogicalVolume> all) {
        this.group = group;
        this.all = all;
    }

    /** A volume, or a snapshot of one. */
    record Entry<T>(T id, LogicalVolume on) {
        long sizeBytes() {
            // What is not of our making has no such tag.
            return on.tag(LvmNames.BYTES).map(Long::parseLong).orElse(on.sizeBytes());
        }
    }

    List<LogicalVolume> all() {
        return all;
    }

    Optional<LogicalVolume> named(String logicalVolume) {
        return all.stream().filter(each -> each.name().equals(logicalVolume)).findFirst();
    }

    LogicalVolume pool(String name) throws ProviderException {
        return named(name)
                .filter(each -> each.segmentType().equals("thin-pool"))
                .orElseThrow(() -> new ProviderException(new ProviderError.Unexpected(
                        "lvs " + group,
                        "no thin pool is called %s; there are %s"
                                .formatted(
                                        name,
                                        pools().stream()
                                                .map(LogicalVolume::name)
                                                .toList()))));
    }

    List<LogicalVolume> pools() {
        return all.stream()
                .filter(each -> each.segmentType().equals("thin-pool"))
                .toList();
    }

    /** In order of id. */
    List<Entry<VolumeId>> volumes() {
        return all.stream()
                .filter(each -> each.thin() || each.classic())
                .filter(each -> each.tag(LvmNames.SNAPSHOT_OF).isEmpty() && !underway(each))
                .flatMap(each -> LvmNames.idOf(group, each).map(id -> new Entry<>(id, each)).stream())
                .sorted(Comparator.comparing(Entry::id))
                .toList();
    }

    private static boolean underway(LogicalVolume volume) {
        return volume.tag(LvmNames.REPLACES).isPresent()
                || volume.tags().contains(LvmNames.REPLACED)
                || volume.tags().contains(LvmNames.UNFINISHED);
    }

    Optional<Entry<VolumeId>> find(VolumeId volume) {
        return volumes().stream().filter(entry -> entry.id().equals(volume)).findFirst();
    }

    Entry<VolumeId> get(VolumeId volume) throws ProviderException {
        return find(volume).orElseThrow(() -> new ProviderException(new ProviderError.VolumeNotFound(volume)));
    }

    /** In order of id; without those that overflowed, which nobody can go back to. */
    List<Entry<SnapshotId>> snapshots() {
        return snapshots(false).stream()
                .filter(each -> !each.on().store().invalid())
                .toList();
    }

    /** Those that are prepared, in order of id. */
    List<Entry<SnapshotId>> ahead() {
        return snapshots(true);
    }

    private List<Entry<SnapshotId>> snapshots(boolean ahead) {
        return all.stream()
                .filter(each -> LvmNames.isAhead(each) == ahead)
                .flatMap(each -> LvmNames.snapshotIdOf(each).map(id -> new Entry<>(id, each)).stream())
                .sorted(Comparator.comparing(
                                (Entry<SnapshotId> entry) -> entry.id().volume())
                        .thenComparing(entry -> entry.id().recoveryPoint()))
                .toList();
    }

    Optional<Entry<SnapshotId>> find(SnapshotId snapshot) {
        return snapshots().stream().filter(entry -> entry.id().equals(snapshot)).findFirst();
    }

    Optional<Entry<SnapshotId>> findAhead(SnapshotId snapshot) {
        return ahead().stream().filter(entry -> entry.id().equals(snapshot)).findFirst();
    }

    /** @throws ProviderException SnapshotNotFound; Corrupt where it has overflowed */
    Entry<SnapshotId> get(SnapshotId snapshot) throws ProviderException {
        var found = findAny(snapshot)
                .orElseThrow(() -> new ProviderException(new ProviderError.SnapshotNotFound(snapshot)));
        if (found.on().store().invalid()) {
            throw new ProviderException(overflowed(found));
        }
        return found;
    }

    /** Also one that has overflowed: it can be released and deleted. */
    Optional<Entry<SnapshotId>> findAny(SnapshotId snapshot) {
        return snapshots(false).stream()
                .filter(entry -> entry.id().equals(snapshot))
                .findFirst();
    }

    static ProviderError.Corrupt overflowed(Entry<SnapshotId> snapshot) {
        return new ProviderError.Corrupt(
                "snapshot " + snapshot.id(),
                "invalid: its exception store of %d bytes overflowed"
                        .formatted(snapshot.on().sizeBytes()));
    }

    /** Classic snapshots of a logical volume, whoever made them, but for what is only prepared. */
    List<LogicalVolume> classicSnapshotsOf(LogicalVolume origin) {
        return all.stream()
                .filter(each -> each.store().origin().equals(origin.name()) && !LvmNames.isAhead(each))
                .toList();
    }

    static Snapshot describe(Entry<SnapshotId> entry) {
        var cutAt = Instant.ofEpochMilli(
                entry.on().tag(LvmNames.CUT_AT).map(Long::parseLong).orElse(0L));
        return new Snapshot(entry.id(), entry.sizeBytes(), cutAt);
    }

    static Set<HoldOwner> holders(LogicalVolume snapshot) {
        return snapshot.tags().stream()
                .filter(tag -> tag.startsWith(LvmNames.HOLD))
                .map(tag -> new HoldOwner(tag.substring(LvmNames.HOLD.length())))
                .collect(Collectors.toUnmodifiableSet());
    }

    /** Rollbacks that were cut short: what replaces, by the name of what it replaces. */
    Map<String, LogicalVolume> replacements() {
        var found = new LinkedHashMap<String, LogicalVolume>();
        for (var each : all) {
            each.tag(LvmNames.REPLACES).ifPresent(name -> found.put(name, each));
        }
        return found;
    }

    List<LogicalVolume> replaced() {
        return all.stream()
                .filter(each -> each.tags().contains(LvmNames.REPLACED))
                .toList();
    }
}
