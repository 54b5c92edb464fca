package io.tidemark.agent;

import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps a volume as it is, before a link overwrites it: as a recovery point, held by the link. */
public final class KeptVolume {
    private static final Logger LOG = LoggerFactory.getLogger(KeptVolume.class);
    /** Of all kept contents; no user's group has recovery points that were not taken as one. */
    static final GroupId GROUP = new GroupId("kept");

    private final StorageProvider provider;
    private final SiteCatalog catalog;
    private final InstantSource clock;

    public KeptVolume(StorageProvider provider, SiteCatalog catalog, InstantSource clock) {
        this.provider = provider;
        this.catalog = catalog;
        this.clock = clock;
    }

    /**
     * Cuts, holds and records it; twice is once.
     *
     * @param kept of {@link io.tidemark.replication.KeptPoints}
     * @throws ProviderException OutOfSpace and others: then it is not kept
     */
    public void keep(LinkId link, VolumeId volume, RecoveryPointId kept) throws ProviderException {
        provider.cut(new CutRequest(kept, List.of(volume)));
        var snapshot = new SnapshotId(volume, kept);
        provider.hold(snapshot, new HoldOwner(link.value()));
        catalog.recordKept(recoveryPoint(link, kept, snapshot));
        LOG.info("volume.kept link={} volume={} recoveryPoint={}", link, volume, kept);
    }

    private RecoveryPoint recoveryPoint(LinkId link, RecoveryPointId kept, SnapshotId snapshot)
            throws ProviderException {
        var certificate = new Certificate(
                "",
                "",
                List.of(),
                List.of(),
                true,
                List.of("kept before link %s overwrote the volume; nothing was frozen".formatted(link)));
        long sizeBytes = provider.volume(snapshot.volume()).sizeBytes();
        return new RecoveryPoint(
                kept,
                GROUP,
                clock.instant(),
                Consistency.CRASH,
                certificate,
                List.of(new RecoveryPoint.Member(snapshot.volume(), snapshot, sizeBytes)),
                Map.of(),
                Optional.empty(),
                Optional.empty());
    }
}
