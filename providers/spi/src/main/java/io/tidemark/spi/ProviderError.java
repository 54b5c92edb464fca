package io.tidemark.spi;

import java.time.Duration;
import java.util.Set;

/**
 * Everything that can go wrong at a storage provider and that a caller may act upon. Closed on purpose: a new case
 * makes every {@code switch} over it fail to compile until someone has decided status, retry and advice.
 */
public sealed interface ProviderError {

    /** One lower-case phrase without a full stop; names the object and the limit that was hit. */
    String message();

    /** Whether the same call can succeed later without anyone doing anything else. */
    default boolean retryable() {
        return false;
    }

    record VolumeNotFound(VolumeId volume) implements ProviderError {
        @Override
        public String message() {
            return "volume %s does not exist".formatted(volume);
        }
    }

    record VolumeExists(VolumeId volume) implements ProviderError {
        @Override
        public String message() {
            return "volume %s exists already".formatted(volume);
        }
    }

    record SnapshotNotFound(SnapshotId snapshot) implements ProviderError {
        @Override
        public String message() {
            return "snapshot %s does not exist".formatted(snapshot);
        }
    }

    /**
     * The storage has no room; nothing was changed.
     *
     * @param neededBytes 0 where the storage did not say how much it has and needs
     */
    record OutOfSpace(String object, long freeBytes, long neededBytes) implements ProviderError {
        @Override
        public String message() {
            if (neededBytes == 0) {
                return "storage of %s has no room".formatted(object);
            }
            return "storage of %s has %d bytes free, %d needed".formatted(object, freeBytes, neededBytes);
        }
    }

    /** Someone else holds the object; the same call may succeed later. */
    record Busy(String object, String holder, Duration retryAfter) implements ProviderError {
        @Override
        public String message() {
            return "%s is in use by %s".formatted(object, holder);
        }

        @Override
        public boolean retryable() {
            return true;
        }
    }

    /** A hold keeps the snapshot from being deleted. */
    record Held(SnapshotId snapshot, Set<HoldOwner> owners) implements ProviderError {
        public Held {
            owners = Set.copyOf(owners);
        }

        @Override
        public String message() {
            return "snapshot %s is held by %s".formatted(snapshot, owners);
        }
    }

    /** A rollback would destroy newer snapshots, or a volume cannot be changed in its present use. */
    record Conflict(String object, String reason) implements ProviderError {
        @Override
        public String message() {
            return "%s: %s".formatted(object, reason);
        }
    }

    /** The host or the account lacks a right. */
    record Denied(String object, String right) implements ProviderError {
        @Override
        public String message() {
            return "%s needs %s".formatted(object, right);
        }
    }

    /** A snapshot or record failed its own check; it is not used. */
    record Corrupt(String object, String evidence) implements ProviderError {
        @Override
        public String message() {
            return "%s is damaged: %s".formatted(object, evidence);
        }
    }

    /** The host that has the storage does not answer; what was asked of it last may have been done. */
    record Unreachable(String object, String reason) implements ProviderError {
        @Override
        public String message() {
            return "%s cannot be reached: %s".formatted(object, reason);
        }

        @Override
        public boolean retryable() {
            return true;
        }
    }

    /** The storage's tool or API answered something this version does not understand. */
    record Unexpected(String operation, String answer) implements ProviderError {
        @Override
        public String message() {
            return "%s answered: %s".formatted(operation, answer);
        }
    }
}
