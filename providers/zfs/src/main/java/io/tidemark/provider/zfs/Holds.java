package io.tidemark.provider.zfs;

import io.tidemark.provider.devices.Vanishing;
import io.tidemark.provider.zfs.VolumeCatalog.SnapshotEntry;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import java.util.HashSet;
import java.util.List;

/** Holds of snapshots: ZFS's own, which keep other programs from destroying them, too. */
final class Holds {
    private final ZfsCommands commands;
    private final Listing listing;

    Holds(ZfsCommands commands, Listing listing) {
        this.commands = commands;
        this.listing = listing;
    }

    void hold(SnapshotEntry entry, HoldOwner owner) throws ProviderException {
        var tag = ZfsNames.hold(owner.value());
        if (!tags(entry).contains(tag)) {
            commands.hold(tag, entry.on().name());
        }
    }

    void release(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        var tag = ZfsNames.hold(owner.value());
        var entry = listing.list().find(snapshot);
        if (entry.isPresent() && tags(entry.get()).contains(tag)) {
            Vanishing.untilGone(() -> commands.release(tag, entry.get().on().name()), () -> isHeld(snapshot, tag));
        }
    }

    private boolean isHeld(SnapshotId snapshot, String tag) throws ProviderException {
        var entry = listing.list().find(snapshot);
        return entry.isPresent() && tags(entry.get()).contains(tag);
    }

    /** Ours and others'. */
    private List<String> tags(SnapshotEntry entry) throws ProviderException {
        return entry.on().number("userrefs") == 0
                ? List.of()
                : commands.holds(entry.on().name());
    }

    /** @throws ProviderException Held, or Busy where it is somebody else's hold */
    void refuseWhileHeld(SnapshotEntry entry) throws ProviderException {
        var tags = tags(entry);
        var owners = new HashSet<HoldOwner>();
        tags.forEach(tag -> ZfsNames.holder(tag).map(HoldOwner::new).ifPresent(owners::add));
        if (!owners.isEmpty()) {
            throw new ProviderException(new ProviderError.Held(entry.id(), owners));
        }
        if (!tags.isEmpty()) {
            throw ZfsErrors.busy("snapshot " + entry.id(), "the hold " + tags.getFirst());
        }
    }
}
