package io.tidemark.provider.zfs;

import io.tidemark.provider.commands.CommandStream;
import io.tidemark.provider.commands.Outcome;
import io.tidemark.provider.zfs.VolumeCatalog.SnapshotEntry;
import io.tidemark.provider.zfs.ZfsRecord.Beginning;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import java.io.IOException;
import java.time.Instant;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Where a snapshot is received. Upon the volume itself, where that stands at the older one and is mounted nowhere: then
 * the volume has the snapshot's files, and a rollback to it has nothing left to do. Else on a branch beside it, as a
 * rollback leaves them: the volume is not touched, whatever is written to it or newer on it, and a rollback puts the
 * snapshot in its place. ZFS is never allowed to force its way ({@code -F}): it would destroy snapshots that somebody
 * took meanwhile.
 */
final class ArrivalPlaces {
    /** Of the time that a stream tells: some 35,000 years. */
    private static final long SECONDS_MAXIMUM = 1L << 40;

    private final ZfsCommands commands;
    private final Listing listing;
    private final MountTable mounts;
    private final Object lock;

    /** @param lock held while names, properties or mounts are changed */
    ArrivalPlaces(ZfsCommands commands, Listing listing, MountTable mounts, Object lock) {
        this.commands = commands;
        this.listing = listing;
        this.mounts = mounts;
        this.lock = lock;
    }

    /**
     * @param dataset the volume, or a branch of it that is not there yet
     * @param upon what the volume stood at; empty of a branch
     * @param others {@code guid}s of the snapshots that lay on the volume
     */
    record Place(
            String dataset,
            Arrival arrival,
            Optional<ZfsObject> upon,
            Optional<String> origin,
            Map<String, String> properties,
            Set<Long> others) {
        Place {
            properties = Map.copyOf(properties);
            others = Set.copyOf(others);
        }
    }

    /** @throws IOException where the stream is not the one that was asked for */
    Place choose(SnapshotId snapshot, Optional<SnapshotId> older, Beginning beginning)
            throws IOException, ProviderException {
        if (beginning.objectSet() != Beginning.FILES) {
            throw new IOException("it is of a volume of blocks, or of kind %d".formatted(beginning.objectSet()));
        }
        if (beginning.cutAtSeconds() < 0 || beginning.cutAtSeconds() > SECONDS_MAXIMUM) {
            throw new IOException("it was cut %d s after 1970".formatted(beginning.cutAtSeconds()));
        }
        synchronized (lock) {
            var catalog = listing.list();
            var volume = catalog.get(snapshot.volume()).on();
            Optional<SnapshotEntry> base = older.isPresent() ? Optional.of(catalog.get(older.get())) : Optional.empty();
            refuseOtherBase(base, beginning);
            refuseTakenName(catalog, snapshot);
            var arrival = Arrival.of(snapshot, beginning);
            if (base.isPresent() && standsAt(volume, base.get().on()) && !beginning.onOther()) {
                return new Place(
                        volume.name(),
                        arrival,
                        base.map(SnapshotEntry::on),
                        Optional.empty(),
                        Map.of(),
                        guidsOn(catalog, volume));
            }
            if (base.isEmpty() && !beginning.raw()) {
                refuseOwnKey(snapshot, volume);
            }
            var rights = commands.values(volume.name(), VolumeSettings.RIGHTS);
            return new Place(
                    Rollback.freeBranch(catalog, volume.name()),
                    arrival,
                    Optional.empty(),
                    base.map(each -> each.on().name()),
                    VolumeSettings.ofArrival(rights, arrival),
                    Set.of());
        }
    }

    private static void refuseOtherBase(Optional<SnapshotEntry> base, Beginning beginning) throws IOException {
        long here = base.map(each -> each.on().number("guid")).orElse(0L);
        if (here != beginning.fromGuid()) {
            throw new IOException("it builds upon %s, not upon %s"
                    .formatted(
                            shown(beginning.fromGuid()),
                            base.map(each -> "snapshot %s, %s".formatted(each.id(), shown(here)))
                                    .orElse("nothing")));
        }
    }

    private static String shown(long guid) {
        return guid == 0 ? "nothing" : "guid " + Long.toUnsignedString(guid);
    }

