package io.tidemark.live;

import io.tidemark.agent.KeptVolume;
import io.tidemark.control.port.LiveHost;
import io.tidemark.replication.KeptPoints;
import io.tidemark.spi.Capability;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Snapshots of a copy that a resync overwrites: made before it, gone after it, but where they are to stay. */
final class KeptSnapshots {
    private static final Logger LOG = LoggerFactory.getLogger(KeptSnapshots.class);
    /** Until it works: without what it was, a copy is not overwritten. */
    private static final Duration AGAIN = Duration.ofSeconds(10);

    private final LiveHostParts host;
    private final LiveHost.Link link;
    private final Discard discard;

    /** Deletes a recovery point that nobody needs any more. */
    interface Discard {
        void discard(RecoveryPointId point) throws Exception;
    }

    KeptSnapshots(LiveHostParts host, LiveHost.Link link, Discard discard) {
        this.host = host;
        this.link = link;
        this.discard = discard;
    }

    /**
     * What the next is to be called; empty where it is not to be made: a copy of all the volume's bytes is only made of
     * what somebody gives up knowingly.
     */
    Optional<RecoveryPointId> next(boolean isForGood) throws IOException {
        try {
            var volume = host.providers().of(link.localVolume()).volume(link.localVolume());
            if (!volume.can(Capability.INSTANT_SNAPSHOT) && !isForGood) {
                LOG.warn(
                        "live.not_kept link={} volume={} reason=its storage would copy all of it",
                        link.id(),
                        volume.id());
                return Optional.empty();
            }
            var offered = new RecoveryPointId("rp-" + link.id().value().substring("ln-".length()));
            var points = host.providers().snapshotsOf(volume.id()).stream()
                    .map(each -> each.id().recoveryPoint())
                    .toList();
            return Optional.of(KeptPoints.next(KeptPoints.earlier(points, offered), offered));
        } catch (ProviderException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /** Returns once there is one; nothing is overwritten before. */
    void keep(RecoveryPointId point, CountDownLatch closed) throws IOException, InterruptedException {
        do {
            try {
                var provider = host.providers().of(link.localVolume());
                new KeptVolume(provider, host.catalog(), host.clock()).keep(link.id(), link.localVolume(), point);
                return;
            } catch (ProviderException | RuntimeException e) {
                LOG.warn(
                        "live.not_kept link={} point={} reason=\"{}\" next={}",
                        link.id(),
                        point,
                        e.getMessage(),
                        AGAIN);
            }
        } while (!closed.await(AGAIN.toMillis(), TimeUnit.MILLISECONDS));
        throw new IOException("the copy is closed");
    }

    /** @return whether nothing is left to do */
    boolean end(RecoveryPointId point, boolean isForGood) {
        release(point);
        if (isForGood) {
            LOG.info("live.kept_for_good link={} recoveryPoint={}", link.id(), point);
            return true;
        }
        try {
            discard.discard(point);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (Exception e) {
            // It stays as a recovery point that anybody may delete.
            LOG.warn("live.not_discarded link={} recoveryPoint={} reason=\"{}\"", link.id(), point, e.getMessage());
            return true;
        }
    }

    void release(RecoveryPointId point) {
        try {
            host.providers()
                    .of(link.localVolume())
                    .release(
                            new SnapshotId(link.localVolume(), point),
                            new HoldOwner(link.id().value()));
        } catch (ProviderException e) {
            LOG.warn("live.not_released link={} recoveryPoint={} reason=\"{}\"", link.id(), point, e.getMessage());
        }
    }
}
