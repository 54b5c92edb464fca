package io.tidemark.provider.zfs;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** One report of a dataset, as volumes and snapshots. */
final class VolumeCatalog {
    private static final Comparator<SnapshotEntry> BY_ID = Comparator.comparing(
                    (SnapshotEntry entry) -> entry.id().volume())
            .thenComparing(entry -> entry.id().recoveryPoint());

    /** Whatever else somebody may have set there is no size. */
    private static final String SIZE = "[0-9]{1,18}";

    /** Names that an error tells. */
    private static final int SHOWN_MAXIMUM = 5;

    private final List<ZfsObject> all;
    private final List<VolumeEntry> volumes;
    private final List<SnapshotEntry> snapshots;

    VolumeCatalog(List<ZfsObject> all) {
        this.all = List.copyOf(all);
        this.volumes = all.stream()
                .filter(each -> !each.isSnapshot())
                .flatMap(each -> idOf(each).map(id -> new VolumeEntry(id, each)).stream())
                .sorted(Comparator.comparing(VolumeEntry::id))
                .toList();
        this.snapshots = snapshotsOf(this.all, volumes);
    }

    record VolumeEntry(VolumeId id, ZfsObject on) {
        /** As it was made; of what is not of our making, and of what was resized, as ZFS says. */
        long sizeBytes() {
            return exact(on, on.volumeBytes());
        }
    }

    /** @param sizeBytes of the image, exactly; of a file system what it refers to */
    record SnapshotEntry(SnapshotId id, ZfsObject on, long sizeBytes) {
        Snapshot describe() {
            var cutAt = Instant.ofEpochMilli(on.number(ZfsNames.CUT_AT));
            return new Snapshot(id, sizeBytes, cutAt);
        }
    }

    private static long exact(ZfsObject volume, long volumeBytes) {
        if (volume.isFileSystem()) {
            return volumeBytes;
        }
        long blockBytes = volume.number("volblocksize");
        return volume.property(ZfsNames.BYTES)
                .filter(text -> text.matches(SIZE))
                .map(Long::parseLong)
                .filter(bytes -> Math.ceilDiv(bytes, blockBytes) * blockBytes == volumeBytes)
                .orElse(volumeBytes);
    }

