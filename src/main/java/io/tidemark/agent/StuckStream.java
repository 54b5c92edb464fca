package io.tidemark.agent;

import io.tidemark.domain.ReplicationLink;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A committed stream that will not be applied, however often it is asked for: others wrote to the volume, or the storage
 * does not take it. It has changed nothing of the volume and its source has it still, so whoever is to go on without it
 * (a resync, a promotion, the end of the link) lets go of it.
 */
final class StuckStream {
    private static final Logger LOG = LoggerFactory.getLogger(StuckStream.class);

    private StuckStream() {}

    /**
     * Applies what is committed, or lets go of a stream that is stuck.
     *
     * @throws ReplicationException of blocks; of a stream where asking again may help, as for a volume in use
     */
    static void finishOrLetGo(TargetHost.Site site, ReplicationLink link) throws ReplicationException {
        try {
            TargetHost.finishCommitted(site, link);
        } catch (ReplicationException e) {
            if (e.error().retryable() || !letGo(site, link)) {
                throw e;
            }
            LOG.warn("ingest.let-go link={} reason=\"{}\"", link.id(), e.getMessage());
        }
    }

    /** @return false of blocks, and where nothing is committed */
    static boolean letGo(TargetHost.Site site, ReplicationLink link) throws ReplicationException {
        var found = IngestLog.open(site.logOf(link.id()));
        if (found.isEmpty()) {
            return false;
        }
        try (var log = found.get()) {
            if (!log.header().stream() || log.commit().isEmpty()) {
                return false;
            }
            // First: a snapshot without a record and without a log would be taken for one that has arrived.
            removeReceived(site, link, log.header().point());
            log.delete();
            return true;
        } catch (ProviderException e) {
            throw new ReplicationException(new ReplicationError.Storage(e.error()), e);
        }
    }

    private static void removeReceived(TargetHost.Site site, ReplicationLink link, RecoveryPointId point)
            throws ProviderException {
        if (site.catalog().knows(point, link.localVolume())) {
            return;
        }
        var provider = site.providers().of(link.localVolume());
        var snapshot = new SnapshotId(link.localVolume(), point);
        provider.release(snapshot, new HoldOwner(link.id().value()));
        var unused = provider.delete(snapshot);
    }
}
