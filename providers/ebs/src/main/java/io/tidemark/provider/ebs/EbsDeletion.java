package io.tidemark.provider.ebs;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.Step;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Deletes what carries a snapshot's tags, all of it. What may yet appear is waited for: one whose creation was not answered,
 * and, for as long after a start, any that is not seen, for the process before may have asked for it.
 */
final class EbsDeletion {
    private static final Duration ASK_AGAIN = Duration.ofSeconds(15);

    private final Ec2Calls ec2;
    private final ProtectionCalls protection;
    private final Attempts attempts;
    private final SnapshotFinder finder;
    private final RecentEffects recent;
    private final InstantSource clock;

    EbsDeletion(
            Ec2Calls ec2,
            ProtectionCalls protection,
            Attempts attempts,
            SnapshotFinder finder,
            RecentEffects recent,
            InstantSource clock) {
        this.ec2 = ec2;
        this.protection = protection;
        this.attempts = attempts;
        this.finder = finder;
        this.recent = recent;
        this.clock = clock;
    }

    /** @param mayAppearUntil when one that is not seen does not exist, as an earlier step knew it */
    Step<Boolean> step(SnapshotId snapshot, Instant mayAppearUntil) throws ProviderException {
        return step(snapshot, mayAppearUntil, unheld(snapshot));
    }

    /**
     * As {@link #step}, of which one that chains lie on stays, without its recovery point, until none does.
     *
     * @param mayAppearUntil {@link Instant#MIN}: what is not seen does not exist, for it was asked for with a token
     */
    Step<Boolean> ofChains(SnapshotId snapshot, Instant mayAppearUntil, ChainVolumes chains) throws ProviderException {
        var found = unheld(snapshot);
        var others = new ArrayList<CloudSnapshot>();
        for (var each : found) {
            if (each.chainNumber().isPresent() && chains.isBase(each.id())) {
                // Amazon is not asked to delete it, and would take the tag off a locked one.
                refuseLockedBase(snapshot, each);
            }
            if (each.chainNumber().isPresent() && chains.keepsAsBase(each.id())) {
                ec2.untag(each.id(), EbsNames.RECOVERY_POINT);
                recent.tagged(each.id(), EbsNames.RECOVERY_POINT, Optional.empty());
            } else {
                others.add(each);
            }
        }
        boolean kept = others.size() < found.size();
        if (others.isEmpty() && (kept || mayAppearUntil.equals(Instant.MIN))) {
            return new Step.Done<>(true);
        }
        return step(snapshot, mayAppearUntil, others);
    }

    private List<CloudSnapshot> unheld(SnapshotId snapshot) throws ProviderException {
        var found = finder.all(snapshot);
        for (var each : found) {
            var holds = SnapshotFinder.holdsOf(each);
            if (!holds.isEmpty()) {
                throw new ProviderException(new ProviderError.Held(snapshot, holds));
            }
        }
        return found;
    }

    private Step<Boolean> step(SnapshotId snapshot, Instant mayAppearUntil, List<CloudSnapshot> found)
            throws ProviderException {
        boolean unknown = false;
        for (var each : found) {
            if (isDeleted(snapshot, each) || !recent.isMade(each.id())) {
                recent.deleted(each.id());
            } else {
                // Made a moment ago, and whoever was asked does not know it yet.
                unknown = true;
            }
        }
        if (!found.isEmpty() && !unknown) {
            recent.certain(snapshot);
            recent.gone(snapshot);
            return new Step.Done<>(true);
        }
        var until =
                recent.mayAppearUntil(snapshot).filter(mayAppearUntil::isBefore).orElse(mayAppearUntil);
        return unknown || clock.instant().isBefore(until)
                ? new Step.Running<>(EbsHandles.ofDelete(snapshot, until), 0, ASK_AGAIN)
                : new Step.Done<>(true);
    }

    /** @return false where Amazon knows none such */
    private boolean isDeleted(SnapshotId snapshot, CloudSnapshot each) throws ProviderException {
        try {
            return attempts.until(() -> ec2.deleteSnapshot(each.id()));
        } catch (ProviderException e) {
            if (e.error() instanceof ProviderError.Conflict || e.error() instanceof ProviderError.Unexpected) {
                explain(snapshot, each, e);
            }
            throw e;
        }
    }

    /** Says more than Amazon's refusal does where it is a lock; what cannot be asked leaves the refusal as it is. */
    private void explain(SnapshotId snapshot, CloudSnapshot each, ProviderException refusal) throws ProviderException {
        try {
            refuseLocked(snapshot, each);
        } catch (ProviderException e) {
            if (e.error() instanceof ProviderError.Conflict) {
                throw e;
            }
            refusal.addSuppressed(e);
        }
    }

    /** Where nobody may ask it goes on: its bytes stay in any case, as long as it is locked. */
    private void refuseLockedBase(SnapshotId snapshot, CloudSnapshot base) throws ProviderException {
        try {
            refuseLocked(snapshot, base);
        } catch (ProviderException e) {
            if (!(e.error() instanceof ProviderError.Denied)) {
                throw e;
            }
        }
    }

    private void refuseLocked(SnapshotId snapshot, CloudSnapshot each) throws ProviderException {
        var lock = protection.lockOf(each.id());
        if (lock.isPresent()) {
            throw new ProviderException(new ProviderError.Conflict(
                    snapshot.toString(),
                    "%s is %s".formatted(each.id(), lock.get().phrase())));
        }
    }

    /** What a cut made of volumes that nobody asked for. What cannot be deleted now is tried again at the next call. */
    void unasked() {
        for (var each : recent.takeUnasked()) {
            try {
                if (ec2.deleteSnapshot(each)) {
                    recent.deleted(each);
                } else {
                    recent.unasked(each);
                }
            } catch (ProviderException e) {
                recent.unasked(each);
            }
        }
    }
}
