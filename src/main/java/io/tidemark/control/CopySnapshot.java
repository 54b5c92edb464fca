package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.control.document.Json;
import io.tidemark.domain.Operation;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotCopies;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.util.Optional;
import java.util.stream.Collectors;

/** Starts a copy of a snapshot to another provider whose storage makes it by itself: another region of a cloud. */
public final class CopySnapshot {
    private final Inventory inventory;
    private final Providers providers;
    private final Operations operations;

    CopySnapshot(Inventory inventory, Providers providers, Operations operations) {
        this.inventory = inventory;
        this.providers = providers;
        this.operations = operations;
    }

    /**
     * @param to name of the provider that gets the copy
     * @param key by which it is encrypted there, in the storage's words
     * @throws ControlException Invalid where there is no such provider, or none that copies from the snapshot's; InUse
     *     where a recovery point has a snapshot of the copy's name there
     * @throws ProviderException SnapshotNotFound
     */
    public Operation start(SnapshotId snapshot, String to, Optional<String> key, Intent intent)
            throws ControlException, ProviderException {
        var source = providers.of(snapshot.volume());
        var target = providers.all().stream()
                .filter(each -> each.name().equals(to))
                .findFirst()
                .orElseThrow(() -> new ControlException(
                        new ControlError.Invalid("to", to, "is no provider of this site", takers(source))));
        if (!takes(target, source)) {
            throw new ControlException(new ControlError.Invalid(
                    "to",
                    to,
                    "is a provider whose storage makes no copies of snapshots of " + source.name(),
                    takers(source)));
        }
        var found = inventory.snapshot(snapshot).id();
        var copy = copyOf(found, to);
        if (inventory.isMember(copy)) {
            throw new ControlException(
                    new ControlError.InUse("snapshot", copy.toString(), "recovery point " + copy.recoveryPoint()));
        }
        var request = Json.object().put("snapshot", found.toString()).put("to", to);
        key.ifPresent(given -> request.put("key", given));
        return operations.start(new Operations.Request(
                intent.operation(), CopySnapshotOperation.KIND, found.toString(), request, Optional.empty()));
    }

    private static boolean takes(StorageProvider target, StorageProvider source) {
        return target.ability(SnapshotCopies.class)
                .filter(copies -> copies.copiesFrom(source))
                .isPresent();
    }

    /** What would have been right. */
    private String takers(StorageProvider source) {
        var names = providers.all().stream()
                .filter(each -> takes(each, source))
                .map(StorageProvider::name)
                .collect(Collectors.joining(", "));
        return names.isEmpty()
                ? "a second provider of the same kind, which this site has not: configure one of another region, or"
                        + " replicate the volume by a link"
                : "one of " + names;
    }

    /** What the copy is called. */
    static SnapshotId copyOf(SnapshotId snapshot, String to) {
        return new SnapshotId(VolumeId.of(to, snapshot.volume().name()), snapshot.recoveryPoint());
    }
}
