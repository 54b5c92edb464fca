package io.tidemark.live;

import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.Export;
import io.tidemark.domain.ExportId;
import io.tidemark.replication.live.LiveStatus.DiskState;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.Role;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes a link's copy primary and secondary, with its export; one call at a time, which takes seconds. */
final class LiveRoles {
    private static final Logger LOG = LoggerFactory.getLogger(LiveRoles.class);
    /** Of a promotion or a demotion: less than a request of the API may take. */
    static final Duration LIMIT = Duration.ofSeconds(20);

    private final LiveHostParts host;
    private final LiveHost.Link link;
    private final LinkWishes wishes;
    private final Duration limit;

    /** @param limit of a promotion or a demotion */
    LiveRoles(LiveHostParts host, LiveHost.Link link, LinkWishes wishes, Duration limit) {
        this.host = host;
        this.link = link;
        this.wishes = wishes;
        this.limit = limit;
    }

    private ExportId exportId() {
        return new ExportId("ex-" + link.id().value().substring("ln-".length()));
    }

    Optional<ExportId> export() {
        return host.exports().find(exportId()).map(each -> each.export().id());
    }

    /**
     * Was primary when its process ended, and nobody demoted it: it is again, once the peer agrees that nobody else is. Without
     * the peer somebody has to decide.
     */
    void resume(LiveVolume open) throws IOException {
        if (open.isFailed()) {
            // Clients that come again reach another host, or hear that there is none; here they would get errors for
            // ever.
            endClients();
            return;
        }
        if (!wishes.now().isPrimaryWanted()) {
            return;
        }
        var status = open.status();
        if (status.role() == Role.PRIMARY) {
            openExport(open);
            return;
        }
        if (status.replication() == ReplicationState.OFF) {
            return;
        }
        try {
            if (status.disk() == DiskState.UP_TO_DATE) {
                promoteWithin(open, false);
                LOG.info("live.primary_again link={}", link.id());
            } else if (status.replication() == ReplicationState.SYNC_TARGET) {
                LOG.warn("live.primary_no_more link={} reason=the peer is newer", link.id());
                wishes.change(now -> now.primary(false));
            }
        } catch (TimeoutException e) {
            LOG.warn("live.not_primary_yet link={} reason=the peer or the disk takes too long", link.id());
        } catch (LiveHost.RefusedException e) {
            var now = open.status().replication();
            if (now == ReplicationState.ESTABLISHED || now == ReplicationState.SYNC_SOURCE) {
                LOG.warn("live.primary_no_more link={} reason=\"{}\"", link.id(), e.getMessage());
                wishes.change(each -> each.primary(false));
            } else {
                // The line has gone again meanwhile.
                LOG.warn("live.not_primary_yet link={} reason=\"{}\"", link.id(), e.getMessage());
            }
        }
    }

    void promote(LiveVolume open, boolean isForced) throws LiveHost.RefusedException {
        try {
            var disk = open.status().disk();
            if (disk == DiskState.CONSISTENT && !isForced && open.status().role() == Role.SECONDARY) {
                throw new LiveHost.RefusedException(
                        "whether the peer is newer is not known, for it is not there: promote by force where it is"
                                + " dead for sure");
            }
            promoteWithin(open, isForced);
        } catch (TimeoutException e) {
            throw new LiveHost.RefusedException(
                    "it did not become primary within %d s: the peer or the disk takes too long, ask again"
                            .formatted(limit.toSeconds()));
        }
    }

    /** One that is primary already is so still; its export is opened where there is none, and its clients stay. */
    private void promoteWithin(LiveVolume open, boolean isForced) throws LiveHost.RefusedException, TimeoutException {
        wishing(true, () -> {
            if (open.status().role() != Role.PRIMARY) {
                open.promote(isForced, limit);
            }
        });
        openExport(open);
    }

    private interface Asked {
        void ask() throws IOException, TimeoutException, InterruptedException;
    }

    /**
     * Wishes first: what was done could not be wished any more where the folder fails, and a demotion that takes too long is
     * done yet, and is not to be undone then. A promotion that takes too long is undone by the copy.
     */
    private void wishing(boolean isPrimary, Asked asked) throws LiveHost.RefusedException, TimeoutException {
        boolean was = wishes.now().isPrimaryWanted();
        boolean isToStay = false;
        try {
            wishes.change(now -> now.primary(isPrimary));
            try {
                asked.ask();
                isToStay = true;
            } catch (TimeoutException e) {
                isToStay = !isPrimary;
                throw e;
            } finally {
                if (!isToStay) {
                    wishes.change(now -> now.primary(was));
                }
            }
        } catch (IOException e) {
            throw new LiveHost.RefusedException(String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LiveHost.RefusedException("interrupted");
        }
    }

    private void openExport(LiveVolume open) {
        if (host.exports().find(exportId()).filter(each -> !each.ending()).isEmpty()) {
            var export = new Export(
                    exportId(),
                    link.id().value(),
                    Export.Access.LIVE,
                    host.clock().instant());
            host.exports().open(export, new LiveImage(open));
        }
    }

    void demote(LiveVolume open, boolean isForced) throws LiveHost.RefusedException {
        int clients = host.exports()
                .find(exportId())
                .map(each -> each.connectionCount())
                .orElse(0);
        if (clients > 0 && !isForced) {
            throw new LiveHost.RefusedException(
                    "%d clients use export %s: detach it, or demote by force".formatted(clients, exportId()));
        }
        try {
            wishing(false, () -> demoteWithin(open, isForced));
        } catch (TimeoutException e) {
            throw new LiveHost.RefusedException(
                    "it is still primary after %d s, for writes wait for the peer or the disk, and is demoted once they have ended; demote by force to refuse them"
                            .formatted(limit.toSeconds()));
        }
    }

    private void demoteWithin(LiveVolume open, boolean isForced)
            throws IOException, TimeoutException, InterruptedException {
        if (open.isFailed()) {
            host.exports().close(exportId(), () -> {});
            return;
        }
        if (isForced) {
            open.demote(true, limit);
        }
        host.exports().close(exportId(), () -> {});
        if (!isForced) {
            open.demote(false, limit);
        }
    }

    void endClients() {
        try {
            host.exports().close(exportId(), () -> {});
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
