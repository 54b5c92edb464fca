package io.tidemark.provider.zfs;

import io.tidemark.spi.ProviderException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Puts a clone of a snapshot into a volume's place; {@code zfs rollback} would destroy all newer snapshots. Steps,
 * each whole or not at all: (1) the clone is made beside the volume, with all that is set on it; (2) the volume is
 * marked with its place; (3) it is renamed to a branch; (4) the clone takes its name; (5) the branch is marked as
 * replaced; (6) the clone is promoted, so that it has the snapshot and all older ones; (7) the branch goes, or where
 * it still has newer snapshots, its head goes back to the newest, which frees the rest. A crash before 3 leaves the
 * old content; after it, {@link #sweep} goes on to the new one. A step that was given up may be done by ZFS later, at
 * any time: what is on the storage says alone how to go on, and only a branch that is marked as replaced is let go.
 */
final class Rollback {
    private static final System.Logger LOG = System.getLogger(Rollback.class.getName());

    /** Set on the volume itself, they are set on what takes its place. The rest ZFS knows, or cannot be set. */
    private static final Set<String> KEPT = Set.of(
            "checksum",
            "compression",
            "copies",
            "dedup",
            "logbias",
            "primarycache",
            "readonly",
            "redundant_metadata",
            "refreservation",
            "reservation",
            "secondarycache",
            "snapdev",
            "snapshot_limit",
            "sync",
            "volmode");

    /** What a branch keeps for itself alone: neither is its replacement one, nor does it need room to be written. */
    private static final Map<String, String> OF_A_BRANCH =
            Map.of(ZfsNames.REPLACED, "on", "refreservation", "none", "reservation", "none");

    private final ZfsCommands commands;
    private final Removal removal;
    private final Use use;

    /** {@link ZvolDevices#refuseWhileUsed}. */
    interface Use {
        /** @throws ProviderException Busy */
        void refuse(Object object, String zvol) throws ProviderException;
    }

    Rollback(ZfsCommands commands, Removal removal, Use use) {
        this.commands = commands;
        this.removal = removal;
        this.use = use;
    }

    void run(Listing listing, ZfsObject volume, ZfsObject snapshot) throws ProviderException {
        var zvol = volume.name();
        var replacement = ZfsNames.forReplacement(zvol);
        commands.clone(snapshot.name(), replacement, properties(volume));
        commands.set(zvol, Map.of(ZfsNames.PLACE, zvol));
        commands.names().lock();
        try {
            takePlace(replacement, zvol, freeBranch(listing.list(), zvol));
        } finally {
            commands.names().unlock();
        }
        settle(listing);
    }

    /** Where that fails, or somebody has opened the volume meanwhile, it has its name and its content again. */
    private void takePlace(String replacement, String zvol, String branch) throws ProviderException {
        try {
            // Of a program that was killed nobody knows whether it has done it.
            commands.rename(zvol, branch);
            use.refuse(zvol, branch);
            commands.rename(replacement, zvol);
        } catch (ProviderException e) {
            try {
                commands.rename(branch, zvol);
                commands.destroy(replacement);
            } catch (ProviderException again) {
                e.addSuppressed(again);
            }
            throw e;
        }
    }

    private Map<String, String> properties(ZfsObject volume) throws ProviderException {
        var kept = new HashMap<String, String>();
        commands.settings(volume.name()).forEach((property, value) -> {
            if (KEPT.contains(property) || property.indexOf(':') >= 0) {
                kept.put(property, value);
            }
        });
        kept.remove(ZfsNames.REPLACED);
        // A renaming that was given up may find this one under the volume's name.
        kept.put(ZfsNames.PLACE, volume.name());
        kept.put(ZfsNames.REPLACES, volume.name());
        kept.put(ZfsNames.INSTEAD_OF, guid(volume));
        return kept;
    }

    private static String guid(ZfsObject volume) {
        return Long.toUnsignedString(volume.number("guid"));
    }

    private static String freeBranch(ZvolCatalog catalog, String zvol) {
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
    ZvolCatalog sweep(Listing listing) throws ProviderException {
        var catalog = listing.list();
        if (catalog.replacements().isEmpty() && catalog.branches().isEmpty()) {
            return catalog;
        }
        for (var entry : catalog.replacements().entrySet()) {
            var zvol = entry.getKey();
            var replacement = entry.getValue();
            if (catalog.named(zvol).isPresent()) {
                // Not renamed away: the old content stays.
                tried(replacement.name(), () -> commands.destroy(replacement.name()));
            } else if (catalog.branches().stream().anyMatch(each -> isInsteadOf(replacement, each))) {
                tried(replacement.name(), () -> commands.rename(replacement.name(), zvol));
            } else {
                kept(replacement.name(), "its volume has gone");
            }
        }
        giveBack(listing.list());
        settle(listing);
        return listing.list();
    }

    /** A branch whose place nothing has taken was renamed by a step that nobody waited for. */
    private void giveBack(ZvolCatalog catalog) {
        for (var branch : catalog.branches()) {
            var place = branch.property(ZfsNames.PLACE);
            if (!isReplaced(branch)
                    && place.isPresent()
                    && catalog.named(place.get()).isEmpty()) {
                tried(branch.name(), () -> commands.rename(branch.name(), place.get()));
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
        var replaced = new ArrayList<String>();
        for (var branch : catalog.branches()) {
            if (isReplaced(branch)
                    || (hasTakenPlace(catalog, branch)
                            && tried(branch.name(), () -> commands.set(branch.name(), OF_A_BRANCH)))) {
                replaced.add(branch.name());
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
        for (var branch : replaced) {
            var snapshots = catalog.lyingOn(branch);
            tried(branch, () -> letGo(listing, branch, snapshots));
        }
    }

    private static boolean hasTakenPlace(ZvolCatalog catalog, ZfsObject branch) {
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

    private void letGo(Listing listing, String branch, List<ZfsObject> snapshots) throws ProviderException {
        use.refuse(branch, branch);
        if (snapshots.stream().allMatch(each -> ZfsNames.isDeleted(each.snapshotName()))) {
            removal.remove(listing, branch);
        } else {
            commands.rollback(snapshots.getLast().name());
        }
    }

    private static boolean onBranch(ZvolCatalog catalog, String zvol) {
        return catalog.named(zvol)
                .flatMap(each -> each.property("origin"))
                .filter(origin -> ZfsNames.isBranchOf(origin.substring(0, origin.indexOf('@')), zvol))
                .isPresent();
    }
}
