package io.tidemark.replication;

import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a target finds when it looks at itself, before it answers an offer.
 *
 * @param points recovery points that have a snapshot of the volume here
 * @param inStep newest recovery point that came over this link, as recorded
 * @param written how it is known that the volume is not what its newest recovery point says; empty: it is
 * @param log an interrupted transfer of this link
 * @param overruled recovery points that an operator's resync has set aside: they do not make the target diverge
 */
public record TargetView(
        VolumeId volume,
        long volumeBytes,
        List<RecoveryPointId> points,
        Optional<RecoveryPointId> inStep,
        Optional<String> written,
        Optional<LogView> log,
        Set<RecoveryPointId> overruled) {

    public TargetView {
        points = List.copyOf(points);
        overruled = Set.copyOf(overruled);
    }

    /** Nothing was ever overruled. */
    public TargetView(
            VolumeId volume,
            long volumeBytes,
            List<RecoveryPointId> points,
            Optional<RecoveryPointId> inStep,
            Optional<String> written,
            Optional<LogView> log) {
        this(volume, volumeBytes, points, inStep, written, log, Set.of());
    }

    /**
     * @param direct whether blocks went straight to the volume, which has no recovery point yet
     * @param totals what of it is durable
     */
    public record LogView(
            RecoveryPointId point,
            Optional<RecoveryPointId> base,
            long volumeBytes,
            boolean direct,
            IngestTotals totals) {}

    /** The recovery point whose content the volume has. */
    public Optional<RecoveryPointId> stands() {
        return inStep.filter(points::contains).or(() -> points.stream().max(RecoveryPointId::compareTo));
    }
}
