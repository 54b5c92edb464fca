package io.tidemark.site;

import io.tidemark.spi.FastRestores;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecycleBin;
import io.tidemark.spi.SnapshotArchives;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotLocks;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** A storage's locks, archive, fast restores and recycle bin, in memory; what is begun stays under way. */
public final class Protections implements SnapshotLocks, SnapshotArchives, FastRestores, RecycleBin {
    public final Map<SnapshotId, SnapshotLock> locks = new ConcurrentHashMap<>();
    private final Map<SnapshotId, Tier> tiers = new ConcurrentHashMap<>();
    private final Map<SnapshotId, List<FastRestore>> fast = new ConcurrentHashMap<>();

    /** Of snapshots whose deletion was asked for. */
    public final List<SnapshotId> deletions = new ArrayList<>();

    /** How the storage brings one back. */
    public volatile Undeletion undeletion = snapshot -> {};

    /** Brings one back out of the recycle bin. */
    public interface Undeletion {
        void of(SnapshotId snapshot) throws ProviderException;
    }

    /** What is told in place of locks. */
    public volatile Optional<ProviderError> lockUntold = Optional.empty();

    /** As the storage does, whatever it tells of its locks. */
    void refuseLocked(SnapshotId snapshot) throws ProviderException {
        deletions.add(snapshot);
        if (locks.containsKey(snapshot)) {
            throw new ProviderException(new ProviderError.Conflict(snapshot.toString(), "the storage has it locked"));
        }
    }

    @Override
    public Optional<SnapshotLock> lockOf(SnapshotId snapshot) throws ProviderException {
        if (lockUntold.isPresent()) {
            throw new ProviderException(lockUntold.get());
        }
        return Optional.ofNullable(locks.get(snapshot));
    }

    @Override
    public SnapshotLock lock(SnapshotId snapshot, LockRequest request) {
        var fixed = request.mode() == LockMode.COMPLIANCE ? Optional.of(Instant.EPOCH) : Optional.<Instant>empty();
        var lock = new SnapshotLock(request.mode(), request.until(), fixed);
        locks.put(snapshot, lock);
        return lock;
    }

    @Override
    public void unlock(SnapshotId snapshot) {
        locks.remove(snapshot);
    }

    @Override
    public TierState tierOf(SnapshotId snapshot) {
        return new TierState(tiers.getOrDefault(snapshot, Tier.STANDARD), 0.5, Optional.empty(), Optional.empty());
    }

    @Override
    public TierState archive(SnapshotId snapshot) {
        tiers.put(snapshot, Tier.ARCHIVING);
        return tierOf(snapshot);
    }

    @Override
    public TierState restore(SnapshotId snapshot, Optional<Integer> days) {
        tiers.put(snapshot, days.isPresent() ? Tier.RESTORING : Tier.STANDARD);
        return tierOf(snapshot);
    }

    @Override
    public List<FastRestore> fastRestores(SnapshotId snapshot) {
        return fast.getOrDefault(snapshot, List.of());
    }

    @Override
    public List<FastRestore> setFastRestore(SnapshotId snapshot, List<String> zones, boolean on) {
        var state = on ? FastState.PREPARING : FastState.ENDING;
        fast.put(
                snapshot,
                zones.stream().map(zone -> new FastRestore(zone, state)).toList());
        return fastRestores(snapshot);
    }

    @Override
    public String fastRestoreCost(int zones) {
        return "%d an hour".formatted(zones);
    }

    @Override
    public List<Binned> binned() {
        return deletions.stream()
                .map(each -> new Binned(each, Instant.EPOCH, Optional.of(Instant.EPOCH)))
                .toList();
    }

    @Override
    public void undelete(SnapshotId snapshot) throws ProviderException {
        if (!deletions.contains(snapshot)) {
            throw new ProviderException(new ProviderError.SnapshotNotFound(snapshot));
        }
        undeletion.of(snapshot);
    }
}
