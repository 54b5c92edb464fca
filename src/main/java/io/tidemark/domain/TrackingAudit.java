package io.tidemark.domain;

import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.time.Instant;
import java.util.Optional;

/**
 * How far the answers of a volume's changed-range source have been audited, and whether they are still believed.
 *
 * @param throughBytes what the round in work has covered, from the beginning of the volume
 * @param movedAt when the last window was covered
 * @param roundStartedAt when the round in work began
 * @param epoch how often the source was caught or trusted again; what was named in another one is not built on
 * @param distrust what the source left out; while present, every change is looked for in full
 */
public record TrackingAudit(
        VolumeId volume,
        long throughBytes,
        Instant movedAt,
        Instant roundStartedAt,
        long epoch,
        Optional<Distrust> distrust) {

    /** Of a volume that was not audited before: nothing is covered, nothing was found. */
    public static TrackingAudit begin(VolumeId volume, Instant now) {
        return new TrackingAudit(volume, 0, now, now, 0, Optional.empty());
    }

    /**
     * A changed block that the source called unchanged.
     *
     * @param source {@code btrfs-send}, {@code fiemap}
     * @param older the two recovery points that were compared
     * @param offsetBytes first byte of the run of blocks that was left out
     */
    public record Distrust(
            String source,
            RecoveryPointId older,
            RecoveryPointId newer,
            long offsetBytes,
            long lengthBytes,
            Instant foundAt) {}
}
