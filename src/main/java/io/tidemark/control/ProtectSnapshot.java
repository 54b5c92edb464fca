package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.control.document.SnapshotProtection;
import io.tidemark.spi.FastRestores;
import io.tidemark.spi.FastRestores.FastRestore;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecycleBin;
import io.tidemark.spi.RecycleBin.Binned;
import io.tidemark.spi.SnapshotArchives;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotLocks;
import io.tidemark.spi.SnapshotLocks.LockRequest;
import io.tidemark.spi.StorageProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the storage lock one snapshot, archive it, restore it fast, or bring it back. What takes the storage long is begun here
 * and looked at with {@link #of}: no thread waits for it, and a restart loses nothing of it.
 */
public final class ProtectSnapshot {
    private static final Logger log = LoggerFactory.getLogger(ProtectSnapshot.class);

    private final ControlPorts.Stores stores;
    private final Providers providers;
    private final Busy busy;

    ProtectSnapshot(ControlPorts.Stores stores, Providers providers, Busy busy) {
        this.stores = stores;
        this.providers = providers;
        this.busy = busy;
    }

    /** What there is of it; what cannot be asked is named, and keeps nobody from the rest. */
    public SnapshotProtection of(SnapshotId snapshot) throws ProviderException {
        var provider = providers.of(snapshot.volume());
        var untold = new ArrayList<String>();
        var lock = told(provider, SnapshotLocks.class, "lock", untold, each -> each.lockOf(snapshot))
                .flatMap(each -> each);
        var tier = told(provider, SnapshotArchives.class, "tier", untold, each -> each.tierOf(snapshot));
        List<FastRestore> fast = told(
                        provider, FastRestores.class, "fast restores", untold, each -> each.fastRestores(snapshot))
                .orElse(List.of());
        var cost = fast.isEmpty()
                ? Optional.<String>empty()
                : provider.ability(FastRestores.class).map(each -> each.fastRestoreCost(fast.size()));
        return new SnapshotProtection(lock, tier, fast, cost, untold);
    }

    private interface Question<A, T> {
        T ask(A ability) throws ProviderException;
    }

    private static <A, T> Optional<T> told(
            StorageProvider provider, Class<A> type, String what, List<String> untold, Question<A, T> question) {
        var ability = provider.ability(type);
        try {
            return ability.isEmpty() ? Optional.empty() : Optional.of(question.ask(ability.get()));
        } catch (ProviderException e) {
            untold.add("%s: %s".formatted(what, e.error().message()));
            return Optional.empty();
        }
    }

    /**
     * @throws ControlException InUse by an operation
     * @throws ProviderException SnapshotNotFound; Conflict where the storage has no locks, or not this one
     */
    public void lock(SnapshotId snapshot, LockRequest request) throws ControlException, ProviderException {
        var locks = ability(snapshot, SnapshotLocks.class, "its storage has no locks of snapshots");
        try (var held = changing(snapshot)) {
            var lock = locks.lock(snapshot, request);
            log.info("snapshot.locked snapshot={} mode={} until={}", snapshot, lock.mode(), lock.until());
        }
    }

    /** As {@link #lock}; does nothing where there is none. */
    public void unlock(SnapshotId snapshot) throws ControlException, ProviderException {
        var locks = ability(snapshot, SnapshotLocks.class, "its storage has no locks of snapshots");
        try (var held = changing(snapshot)) {
            locks.unlock(snapshot);
            log.info("snapshot.unlocked snapshot={}", snapshot);
        }
    }

    /**
     * Begins to move it into the archive.
     *
     * @throws ControlException InUse by an operation, or by a link that goes on from it
     * @throws ProviderException as {@link SnapshotArchives#archive}; Conflict where the storage has no archive
     */
    public void archive(SnapshotId snapshot) throws ControlException, ProviderException {
        var archives = ability(snapshot, SnapshotArchives.class, "its storage has no archive for snapshots");
        // An operation may be reading the recovery point.
        var point = snapshot.recoveryPoint();
        try (var held =
                busy.hold("snapshot", snapshot.toString(), List.of(Claim.alone(point), Claim.alone(snapshot)))) {
            for (var link : stores.links().all()) {
                boolean goesOn = link.localVolume().equals(snapshot.volume())
                        && link.inStep().filter(point::equals).isPresent();
                if (goesOn) {
                    throw new ControlException(
                            new ControlError.InUse("snapshot", snapshot.toString(), "link " + link.id()));
                }
            }
            archives.archive(snapshot);
            log.info("snapshot.archiving snapshot={}", snapshot);
        }
    }

    /**
     * Begins to fetch it back from the archive.
     *
     * @param days for how many; empty: for good
     * @throws ControlException InUse by an operation
     * @throws ProviderException as {@link SnapshotArchives#restore}; Conflict where the storage has no archive
     */
    public void restore(SnapshotId snapshot, Optional<Integer> days) throws ControlException, ProviderException {
        var archives = ability(snapshot, SnapshotArchives.class, "its storage has no archive for snapshots");
        try (var held = changing(snapshot)) {
            archives.restore(snapshot, days);
            log.info(
                    "snapshot.restoring snapshot={} days={}",
                    snapshot,
                    days.map(String::valueOf).orElse("for good"));
        }
    }

    /**
     * @throws ControlException InUse by an operation
     * @throws ProviderException as {@link FastRestores#setFastRestore}; Conflict where the storage has none
     */
    public void setFastRestore(SnapshotId snapshot, List<String> zones, boolean on)
            throws ControlException, ProviderException {
        var fast = ability(snapshot, FastRestores.class, "its storage has no fast restores");
        try (var held = changing(snapshot)) {
            var present = fast.setFastRestore(snapshot, zones, on);
            log.info("snapshot.fast_restore snapshot={} changed={} on={} zones={}", snapshot, zones, on, present);
        }
    }

    /**
     * What lies in a provider's recycle bin of ours.
     *
     * @throws ControlException Invalid where there is no such provider, or its storage has none
     */
    public List<Binned> binned(String provider) throws ControlException, ProviderException {
        var bin = providers.all().stream()
                .filter(each -> each.name().equals(provider))
                .findFirst()
                .flatMap(each -> each.ability(RecycleBin.class));
        if (bin.isEmpty()) {
            throw new ControlException(new ControlError.Invalid(
                    "provider", provider, "is no provider of this site whose storage has a recycle bin", binOwners()));
        }
        return bin.get().binned();
    }

    private String binOwners() {
        var names = providers.all().stream()
                .filter(each -> each.ability(RecycleBin.class).isPresent())
                .map(StorageProvider::name)
                .collect(Collectors.joining(", "));
        return names.isEmpty() ? "a provider of kind ebs, which this site has not" : "one of " + names;
    }

    /**
     * Brings one back out of the recycle bin. Of a recovery point that was deleted only the snapshot comes back: it is then no
     * member of any.
     *
     * @throws ControlException InUse by an operation
     * @throws ProviderException SnapshotNotFound; Conflict where the storage has no recycle bin
     */
    public void undelete(SnapshotId snapshot) throws ControlException, ProviderException {
        var bin = ability(snapshot, RecycleBin.class, "its storage has no recycle bin");
        try (var held = changing(snapshot)) {
            bin.undelete(snapshot);
            log.info("snapshot.undeleted snapshot={}", snapshot);
        }
    }

    /** Nobody deletes it meanwhile; who reads it may go on. */
    private Busy.Held changing(SnapshotId snapshot) throws ControlException {
        return busy.hold(
                "snapshot",
                snapshot.toString(),
                List.of(Claim.shared(snapshot.recoveryPoint()), Claim.alone(snapshot)));
    }

    private <T> T ability(SnapshotId snapshot, Class<T> type, String lacks) throws ProviderException {
        var provider = providers.of(snapshot.volume());
        return provider.ability(type)
                .orElseThrow(() -> new ProviderException(
                        new ProviderError.Conflict(snapshot.toString(), AbilityLack.of(provider, lacks))));
    }
}
