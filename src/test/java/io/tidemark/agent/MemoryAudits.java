package io.tidemark.agent;

import io.tidemark.domain.LinkId;
import io.tidemark.domain.TrackingAudit;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/** Audits of one site, in memory. */
final class MemoryAudits implements TrackingAudits {
    final Map<VolumeId, TrackingAudit> audits = new HashMap<>();
    private final Map<LinkId, Map.Entry<RecoveryPointId, Long>> transfers = new HashMap<>();
    Runnable beforeChange = () -> {};

    @Override
    public Optional<TrackingAudit> find(VolumeId volume) {
        return Optional.ofNullable(audits.get(volume));
    }

    @Override
    public TrackingAudit change(VolumeId volume, Function<Optional<TrackingAudit>, TrackingAudit> change) {
        var before = beforeChange;
        beforeChange = () -> {};
        before.run();
        var changed = change.apply(find(volume));
        audits.put(volume, changed);
        return changed;
    }

    @Override
    public void remove(VolumeId volume) {
        audits.remove(volume);
    }

    @Override
    public int distrustedCount() {
        return (int) audits.values().stream()
                .filter(audit -> audit.distrust().isPresent())
                .count();
    }

    @Override
    public void transferBegan(LinkId link, RecoveryPointId point, long epoch) {
        transfers.put(link, Map.entry(point, epoch));
    }

    @Override
    public OptionalLong transferEpoch(LinkId link, RecoveryPointId point) {
        var transfer = transfers.get(link);
        return transfer == null || !transfer.getKey().equals(point)
                ? OptionalLong.empty()
                : OptionalLong.of(transfer.getValue());
    }
}
