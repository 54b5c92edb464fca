package io.tidemark.agent;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.RecoveryPointPlan;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.RecoveryPointId;

/** Plans and takes recovery points of volumes on this host. */
public interface RecoveryPointTaker {

    /** Looks and decides; changes nothing. */
    RecoveryPointPlan plan(RecoveryPointId id, ConsistencyGroup group) throws ConsistencyException;

    /**
     * Freeze, cut, ask, thaw. The caller has written the id down before. When it throws, nothing is frozen and no
     * snapshot of the id is left, unless the storage refused to delete it: {@link #undo} may be asked again.
     */
    RecoveryPoint take(RecoveryPointPlan plan, ProgressListener listener) throws ConsistencyException;

    /** Deletes every snapshot that carries the id, on every provider; does nothing if there is none. */
    void undo(RecoveryPointId id) throws ConsistencyException;

    /** Thaws whatever a process before this one left frozen (its journal names it); called first at every start. */
    void sweepFreezes();
}
