package io.tidemark.provider.lvm;

import io.tidemark.spi.ProviderException;
import java.util.List;

/**
 * Takes back what a killed {@code lvcreate} has left. LVM writes a volume into the group's metadata first, with all its
 * tags, and tells the pool's kernel part afterwards, while the origin is suspended. Killed in between, the volume is listed
 * and has no bytes; the next LVM command that changes the pool would make it, of what its origin holds by then. Killed
 * after the pool was told and before it has the new transaction id, every later change of the pool fails with {@code File
 * exists}, and writers of the origin hang. Seen in the storage lab, LVM 2.03.16.
 *
 * <p>It resumes whatever of LVM's is suspended in the group, but for what a cut of this process has suspended: one waits for the other.
 */
final class HalfMade {
    private static final System.Logger LOG = System.getLogger(HalfMade.class.getName());

    private final LvmCommands commands;

    HalfMade(LvmCommands commands) {
        this.commands = commands;
    }

    /** At the open of an instance, for what a killed one has left; other than our own is left alone. */
    void sweep(LvmCatalog catalog, ThinMetadata metadata) throws ProviderException {
        for (var pool : catalog.pools()) {
            for (var volume : pending(pool.name())) {
                if (volume.tags().stream().anyMatch(tag -> tag.startsWith(LvmNames.TAGS))) {
                    sweep(volume, metadata);
                }
            }
        }
    }

    private void sweep(LogicalVolume volume, ThinMetadata metadata) throws ProviderException {
        try {
            if (!mayBeCut(volume, metadata)) {
                takeBack(volume);
            }
        } catch (ProviderException e) {
            if (!LvmNames.isAhead(volume)) {
                throw e;
            }
            // Not listed, so it keeps nobody from the rest of the group.
            LOG.log(
                    System.Logger.Level.ERROR,
                    "lvm.half_made_left logicalVolume={0} reason=\"{1}\"",
                    volume.name(),
                    e.getMessage());
        }
    }

    /** Of a recovery point, no placeholder, and its pool has it: somebody may have been told that it is there. */
    private static boolean mayBeCut(LogicalVolume volume, ThinMetadata metadata) throws ProviderException {
        boolean may = volume.tag(LvmNames.POINT).isPresent()
                && !volume.tags().contains(LvmNames.PLACEHOLDER)
                && metadata.devices(volume.pool()).contains(volume.thinId());
        if (may) {
            LOG.log(
                    System.Logger.Level.ERROR,
                    "lvm.half_made_kept logicalVolume={0} reason=\"it may be a snapshot\"",
                    volume.name());
        }
        return may;
    }

    /**
     * Of one {@code lvcreate} that was killed.
     *
     * @param failure what is told to the caller; what goes wrong here is added to it
     */
    ProviderException takenBack(String name, List<String> tags, ProviderException failure) {
        // Who was interrupted must not leave it so either.
        boolean interrupted = Thread.interrupted();
        try {
            for (var volume : commands.list()) {
                // Somebody else's of that name is not ours to remove.
                if (volume.name().equals(name) && volume.tags().containsAll(tags)) {
                    takeBack(volume);
                }
            }
        } catch (ProviderException e) {
            failure.addSuppressed(e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        return failure;
    }

    private void takeBack(LogicalVolume volume) throws ProviderException {
        LOG.log(System.Logger.Level.WARNING, "lvm.half_made_removed logicalVolume={0}", volume.name());
        commands.resumeAll();
        remove(volume);
    }

    /** What perhaps a killed program has made. */
    void remove(LogicalVolume volume) throws ProviderException {
        try {
            commands.remove(volume.name());
        } catch (ProviderException e) {
            if (catchUp(volume)) {
                return;
            }
            if (pending(volume.pool()).stream().noneMatch(each -> each.name().equals(volume.name()))) {
                throw e;
            }
            // The pool has made what LVM believes it has yet to tell it to make.
            commands.message(volume.pool(), "delete " + volume.thinId());
            commands.remove(volume.name());
        }
    }

    /**
     * An {@code lvcreate -s} that finds its origin suspended, by another one that was killed, tells the pool nothing and ends
     * well. The removal of what it made has failed, but LVM has it in its list no more; LVM's number of the pool is now two
     * ahead of the kernel's, and it refuses every later change. It works on once it is one ahead: what it still has to tell
     * the pool then is this deletion, of a device that was never made.
     *
     * @return whether the volume is gone, its pool caught up
     */
    private boolean catchUp(LogicalVolume volume) throws ProviderException {
        var status = commands.status(volume.pool());
        if (status.isEmpty()
                || commands.list().stream().anyMatch(each -> each.name().equals(volume.name()))) {
            return false;
        }
        long kernels = status.get().transaction();
        long expected = commands.transaction(volume.pool()) - 1;
        if (kernels + 1 != expected) {
            return false;
        }
        LOG.log(
                System.Logger.Level.WARNING,
                "lvm.pool_caught_up pool={0} from={1} to={2}",
                volume.pool(),
                Long.toString(kernels),
                Long.toString(expected));
        return commands.message(volume.pool(), "set_transaction_id %d %d".formatted(kernels, expected))
                .succeeded();
    }

    /** What LVM has written down, and the pool has not confirmed. */
    private List<LogicalVolume> pending(String pool) throws ProviderException {
        var status = commands.status(pool);
        return status.isEmpty()
                ? List.of()
                : commands.listSince(pool, status.get().transaction());
    }
}
