package io.tidemark.control.port;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Keeps recovery points, in the order in which they came to be known here; clocks play no part. */
public interface RecoveryPointStore {
    /** Adding one that is there already changes nothing. */
    void add(RecoveryPoint point);

    /** Those being deleted are not found. */
    Optional<RecoveryPoint> find(RecoveryPointId id);

    /** Whether it is known at all, those being deleted too. */
    boolean knows(RecoveryPointId id);

    /** Newest first, older than {@code before}. */
    Page<RecoveryPoint> page(Optional<GroupId> group, OptionalLong before, int limit);

    /** All with a snapshot of the volume, newest first. */
    List<RecoveryPoint> ofVolume(VolumeId volume);

    /** The newest with a snapshot of the volume that came over a link. */
    Optional<RecoveryPointId> newestReceived(VolumeId volume);

    /** Written down before the first of its snapshots is deleted. */
    void markDeleting(RecoveryPointId id, boolean deleting);

    /** Those whose deletion has begun. */
    List<RecoveryPoint> deleting();

    void remove(RecoveryPointId id);
}
