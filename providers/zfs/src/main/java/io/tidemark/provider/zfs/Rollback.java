package io.tidemark.provider.zfs;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Puts a clone of a snapshot into a volume's place; {@code zfs rollback} would destroy all newer snapshots, and is
 * left to do it only for a file system that has none. Steps, each whole or not at all: (1) the clone is made beside
 * the volume, with all that is set on it; (2) the volume is marked with its place; (3) it is renamed to a branch; (4)
 * the clone takes its name; (5) the branch is marked as replaced; (6) the clone is promoted, so that it has the
 * snapshot and all older ones; (7) a file system may be mounted as it was; (8) the branch goes, or where it still has
 * newer snapshots, its head goes back to the newest, which frees the rest. A crash before 3 leaves the old content;
 * after it, {@link #sweep} goes on to the new one. A step that was given up may be done by ZFS later, at any time:
 * what is on the storage says alone how to go on, and only a branch that is marked as replaced is let go.
 */
final class Rollback {
    private static final System.Logger LOG = System.getLogger(Rollback.class.getName());

    private final ZfsCommands commands;
    private final Removal removal;
    private final Use use;

    /** {@link ZvolDevices#refuseWhileUsed}, or {@link MountTable#refuseWhileMounted} of a file system. */
    interface Use {
        /** @throws ProviderException Busy */
        void refuse(Object object, ZfsObject volume) throws ProviderException;
    }

    Rollback(ZfsCommands commands, Removal removal, Use use) {
        this.commands = commands;
        this.removal = removal;
        this.use = use;
    }

    void run(Listing listing, ZfsObject volume, ZfsObject snapshot) throws ProviderException {
        if (volume.isFileSystem() && isDoneByZfs(listing.list(), volume, snapshot)) {
            return;
        }
        var zvol = volume.name();
        var replacement = volume.called(ZfsNames.forReplacement(zvol));
        var settings = commands.settings(zvol);
        var mark = VolumeSettings.beforeItIsPutAside(volume, settings);
        commands.clone(snapshot.name(), replacement.name(), VolumeSettings.ofReplacement(volume, settings));
        boolean inPlace = false;
        try {
            commands.set(zvol, mark);
            commands.names().lock();
            try {
                takePlace(replacement, volume, volume.called(freeBranch(listing.list(), zvol)));
            } finally {
                commands.names().unlock();
            }
            inPlace = true;
        } finally {
            if (!inPlace && mark.containsKey(ZfsNames.MOUNTING)) {
                tried(zvol, () -> restoreMounting(volume.name(), mark.get(ZfsNames.MOUNTING)));
            }
        }
        settle(listing);
    }

    /**
     * ZFS's own rollback, where nothing is newer than the snapshot: atomic, it keeps what is set and what lies below.
     *
     * @throws ProviderException Conflict, and nothing is changed, where something is newer, and something below would
     *     be renamed with the file system
     */
    private boolean isDoneByZfs(VolumeCatalog catalog, ZfsObject volume, ZfsObject snapshot) throws ProviderException {
        var onIt = catalog.lyingOn(volume.name());
        if (!onIt.isEmpty() && onIt.getLast().name().equals(snapshot.name())) {
            try {
                commands.rollback(snapshot.name());
                return true;
            } catch (ProviderException e) {
                // A newer snapshot that came meanwhile, or a bookmark, which no list of ours has.
                if (!(e.error() instanceof ProviderError.Conflict)) {
                    throw e;
                }
            }
        }
        var below = catalog.below(volume.name());
        if (!below.isEmpty()) {
            throw new ProviderException(new ProviderError.Conflict(
                    volume.name(),
                    "it has newer snapshots or bookmarks, and below it lies %s, which would be put aside with it; "
                                    .formatted(VolumeCatalog.shown(below))
                            + "roll back to its newest one, or rename what lies below"));
        }
        return false;
    }

    /** Where that fails, or somebody has opened the volume meanwhile, it has its name and its content again. */
    private void takePlace(ZfsObject replacement, ZfsObject volume, ZfsObject branch) throws ProviderException {
        try {
            // Of a program that was killed nobody knows whether it has done it.
            rename(volume, branch.name());
            use.refuse(volume.name(), branch);
            rename(replacement, volume.name());
        } catch (ProviderException e) {
            try {
                rename(branch, volume.name());
                commands.destroy(replacement.name());
            } catch (ProviderException again) {
                e.addSuppressed(again);
            }
            throw e;
        }
    }

    private void rename(ZfsObject volume, String newName) throws ProviderException {
        if (volume.isFileSystem()) {
            commands.renameUnmounted(volume.name(), newName);
        } else {
            commands.rename(volume.name(), newName);
        }
    }

    static String freeBranch(VolumeCatalog catalog, String zvol) {
        int number = 1;
        while (catalog.named(ZfsNames.forBranch(zvol, number)).isPresent()) {
            number++;
        }
        return ZfsNames.forBranch(zvol, number);
    }

    /**
     * Finishes, or takes back, what a crash has left, and what ZFS has done after we had given it up. What does not
     * succeed is left for the next time.
     *
     * @return what there is then
     */
    VolumeCatalog sweep(Listing listing) throws ProviderException {
        var catalog = listing.list();
        if (catalog.replacements().isEmpty()
                && catalog.branches().isEmpty()
                && catalog.notMountedAsSet().isEmpty()) {
            return catalog;
        }
        for (var entry : catalog.replacements().entrySet()) {
            var zvol = entry.getKey();
            var replacement = entry.getValue();
            if (catalog.named(zvol).isPresent()) {
                // Not renamed away: the old content stays.
                tried(replacement.name(), () -> commands.destroy(replacement.name()));
            } else if (catalog.branches().stream().anyMatch(each -> isInsteadOf(replacement, each))) {
                tried(replacement.name(), () -> rename(replacement, zvol));
            } else {
                kept(replacement.name(), "its volume has gone");
            }
        }
        giveBack(listing.list());
        settle(listing);
        return listing.list();
    }

    /** A branch whose place nothing has taken was renamed by a step that nobody waited for. */
    private void giveBack(VolumeCatalog catalog) {
        for (var branch : catalog.branches()) {
            var place = branch.property(ZfsNames.PLACE);
            if (!isReplaced(branch)
                    && place.isPresent()
                    && catalog.named(place.get()).isEmpty()) {
                tried(branch.name(), () -> rename(branch, place.get()));
            }
        }
    }

    private static boolean isReplaced(ZfsObject branch) {
        return branch.property(ZfsNames.REPLACED).isPresent();
    }

    private static boolean isInsteadOf(ZfsObject replacement, ZfsObject branch) {
        return replacement.property(ZfsNames.INSTEAD_OF).equals(branch.property("guid"));
    }

    /**
     * Gives every volume the history it stands on, and lets go of branches that nobody needs. May run at any time, and
     * again; what does not succeed is left for the next time, for volumes and snapshots are right without it.
     */
    void settle(Listing listing) throws ProviderException {
        var catalog = listing.list();
        var replaced = new ArrayList<ZfsObject>();
        for (var branch : catalog.branches()) {
            if (isReplaced(branch)
                    || (hasTakenPlace(catalog, branch)
                            && tried(
                                    branch.name(),
                                    () -> commands.set(branch.name(), VolumeSettings.ofBranch(branch))))) {
                replaced.add(branch);
            } else {
                kept(branch.name(), "nothing says that it was replaced");
            }
        }
        for (var entry : catalog.volumes()) {
            var zvol = entry.on().name();
            while (onBranch(catalog, zvol) && tried(zvol, () -> commands.promote(zvol))) {
                // A volume may stand on several branches, one on the other.
                catalog = listing.list();
            }
        }
        for (var volume : catalog.notMountedAsSet()) {
            tried(
                    volume.name(),
                    () -> restoreMounting(
                            volume.name(), volume.property(ZfsNames.MOUNTING).orElse(ZfsNames.MOUNTING_DEFAULT)));
        }
        for (var branch : replaced) {
            var snapshots = catalog.lyingOn(branch.name());
            // One that is received on has none yet; ZFS destroys it itself where that is broken off.
            if (!snapshots.isEmpty() || branch.property(ZfsNames.ARRIVING).isEmpty()) {
                tried(branch.name(), () -> letGo(listing, branch, snapshots));
            }
        }
    }

    /** A file system is mounted by the next boot, or by {@code zfs mount -a}, only when it has its place for good. */
    private void restoreMounting(String fileSystem, String before) throws ProviderException {
        if (before.equals(ZfsNames.MOUNTING_DEFAULT)) {
            commands.unset(fileSystem, VolumeSettings.MOUNTING);
        } else {
            commands.set(fileSystem, Map.of(VolumeSettings.MOUNTING, before));
        }
        commands.unset(fileSystem, ZfsNames.MOUNTING);
    }

    private static boolean hasTakenPlace(VolumeCatalog catalog, ZfsObject branch) {
        return branch.property(ZfsNames.PLACE)
                .flatMap(catalog::named)
                .filter(volume -> isInsteadOf(volume, branch))
                .isPresent();
    }

    private interface Attempt {
        void run() throws ProviderException;
    }

    private static boolean tried(String zvol, Attempt attempt) {
        try {
            attempt.run();
            return true;
        } catch (ProviderException e) {
            kept(zvol, e.error().message());
            return false;
        }
    }

    private static void kept(String zvol, String reason) {
        LOG.log(System.Logger.Level.WARNING, "zfs.branch_kept volume={0} reason={1}", zvol, reason);
    }

    private void letGo(Listing listing, ZfsObject branch, List<ZfsObject> snapshots) throws ProviderException {
        use.refuse(branch.name(), branch);
        if (snapshots.stream().allMatch(each -> ZfsNames.isDeleted(each.snapshotName()))) {
            removal.remove(listing, branch.name());
        } else {
            commands.rollback(snapshots.getLast().name());
        }
    }

    private static boolean onBranch(VolumeCatalog catalog, String zvol) {
        return catalog.named(zvol)
                .flatMap(each -> each.property("origin"))
                .filter(origin -> ZfsNames.isBranchOf(origin.substring(0, origin.indexOf('@')), zvol))
                .isPresent();
    }
}
