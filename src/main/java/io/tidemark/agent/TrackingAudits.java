package io.tidemark.agent;

import io.tidemark.domain.TrackingAudit;
import io.tidemark.spi.VolumeId;
import java.util.Optional;

/** What is known of each volume's changed-range source beyond a restart; kept by the store. Durable on return. */
public interface TrackingAudits {

    /** Empty for a volume that was never audited. */
    Optional<TrackingAudit> find(VolumeId volume);

    /** Adds or replaces. */
    void save(TrackingAudit audit);

    /** Of a volume that is gone; does nothing when there is none. */
    void remove(VolumeId volume);

    /** Volumes whose source is not believed. */
    int distrustedCount();
}
