package io.tidemark.provider.zfs;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;

/**
 * Removes what ZFS lets nobody remove: a snapshot that has clones, a volume that has such snapshots. A snapshot is
 * renamed, which takes it out of our lists, and marked to go with its last clone; a volume hands such snapshots on to
 * a clone first, by promoting it.
 */
final class Removal {
    private final ZfsCommands commands;

    Removal(ZfsCommands commands) {
        this.commands = commands;
    }

    /**
     * A snapshot without holds. Between the two steps it is gone already, and its space goes when the volume or its
     * last clone does.
     */
    void delete(ZfsObject snapshot) throws ProviderException {
        if (snapshot.clones().isEmpty()) {
            commands.destroy(snapshot.name());
            return;
        }
        var deleted = snapshot.zvol() + "@"
                + ZfsNames.forDeleted(String.valueOf(snapshot.property("guid").orElse("")));
        commands.rename(snapshot.name(), deleted);
        commands.destroyWithClones(deleted);
    }

    /**
     * A volume whose snapshots are all deleted, as far as we say.
     *
     * @throws ProviderException Conflict, and nothing is changed, where it has another: it came after the caller's look
     */
    void remove(Listing listing, String zvol) throws ProviderException {
        var snapshots = listing.list().lyingOn(zvol).reversed();
        for (var snapshot : snapshots) {
            if (!ZfsNames.isDeleted(snapshot.snapshotName())) {
                throw new ProviderException(
                        new ProviderError.Conflict(zvol, "it has the snapshot " + snapshot.snapshotName()));
            }
        }
        for (var snapshot : snapshots) {
            if (!snapshot.clones().isEmpty()) {
                // With it go all older ones.
                commands.promote(snapshot.clones().getFirst());
                break;
            }
            commands.destroyWithClones(snapshot.name());
        }
        commands.destroy(zvol);
    }

    /** Marks what a crash has left between its new name and its mark. */
    void sweep(VolumeCatalog catalog) throws ProviderException {
        for (var snapshot : catalog.deleted()) {
            commands.destroyWithClones(snapshot.name());
        }
    }
}
