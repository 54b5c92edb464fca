package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.agent.TrackingAudits;
import io.tidemark.domain.TrackingAudit;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the audits of volumes' changed-range sources have found, and an operator's word that one may be trusted again. */
public final class ChangeTracking {
    private static final Logger log = LoggerFactory.getLogger(ChangeTracking.class);

    private final TrackingAudits audits;
    private final Providers providers;
    private final InstantSource clock;

    ChangeTracking(TrackingAudits audits, Providers providers, InstantSource clock) {
        this.audits = audits;
        this.providers = providers;
        this.clock = clock;
    }

    /** Of a volume that was never audited: nothing covered, nothing found. */
    public TrackingAudit of(VolumeId volume) throws ProviderException {
        providers.of(volume).volume(volume);
        return audits.find(volume).orElseGet(() -> TrackingAudit.begin(volume, Instant.EPOCH));
    }

    /** From now on its source is asked again, and audited from the volume's beginning. */
    public TrackingAudit trust(VolumeId volume) throws ProviderException {
        var known = of(volume);
        if (known.distrust().isEmpty()) {
            return known;
        }
        var now = clock.instant();
        var trusted = audits.change(
                volume,
                current -> new TrackingAudit(
                        volume, 0, now, now, current.map(TrackingAudit::epoch).orElse(0L) + 1, Optional.empty()));
        log.warn(
                "tracking.trusted_again volume={} found={}",
                volume,
                known.distrust().orElseThrow());
        return trusted;
    }

    /** Volumes whose source is not trusted now. */
    public int distrustedCount() {
        return audits.distrustedCount();
    }
}