    /** Empty for what a rollback has put aside or not yet put in place, and for a name that no id can have. */
    private static Optional<VolumeId> idOf(ZfsObject zvol) {
        if (ZfsNames.isBranch(zvol.name()) || ZfsNames.isReplacement(zvol.name())) {
            return Optional.empty();
        }
        try {
            return Optional.of(VolumeId.of(
                    ZfsNames.PROVIDER, zvol.property(ZfsNames.VOLUME).orElse(zvol.name())));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static List<SnapshotEntry> snapshotsOf(List<ZfsObject> all, List<VolumeEntry> volumes) {
        var byDigest = new HashMap<String, VolumeEntry>();
        volumes.forEach(volume -> byDigest.put(ZfsNames.digestOf(volume.id()), volume));
        var found = new ArrayList<SnapshotEntry>();
        for (var each : all) {
            if (each.isSnapshot()) {
                ZfsNames.volumeDigest(each.snapshotName())
                        .flatMap(digest -> Optional.ofNullable(byDigest.get(digest)))
                        .flatMap(volume -> entry(volume, each))
                        .ifPresent(found::add);
            }
        }
        found.sort(BY_ID);
        return List.copyOf(found);
    }

    private static Optional<SnapshotEntry> entry(VolumeEntry volume, ZfsObject snapshot) {
        try {
            return snapshot.property(ZfsNames.POINT)
                    .map(RecoveryPointId::new)
                    .filter(point -> ZfsNames.names(snapshot.snapshotName(), volume.id(), point))
                    .filter(_ -> snapshot.number(ZfsNames.CUT_AT) >= 0)
                    .map(point -> new SnapshotEntry(
                            new SnapshotId(volume.id(), point), snapshot, exact(volume.on(), snapshot.volumeBytes())));
        } catch (IllegalArgumentException e) {
            // Somebody else's properties.
            return Optional.empty();
        }
    }

    /** In order of id. */
    List<VolumeEntry> volumes() {
        return volumes;
    }

    /** @throws ProviderException Conflict where two volumes have this id: which one is meant nobody knows */
    Optional<VolumeEntry> find(VolumeId volume) throws ProviderException {
        return only(
                volume,
                volumes.stream().filter(entry -> entry.id().equals(volume)).toList(),
                VolumeEntry::on);
    }

    private static <T> Optional<T> only(Object id, List<T> found, Function<T, ZfsObject> on) throws ProviderException {
        if (found.size() > 1) {
            throw new ProviderException(new ProviderError.Conflict(
                    id.toString(),
                    "both %s and %s have this id"
                            .formatted(
                                    on.apply(found.getFirst()).name(),
                                    on.apply(found.getLast()).name())));
        }
        return found.stream().findFirst();
    }

    VolumeEntry get(VolumeId volume) throws ProviderException {
        return find(volume).orElseThrow(() -> new ProviderException(new ProviderError.VolumeNotFound(volume)));
    }

    /** In order of id. */
    List<SnapshotEntry> snapshots() {
        return snapshots;
    }

    /** @throws ProviderException Conflict where two have this id */
    Optional<SnapshotEntry> find(SnapshotId snapshot) throws ProviderException {
        return only(
                "snapshot " + snapshot,
                snapshots.stream().filter(entry -> entry.id().equals(snapshot)).toList(),
                SnapshotEntry::on);
    }

    SnapshotEntry get(SnapshotId snapshot) throws ProviderException {
        return find(snapshot).orElseThrow(() -> new ProviderException(new ProviderError.SnapshotNotFound(snapshot)));
    }

    boolean hasSnapshots(VolumeId volume) {
        return snapshots.stream().anyMatch(entry -> entry.id().volume().equals(volume));
    }

    /** By its name in ZFS, whatever it is. */
    Optional<ZfsObject> named(String name) {
        return all.stream().filter(each -> each.name().equals(name)).findFirst();
    }

    /** Under whatever name it has by now. */
    boolean has(ZfsObject object) {
        return all.stream().anyMatch(each -> each.property("guid").equals(object.property("guid")));
    }

    /** All of them, ours or not, that lie on a volume now; oldest first. */
    List<ZfsObject> lyingOn(String zvol) {
        return all.stream()
                .filter(each -> each.isSnapshot() && each.zvol().equals(zvol))
                .sorted(Comparator.comparingLong(ZfsObject::transaction))
                .toList();
    }

    /**
     * Whether anything that is not deleted, ours or not, lies on a volume or on what rollbacks have put aside of it.
     */
    boolean hasOthersSnapshots(String zvol) {
        return all.stream()
                .filter(each -> each.isSnapshot() && !ZfsNames.isDeleted(each.snapshotName()))
                .anyMatch(each -> each.zvol().equals(zvol) || ZfsNames.isBranchOf(each.zvol(), zvol));
    }

    /** Deleted as far as we say, and not yet marked to go with their last clone. */
    List<ZfsObject> deleted() {
        return all.stream()
                .filter(each -> each.isSnapshot()
                        && ZfsNames.isDeleted(each.snapshotName())
                        && each.property("defer_destroy").filter("on"::equals).isEmpty())
                .toList();
    }

    /** What rollbacks have put aside. */
    List<ZfsObject> branches() {
        return all.stream()
                .filter(each -> !each.isSnapshot() && ZfsNames.isBranch(each.name()))
                .toList();
    }

    /** Volumes and branches that are, or a moment ago were, received on. */
    List<ZfsObject> arriving() {
        return all.stream()
                .filter(each ->
                        !each.isSnapshot() && each.property(ZfsNames.ARRIVING).isPresent())
                .toList();
    }

    /** Snapshots, listed or not, of whatever volume, by what is behind the {@code @}. */
    List<ZfsObject> snapshotsCalled(String snapshotName) {
        return all.stream()
                .filter(each -> each.isSnapshot() && each.snapshotName().equals(snapshotName))
                .toList();
    }

    /** File systems that a rollback has kept from being mounted, and not yet let be mounted as they were. */
    List<ZfsObject> notMountedAsSet() {
        return volumes.stream()
                .map(VolumeEntry::on)
                .filter(each ->
                        each.isFileSystem() && each.property(ZfsNames.MOUNTING).isPresent())
                .toList();
    }

    /** File systems and volumes below a file system, by their names in ZFS. */
    List<String> below(String fileSystem) {
        return all.stream()
                .filter(each -> !each.isSnapshot() && each.name().startsWith(fileSystem + "/"))
                .map(ZfsObject::name)
                .toList();
    }

    /** For people: the first ones, and how many others there are. */
    static String shown(List<String> names) {
        var first = String.join(", ", names.subList(0, Math.min(names.size(), SHOWN_MAXIMUM)));
        return names.size() <= SHOWN_MAXIMUM ? first : "%s and %d more".formatted(first, names.size() - SHOWN_MAXIMUM);
    }

    /** What a rollback that was cut short wanted to put in place, by the name of that place. */
    Map<String, ZfsObject> replacements() {
        var found = new HashMap<String, ZfsObject>();
        for (var each : all) {
            if (!each.isSnapshot() && ZfsNames.isReplacement(each.name())) {
                each.property(ZfsNames.REPLACES).ifPresent(zvol -> found.put(zvol, each));
            }
        }
        return found;
    }

    /**
     * A snapshot and all that came before it, newest first: on its own volume, then on the one that was cloned for
     * that, and so on. What lies outside of the report is not known.
     */
    List<ZfsObject> history(ZfsObject snapshot) {
        var found = new ArrayList<ZfsObject>();
        Optional<ZfsObject> from = Optional.of(snapshot);
        while (from.isPresent() && found.size() <= all.size()) {
            var newest = from.get();
            lyingOn(newest.zvol()).reversed().stream()
                    .filter(each -> each.transaction() <= newest.transaction())
                    .forEach(found::add);
            from = named(newest.zvol()).flatMap(zvol -> zvol.property("origin")).flatMap(this::named);
        }
        return found;
    }
}