    /** Somebody else's snapshot is not touched, wherever it lies: a rollback would find the name taken. */
    static void refuseTakenName(VolumeCatalog catalog, SnapshotId snapshot) throws ProviderException {
        var taken = catalog.snapshotsCalled(ZfsNames.forSnapshot(snapshot));
        if (!taken.isEmpty()) {
            throw new ProviderException(new ProviderError.Conflict(
                    "snapshot " + snapshot,
                    "%s has its name and is not of ours; zfs rename it"
                            .formatted(taken.getFirst().name())));
        }
    }

    /** What is changed after this look makes ZFS refuse the stream. */
    private boolean standsAt(ZfsObject volume, ZfsObject older) throws ProviderException {
        return older.zvol().equals(volume.name())
                && !mounts.isMounted(volume.name())
                && commands.writtenSince(older, volume.name()) == 0;
    }

    private static Set<Long> guidsOn(VolumeCatalog catalog, ZfsObject volume) {
        var guids = new HashSet<Long>();
        catalog.lyingOn(volume.name()).forEach(each -> guids.add(each.number("guid")));
        return guids;
    }

    /** A new file system is encrypted as the one it lies in: not where the volume alone is. */
    private void refuseOwnKey(SnapshotId snapshot, ZfsObject volume) throws ProviderException {
        if (commands.encryptionRoot(volume.name()).filter(volume.name()::equals).isPresent()) {
            throw new ProviderException(new ProviderError.Conflict(
                    snapshot.volume().toString(),
                    "it is encrypted with a key of its own, and what comes is not encrypted and would be kept so; make "
                            + "the volume in an encrypted file system, or send from one that is encrypted"));
        }
    }

    CommandStream start(Place place) throws ProviderException {
        return commands.receive(
                place.dataset() + "@" + place.arrival().snapshotName(), place.origin(), place.properties());
    }

    /** Before the last record; a branch has it from its beginning. */
    void announce(Place place) throws ProviderException {
        if (place.upon().isPresent()) {
            synchronized (lock) {
                commands.set(
                        place.dataset(),
                        Map.of(ZfsNames.ARRIVING, place.arrival().text()));
            }
        }
    }

    /** Why ZFS has not taken a stream. */
    ProviderException explained(SnapshotId snapshot, Place place, Outcome outcome) {
        var failure = ZfsErrors.ofReceiving(snapshot, outcome);
        if (place.upon().isEmpty()) {
            return failure;
        }
        try {
            return listing.list().lyingOn(place.dataset()).stream()
                    .filter(each -> !place.others().contains(each.number("guid")))
                    .findFirst()
                    .map(each -> new ProviderException(
                            ZfsErrors.busy(snapshot.volume(), each.name() + ", which came meanwhile")
                                    .error(),
                            failure))
                    .orElse(failure);
        } catch (ProviderException e) {
            failure.addSuppressed(e);
            return failure;
        }
    }

    /** Makes ours what ZFS has made. */
    Snapshot arrived(SnapshotId snapshot, Place place) throws ProviderException {
        synchronized (lock) {
            var catalog = listing.list();
            var arrival = place.arrival();
            var made = arrival.made(catalog, place.dataset())
                    .orElseThrow(() -> ZfsErrors.corrupt(snapshot, notMade(catalog, place)));
            finish(place.dataset(), arrival, made);
            return new Snapshot(snapshot, made.volumeBytes(), Instant.ofEpochMilli(arrival.cutAtMillis()));
        }
    }

    private static String notMade(VolumeCatalog catalog, Place place) {
        var arrival = place.arrival();
        return "sent as %s, received as %s"
                .formatted(
                        shown(arrival.guid()),
                        catalog.named(place.dataset() + "@" + arrival.snapshotName())
                                .map(each -> shown(each.number("guid")))
                                .orElse("nothing"));
    }

    private void finish(String dataset, Arrival arrival, ZfsObject made) throws ProviderException {
        if (made.property(ZfsNames.POINT).isEmpty()) {
            commands.set(made.name(), arrival.ofSnapshot());
        }
        commands.unset(dataset, ZfsNames.ARRIVING);
    }

    /**
     * Makes ours what ZFS has made for somebody who died before he could say so.
     *
     * @return whether anything was changed
     */
    boolean sweep(VolumeCatalog catalog) throws ProviderException {
        boolean changed = false;
        for (var dataset : catalog.arriving()) {
            var arrival = Arrival.on(dataset);
            var made = arrival.flatMap(each -> each.made(catalog, dataset.name()));
            if (made.isPresent()) {
                finish(dataset.name(), arrival.orElseThrow(), made.get());
                changed = true;
            }
        }
        return changed;
    }
}
