package io.tidemark.agent;

import io.tidemark.domain.LinkId;
import io.tidemark.domain.TrackingAudit;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/** What is known of each volume's changed-range source beyond a restart; kept by the store. Durable on return. */
public interface TrackingAudits {

    /** Empty for a volume that was never audited. */
    Optional<TrackingAudit> find(VolumeId volume);

    /**
     * Replaces what is known by what the function makes of it, in one transaction: several links may synchronise one
     * volume at once.
     *
     * @return what is known now
     */
    TrackingAudit change(VolumeId volume, Function<Optional<TrackingAudit>, TrackingAudit> change);

    /** Of a volume that is gone; does nothing when there is none. */
    void remove(VolumeId volume);

    /** Volumes whose source is not believed. */
    int distrustedCount();

    /** A transfer of the recovery point began from its beginning; replaces what was kept of an older one of the link. */
    void transferBegan(LinkId link, RecoveryPointId point, long epoch);

    /** The epoch in which the link's transfer of that recovery point began; empty when its last was of another one. */
    OptionalLong transferEpoch(LinkId link, RecoveryPointId point);
}
