package io.tidemark.control;

import io.tidemark.domain.LinkId;
import io.tidemark.domain.OperationId;
import io.tidemark.spi.Capability;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.List;

/** Why a request was not carried out. Nothing was changed, but where a case says otherwise. */
public sealed interface ControlError {
    /** One lower-case phrase without a full stop. */
    String message();

    /** @param kind the noun: {@code group}, {@code recovery point} */
    record NotFound(String kind, String id) implements ControlError {
        @Override
        public String message() {
            return "%s %s does not exist".formatted(kind, id);
        }
    }

    record AlreadyExists(String kind, String id) implements ControlError {
        @Override
        public String message() {
            return "%s %s exists already".formatted(kind, id);
        }
    }

    /** @param allowed what would have been right */
    record Invalid(String field, String value, String reason, String allowed) implements ControlError {
        @Override
        public String message() {
            return "%s %s".formatted(field, reason);
        }
    }

    /** Something else needs it. */
    record InUse(String kind, String id, String by) implements ControlError {
        @Override
        public String message() {
            return "%s %s is needed by %s".formatted(kind, id, by);
        }
    }

    /** Its deletion was begun; it is shown no more, and comes back never. */
    record BeingDeleted(String kind, String id) implements ControlError {
        @Override
        public String message() {
            return "%s %s is being deleted; that goes on by itself until it is gone".formatted(kind, id);
        }
    }

    /**
     * Someone writes to a volume that was said to be written no more.
     *
     * @param trace how it is known
     */
    record VolumeWritten(VolumeId volume, RecoveryPointId since, String trace) implements ControlError {
        @Override
        public String message() {
            return "volume %s was written after %s was taken as its last recovery point: %s"
                    .formatted(volume, since, trace);
        }
    }

    /** @param wanted what was asked, as a verb: {@code synchronise} */
    record LinkState(LinkId link, io.tidemark.domain.LinkState state, String wanted) implements ControlError {
        @Override
        public String message() {
            return "link %s is %s and does not %s".formatted(link, state, wanted);
        }
    }

    /**
     * A copy of a volume that is replicated live does not do what was asked.
     *
     * @param wanted what was asked, as a verb: {@code promote}
     */
    record LiveRefused(LinkId link, String wanted, String reason) implements OfLive {
        @Override
        public String message() {
            return "live link %s does not %s: %s".formatted(link, wanted, reason);
        }
    }

    /** What the site keeps of a live link cannot be read: any volume of this host may be the one that it replicates. */
    record LiveUnread(LinkId link, String folder, String reason) implements OfLive {
        @Override
        public String message() {
            return "which volume live link %s replicates is not known, for %s cannot be read: %s"
                    .formatted(link, folder, reason);
        }
    }

    /** What only live links meet. */
    sealed interface OfLive extends ControlError {}

    /** The volume's storage cannot do what was asked. */
    record Unsupported(VolumeId volume, Capability capability) implements ControlError {
        @Override
        public String message() {
            return "volume %s lacks the capability %s".formatted(volume, capability);
        }
    }

    /** The key was used for another request. */
    record IdempotencyMismatch(String key) implements ControlError {
        @Override
        public String message() {
            return "idempotency key %s was used with another request".formatted(key);
        }
    }

    /** The first request with this key has not been answered yet. */
    record IdempotencyInFlight(String key, Duration retryAfter) implements ControlError {
        @Override
        public String message() {
            return "the first request with idempotency key %s is still acting".formatted(key);
        }
    }

    /** The answer held a secret, which is not kept. */
    record ShownOnce(String key) implements ControlError {
        @Override
        public String message() {
            return "the answer to the request with idempotency key %s held a secret and was shown once".formatted(key);
        }
    }

    /** Each of them looks at its storage every few seconds. */
    record TooManyDeferred(int limit) implements OfRollback {
        @Override
        public String message() {
            return "%d rollbacks wait already until their volumes are closed".formatted(limit);
        }
    }

    record TooManyOperations(int limit, Duration retryAfter) implements ControlError {
        @Override
        public String message() {
            return "%d operations are waiting already".formatted(limit);
        }
    }

