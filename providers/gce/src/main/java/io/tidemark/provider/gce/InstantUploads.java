package io.tidemark.provider.gce;

import com.google.cloud.compute.v1.Snapshot;
import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.gce.GroupCalls.Member;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/**
 * Makes snapshots of the project of instants. What fails of that is kept, for who asks whether it can be read, and
 * tried again by the next who looks. Safe for several threads.
 */
final class InstantUploads {
    /** Of so many snapshots at most something is kept; the next look finds out the rest again. */
    private static final int KEPT_MAXIMUM = 10_000;

    private final GroupCalls groups;
    private final GceCalls calls;
    private final Attempts attempts;
    private final SnapshotFinder finder;
    private final GceConfig config;
    private final Function<SnapshotId, Object> locks;
    private final Map<SnapshotId, ProviderError> failures = new LinkedHashMap<>();
    /** Names of the operations that make them. */
    private final Map<SnapshotId, String> operations = new LinkedHashMap<>();

    /** Those whose deletion has begun: they are not made again. */
    private final Map<SnapshotId, Boolean> refused = new LinkedHashMap<>();

    /** @param locks what one at a time makes and deletes a snapshot under */
    InstantUploads(
            GroupCalls groups,
            GceCalls calls,
            Attempts attempts,
            SnapshotFinder finder,
            GceConfig config,
            Function<SnapshotId, Object> locks) {
        this.groups = groups;
        this.calls = calls;
        this.attempts = attempts;
        this.finder = finder;
        this.config = config;
        this.locks = locks;
    }

    /** Why it was no snapshot when that was last looked at, where waiting alone does not help. */
    synchronized Optional<ProviderError> failure(SnapshotId id) {
        return Optional.ofNullable(failures.get(id));
    }

    /** Makes it no more: it is being deleted. Under its lock. */
    void refuse(SnapshotId id) {
        keep(refused, id, true);
    }

    /** It is cut, again where that was refused before. */
    synchronized void allow(RecoveryPointId recoveryPoint) {
        refused.keySet().removeIf(each -> each.recoveryPoint().equals(recoveryPoint));
    }

    private synchronized boolean isRefused(SnapshotId id) {
        return refused.containsKey(id);
    }

    /** Whether it is one, whole; makes on the way what can be made now. */
    boolean isSnapshot(SnapshotId id, Member member) {
        synchronized (locks.apply(id)) {
            try {
                return !isRefused(id) && look(id, member);
            } catch (ProviderException e) {
                if (!e.error().retryable()) {
                    keep(failures, id, e.error());
                }
                return false;
            }
        }
    }

    private boolean look(SnapshotId id, Member member) throws ProviderException {
        var found = finder.lookUp(id);
        if (found.isEmpty()) {
            make(id, member);
            return false;
        }
        forget(operations, id);
        switch (found.get().status()) {
            case "FAILED" -> makeRoom(id, member, found.get());
            case "CREATING", "UPLOADING", "READY" -> forget(failures, id);
            default -> {}
        }
        return found.get().status().equals("READY");
    }

    private void make(SnapshotId id, Member member) throws ProviderException {
        if (member.status().equals("FAILED")) {
            throw new ProviderException(new ProviderError.Corrupt(
                    id.toString(), "Google says that its instant snapshot %s has FAILED".formatted(member.name())));
        }
        if (!member.status().equals("READY") || isBeingMade(id)) {
            return;
        }
        var wanted = Snapshot.newBuilder()
                .setName(finder.nameOf(id))
                .setSourceInstantSnapshot(groups.linkOf(member))
                .putAllLabels(GceNames.labelsOf(config.installation(), id, member.location()));
        if (config.isArchive()) {
            wanted.setSnapshotType(config.snapshotType());
        }
        config.storageLocation().ifPresent(wanted::addStorageLocations);
        var requestId = UUID.randomUUID();
        var begun = attempts.until(() -> calls.insertSnapshot(wanted.build(), requestId));
        if (begun.isPresent()) {
            refuseFailed(id, begun.get());
            keep(operations, id, begun.get().name());
        }
    }

    /** Asked for, and not seen yet. */
    private boolean isBeingMade(SnapshotId id) throws ProviderException {
        var begun = forget(operations, id);
        if (begun.isEmpty()) {
            return false;
        }
        var operation = attempts.until(() -> calls.operation(begun.get()));
        if (operation.isEmpty()) {
            return false;
        }
        refuseFailed(id, operation.get());
        keep(operations, id, begun.get());
        return !operation.get().done();
    }

    private static void refuseFailed(SnapshotId id, CloudOperation operation) throws ProviderException {
        if (!operation.errorCode().isEmpty()) {
            throw GceFailures.exception("snapshots.insert for " + id, operation);
        }
    }

    /** Deletes what has FAILED, where nobody holds it, so that it can be made again while its instant is there. */
    private void makeRoom(SnapshotId id, Member member, CloudSnapshot failed) throws ProviderException {
        if (member.status().equals("READY") && GceNames.holdsIn(failed.labels()).isEmpty()) {
            var unused = attempts.until(() -> calls.deleteSnapshot(failed.name()));
        }
        throw new ProviderException(new ProviderError.Corrupt(
                id.toString(),
                "Google says that it has FAILED; its instant snapshot is" + " %s".formatted(member.status())));
    }

    private synchronized <T> void keep(Map<SnapshotId, T> kept, SnapshotId id, T what) {
        kept.remove(id);
        kept.put(id, what);
        if (kept.size() > KEPT_MAXIMUM) {
            kept.remove(kept.keySet().iterator().next());
        }
    }

    private synchronized <T> Optional<T> forget(Map<SnapshotId, T> kept, SnapshotId id) {
        return Optional.ofNullable(kept.remove(id));
    }
}
