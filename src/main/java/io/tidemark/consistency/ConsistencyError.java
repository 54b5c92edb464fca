package io.tidemark.consistency;

import io.tidemark.domain.Consistency;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.Optional;

/** Why a recovery point could not be taken. Nothing stays frozen and no snapshot of it stays behind. */
public sealed interface ConsistencyError {
    /** One lower-case phrase without a full stop. */
    String message();

    record UnknownQuiescer(String kind, String known) implements ConsistencyError {
        @Override
        public String message() {
            return "quiescer kind %s is not known, known are %s".formatted(kind, known);
        }
    }

    record BadQuiescerSetting(String kind, String setting, String reason) implements ConsistencyError {
        @Override
        public String message() {
            return "setting %s of quiescer %s %s".formatted(setting, kind, reason);
        }
    }

    /** The plan cannot reach what the group requires; nothing was frozen. */
    record NotAchievable(Consistency required, Consistency achievable, String reason) implements ConsistencyError {
        @Override
        public String message() {
            return "required consistency %s cannot be reached, %s can: %s".formatted(required, achievable, reason);
        }
    }

    /** The storage predicts a cut longer than the group's freeze limit; nothing was frozen. */
    record CutTooLong(Duration predicted, Duration limit, String reason) implements ConsistencyError {
        @Override
        public String message() {
            return "cut is predicted to take %d ms, the freeze limit is %d ms: %s"
                    .formatted(predicted.toMillis(), limit.toMillis(), reason);
        }
    }

    /** So much is being written that a freeze, which writes it out too, would not fit its limit; nothing was frozen. */
    record WriteOutTooLong(Duration took, Duration limit) implements ConsistencyError {
        @Override
        public String message() {
            return "writing out what is dirty still took %d ms, more than a quarter of the freeze limit of %d ms"
                    .formatted(took.toMillis(), limit.toMillis());
        }
    }

    /** Freezing this file system would freeze Tidemark itself; refused at plan time. */
    record StandsOnIt(String mountPoint, String reason) implements ConsistencyError {
        @Override
        public String message() {
            return "file system %s must not be frozen: %s".formatted(mountPoint, reason);
        }
    }

    record FreezeFailed(String kind, String subject, String reason) implements ConsistencyError {
        @Override
        public String message() {
            return "%s %s could not be frozen: %s".formatted(kind, subject, reason);
        }
    }

    /**
     * It was taken, achieved less than the group requires, and was deleted again.
     *
     * @param achieved empty: not even that of a crash
     */
    record NotAchieved(Consistency required, Optional<Consistency> achieved, String reason)
            implements ConsistencyError {
        @Override
        public String message() {
            return "required consistency %s was not achieved, %s was: %s"
                    .formatted(required, achieved.map(Consistency::name).orElse("none"), reason);
        }
    }

    record VolumeUnknown(VolumeId volume) implements ConsistencyError {
        @Override
        public String message() {
            return "volume %s of the group does not exist".formatted(volume);
        }
    }

    /** Its user stopped it before anything was cut, or while it was being taken; nothing is left of it. */
    record Cancelled(RecoveryPointId recoveryPoint) implements ConsistencyError {
        @Override
        public String message() {
            return "recovery point %s was cancelled".formatted(recoveryPoint);
        }
    }

    /** The hosts of a group were not all frozen, or not all cut, in time; each has thawed and deleted what it had. */
    record NotTogether(String reason) implements ConsistencyError {
        @Override
        public String message() {
            return "hosts were not cut together: " + reason;
        }
    }

    /** Nothing is frozen there for longer than the limit, and it deletes what it had. */
    record AgentUnreachable(String agent, String reason) implements ConsistencyError {
        @Override
        public String message() {
            return "agent %s cannot be reached: %s".formatted(agent, reason);
        }
    }

    record Storage(ProviderError error) implements ConsistencyError {
        @Override
        public String message() {
            return error.message();
        }
    }
}