    /** The process ended in the middle; what the operation had made was undone. */
    record Interrupted(OperationId operation, String kind) implements ControlError {
        @Override
        public String message() {
            return "%s operation %s was interrupted by the end of the process and undone".formatted(kind, operation);
        }
    }

    /** It ended as its user asked; what it had made was undone. */
    record Cancelled(OperationId operation) implements ControlError {
        @Override
        public String message() {
            return "operation %s was cancelled by request".formatted(operation);
        }
    }

    record AlreadyEnded(OperationId operation, String state) implements ControlError {
        @Override
        public String message() {
            return "operation %s has ended already: %s".formatted(operation, state);
        }
    }

    /** The storage answered that the work goes on, for longer than anything may take. */
    record StepTooLong(String object, Duration limit) implements ControlError {
        @Override
        public String message() {
            return "storage has worked on %s for more than %d s".formatted(object, limit.toSeconds());
        }
    }

    /**
     * An agent stayed away, or whoever asked would wait no longer, while it was asked for something.
     *
     * @param object what it was asked for: a clone, a creation, as a phrase
     * @param reason why no more is waited for it
     */
    record AgentAway(String agent, String object, String reason) implements ControlError {
        @Override
        public String message() {
            return "agent %s cannot be asked, and whether it goes on with the %s is not known: %s"
                    .formatted(agent, object, reason);
        }
    }

    /** What was cancelled has left something at its storage. */
    sealed interface LeftBehind extends ControlError {}

    /**
     * A copy of a snapshot was cancelled and may be there all the same, or be under way.
     *
     * @param reason why it is not known to be gone
     */
    record CopyLeft(SnapshotId copy, String reason) implements LeftBehind {
        @Override
        public String message() {
            return "copy %s may be left at %s: %s".formatted(copy, copy.volume().provider(), reason);
        }
    }

    /**
     * A start or stop of replication by the storage itself is followed no more, as its user asked.
     *
     * @param action as a verb: {@code start}
     */
    record LeftToStorage(VolumeId volume, String action) implements LeftBehind {
        @Override
        public String message() {
            return "whether the storage of %s goes on to %s its replication is not known: it is followed no more"
                    .formatted(volume, action);
        }
    }

    /** What only a rollback meets. */
    sealed interface OfRollback extends ControlError {}

    /**
     * A rollback that was to wait for open volumes gave up; no volume was rolled back.
     *
     * @param obstacle what it waited for, as a phrase
     */
    record NotClosed(String obstacle, Duration limit) implements OfRollback {
        @Override
        public String message() {
            return "rollback %s, for %d days now".formatted(obstacle, limit.toDays());
        }
    }

    /**
     * A rollback ended between two volumes of a recovery point: they are of two times.
     *
     * @param reason why it did not go on
     */
    record PartlyRolledBack(RecoveryPointId point, List<VolumeId> rolledBack, List<VolumeId> left, String reason)
            implements OfRollback {
        public PartlyRolledBack {
            rolledBack = List.copyOf(rolledBack);
            left = List.copyOf(left);
        }

        @Override
        public String message() {
            return "of recovery point %s %s %s rolled back and %s not: %s"
                    .formatted(point, rolledBack, rolledBack.size() == 1 ? "is" : "are", left, reason);
        }
    }

    /**
     * A rollback was asked of an agent that cannot say whether it was begun.
     *
     * @param reason why it cannot, as a phrase
     */
    record RollbackUntold(RecoveryPointId point, VolumeId volume, String reason) implements OfRollback {
        @Override
        public String message() {
            return "whether volume %s is rolled back to %s is not known: %s".formatted(volume, point, reason);
        }
    }

    /** The process died in a rollback, and somebody has opened the volume before the next start could end it. */
    record RollbackUnknown(RecoveryPointId point, VolumeId volume) implements OfRollback {
        @Override
        public String message() {
            return "whether volume %s is rolled back to %s is not known: the process ended meanwhile, and the volume is open"
                    .formatted(volume, point);
        }
    }

    /** The site is being stopped and takes no new work. */
    record Stopping() implements ControlError {
        @Override
        public String message() {
            return "the site is stopping";
        }
    }
}
