package io.tidemark.control.port;

import io.tidemark.domain.Operation;
import io.tidemark.domain.OperationId;
import io.tidemark.spi.RecoveryPointId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Keeps operations: each is here before it acts. */
public interface OperationStore {
    /**
     * @param makes id that everything it makes on the storage carries
     * @return false when there is one of that id; nothing changed then
     */
    boolean add(Operation operation, Optional<RecoveryPointId> makes);

    void update(Operation operation);

    Optional<Operation> find(OperationId id);

    /** Newest first, older than {@code before}. */
    Page<Operation> page(Optional<String> kind, Optional<Operation.State> state, OptionalLong before, int limit);

    /** Those that have not ended, oldest first. */
    List<Operation> unfinished();

    /** The operation that makes, or made, the snapshots with this id. */
    Optional<Operation> makerOf(RecoveryPointId id);

    /** Of operations that ended without success since then, what they may have made; oldest end first. */
    List<MayHaveMade> unsuccessfulSince(Instant time);

    /** @param endedAt when the operation ended that was to make it */
    record MayHaveMade(RecoveryPointId id, Instant endedAt) {}

    /** Forgets ended operations that were last changed before. */
    int forgetEndedBefore(Instant time);
}
