package io.tidemark.simulation;

import io.tidemark.domain.LinkState;
import io.tidemark.domain.ReplicationLink.Role;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import java.util.Optional;

/** A target that is made the source, by its peer or without it, as in {@code agent.ReplicationServer}. */
abstract class TargetPromotions extends TargetSessions {
    /** Hand-over that its asker has given up. */
    private Optional<RecoveryPointId> withdrawn = Optional.empty();

    TargetPromotions(SimulatedHost host) {
        super(host);
    }

    /** What was received whole becomes a recovery point. */
    abstract void finishCommitted() throws ProviderException, ReplicationException;

    abstract boolean writtenByOthers() throws ProviderException;

    /** What was not received whole is dropped. */
    abstract void forgetLog();

    @Override
    void forget() {
        super.forget();
        withdrawn = Optional.empty();
    }

    /**
     * As {@code agent.ReplicationServer} answers whoever hands over, or asks who is the source.
     *
     * @param handed empty: asked only; else what this side must be in step with
     * @return why not; empty: this side is the source
     */
    final Optional<ReplicationError> reverse(Optional<RecoveryPointId> handed)
            throws ProviderException, ReplicationException {
        if (host.role == Role.SOURCE) {
            var refusal = confirm();
            if (refusal.isEmpty()) {
                world.checks.confirms(host);
            }
            return refusal;
        }
        if (handed.isEmpty()) {
            withdrawn = host.inStep;
            return Optional.of(new ReplicationError.PeerRefused("not-source", "nobody has promoted it"));
        }
        if (working().isPresent()) {
            return Optional.of(new ReplicationError.PeerRefused("in-work", "being received"));
        }
        finishCommitted();
        if (!host.inStep.equals(handed)) {
            return Optional.of(new ReplicationError.PeerRefused("not-in-step", "with " + host.inStep));
        }
        if (writtenByOthers()) {
            return Optional.of(new ReplicationError.TargetWritten(SimulatedHost.VOLUME, "it differs"));
        }
        if (isWithdrawn(handed.get())) {
            return Optional.of(new ReplicationError.PeerRefused("withdrawn", "given up"));
        }
        if (promote()) {
            world.checks.handedOver(host);
            return Optional.empty();
        }
        return Optional.of(new ReplicationError.PeerRefused("in-work", "being received"));
    }

    boolean isWithdrawn(RecoveryPointId handed) {
        return withdrawn.equals(Optional.of(handed));
    }

    /** Who hands over, or follows itself, may be the target soon. */
    Optional<ReplicationError> confirm() {
        boolean follows = host.reversal
                .request
                .filter(asked -> asked.mode() == SimulatedReversal.Mode.FOLLOW)
                .isPresent();
        return host.state == LinkState.HANDING_OVER || follows
                ? Optional.of(new ReplicationError.PeerRefused("in-work", "being handed over"))
                : Optional.empty();
    }

    /** As a server answers: what went wrong is a refusal. */
    final Optional<ReplicationError> asked(Optional<RecoveryPointId> handed) {
        try {
            return reverse(handed);
        } catch (ProviderException e) {
            return Optional.of(new ReplicationError.Storage(e.error()));
        } catch (ReplicationException e) {
            return Optional.of(e.error());
        }
    }

    /** Finishes what was received whole; false when something is in work. */
    final boolean settle() throws ProviderException, ReplicationException {
        if (working().isPresent()) {
            return false;
        }
        finishCommitted();
        return true;
    }

    /** Drops what was not received whole, then becomes the source, in one write. */
    final boolean promote() {
        if (!retire()) {
            return false;
        }
        forgetLog();
        world.mayCrash();
        host.become(Role.SOURCE);
        world.mayCrash();
        return true;
    }
}
