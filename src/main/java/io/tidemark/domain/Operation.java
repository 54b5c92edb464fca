package io.tidemark.domain;

import java.time.Instant;
import java.util.Optional;

/**
 * One asynchronous request with state, progress and result.
 *
 * @param kind {@code recovery-point}, {@code sync}, {@code verify}, {@code clone}, {@code rollback}, {@code snapshot}
 * @param subject id of what it acts on
 * @param requestJson what was asked, whole: enough to finish or undo it after a restart
 * @param step name of the last step that was written down
 * @param progress of the current step, for people
 * @param resultJson once {@code SUCCEEDED}
 * @param problemJson once {@code FAILED}: an RFC 9457 document
 */
public record Operation(
        OperationId id,
        String kind,
        String subject,
        State state,
        String requestJson,
        String step,
        Progress progress,
        Optional<String> resultJson,
        Optional<String> problemJson,
        Instant createdAt,
        Instant updatedAt) {

    public enum State {
        PENDING,
        RUNNING,
        SUCCEEDED,
        FAILED,
        CANCELLED;

        public boolean ended() {
            return this == SUCCEEDED || this == FAILED || this == CANCELLED;
        }
    }

    /** @param totalUnits 0 when not known yet */
    public record Progress(String phase, long doneUnits, long totalUnits, String unit) {
        public static final Progress NONE = new Progress("", 0, 0, "");
    }
}
