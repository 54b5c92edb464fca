package io.tidemark.provider.zfs;

import io.tidemark.spi.ProviderException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Puts a clone of a snapshot into a volume's place; {@code zfs rollback} would destroy all newer snapshots. Steps,
 * each whole or not at all: (1) the clone is made beside the volume, with all that is set on it; (2) the volume is
 * renamed to a branch; (3) the clone takes its name; (4) the clone is promoted, so that it has the snapshot and all
 * older ones; (5) the branch goes, or where it still has newer snapshots, its head goes back to the newest, which
 * frees the rest. A crash before 2 leaves the old content; after it, {@link #sweep} goes on to the new one. Nothing
 * has the volume open meanwhile.
 */
final class Rollback {
    private static final System.Logger LOG = System.getLogger(Rollback.class.getName());

    /**
     * Set on the volume itself, they are set on what takes its place. The rest ZFS knows by itself, or cannot be set.
     */
    private static final Set<String> KEPT = Set.of(
            "checksum",
            "compression",
            "copies",
            "dedup",
            "logbias",
            "primarycache",
            "redundant_metadata",
            "refreservation",
            "reservation",
            "secondarycache",
            "snapdev",
            "sync",
            "volmode");

    private final ZfsCommands commands;
    private final Removal removal;

    Rollback(ZfsCommands commands, Removal removal) {
        this.commands = commands;
        this.removal = removal;
    }

    void run(Listing listing, ZfsObject volume, ZfsObject snapshot) throws ProviderException {
        var zvol = volume.name();
        var replacement = ZfsNames.forReplacement(zvol);
        commands.clone(snapshot.name(), replacement, properties(zvol));
        commands.names().lock();
        try {
            var branch = freeBranch(listing.list(), zvol);
            commands.rename(zvol, branch);
            takePlace(replacement, zvol, branch);
        } finally {
            commands.names().unlock();
        }
        settle(listing);
    }

    /** Where that fails, the volume has its name and its content again. */
    private void takePlace(String replacement, String zvol, String branch) throws ProviderException {
        try {
            commands.rename(replacement, zvol);
        } catch (ProviderException e) {
            try {
                commands.rename(branch, zvol);
            } catch (ProviderException again) {
                e.addSuppressed(again);
            }
            throw e;
        }
    }

    private Map<String, String> properties(String zvol) throws ProviderException {
        var kept = new HashMap<String, String>();
        commands.localProperties(zvol).forEach((property, value) -> {
            if (KEPT.contains(property) || property.indexOf(':') >= 0) {
                kept.put(property, value);
            }
        });
        kept.put(ZfsNames.REPLACES, zvol);
        return kept;
    }

    private static String freeBranch(ZvolCatalog catalog, String zvol) {
        int number = 1;
        while (catalog.named(ZfsNames.forBranch(zvol, number)).isPresent()) {
            number++;
        }
        return ZfsNames.forBranch(zvol, number);
    }

    /** Finishes, or takes back, what a crash has left. */
    void sweep(Listing listing) throws ProviderException {
        var catalog = listing.list();
        for (var entry : catalog.replacements().entrySet()) {
            var zvol = entry.getKey();
            if (catalog.named(zvol).isPresent()) {
                // Not renamed away: the old content stays.
                commands.destroy(entry.getValue().name());
            } else {
                commands.rename(entry.getValue().name(), zvol);
            }
        }
        if (!catalog.replacements().isEmpty() || !catalog.branches().isEmpty()) {
            settle(listing);
        }
    }

    /**
     * Gives every volume the history it stands on, and lets go of branches that nobody needs. May run at any time, and
     * again; what does not succeed is left for the next time, for volumes and snapshots are right without it.
     */
    void settle(Listing listing) throws ProviderException {
        for (var entry : listing.list().volumes()) {
            var zvol = entry.on().name();
            while (onBranch(listing.list(), zvol) && tried(zvol, () -> commands.promote(zvol))) {
                // A volume may stand on several branches, one on the other.
            }
        }
        for (var branch : listing.list().branches()) {
            tried(branch.name(), () -> letGo(listing, branch.name()));
        }
    }

    private interface Attempt {
        void run() throws ProviderException;
    }

    private static boolean tried(String zvol, Attempt attempt) {
        try {
            attempt.run();
            return true;
        } catch (ProviderException e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "zfs.branch_kept volume={0} reason={1}",
                    zvol,
                    e.error().message());
            return false;
        }
    }

    private void letGo(Listing listing, String branch) throws ProviderException {
        var snapshots = listing.list().lyingOn(branch);
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
