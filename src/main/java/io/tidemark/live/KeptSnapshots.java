package io.tidemark.live;

import io.tidemark.agent.KeptVolume;
import io.tidemark.control.port.LiveHost;
import io.tidemark.replication.KeptPoints;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
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
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Snapshots of a copy that a resync overwrites: made before it, gone after it, but where they are to stay. */
final class KeptSnapshots {
    private static final Logger LOG = LoggerFactory.getLogger(KeptSnapshots.class);
    /** Until it works: without what it was, a copy is not overwritten. */
    private static final Duration AGAIN = Duration.ofSeconds(10);

    /** Whether it is wanted still. */
    private static final Duration LOOK = Duration.ofMillis(200);

    private final LiveHostParts host;
    private final LiveHost.Link link;
    private final LinkWishes wishes;
    private final Discard discard;
    private final Duration again;

    /** Guarded by this, as all below. */
    private ReplicationState replication = ReplicationState.OFF;

    /** How many are under way: one that is not wanted any more may still wait for its storage. */
    private int keeping;
    /** Of the newest that was begun. */
    private long newest;
    /** The newest that is not wanted any more; those before it are not, either. */
    private long unwanted;

    private Optional<String> why = Optional.empty();
    /** It was in step when it was kept, to be given up: that it still is says nothing of a resync. */
    private boolean isBefore;

    /** Deletes a recovery point that nobody needs any more. */
    interface Discard {
        void discard(RecoveryPointId point) throws Exception;
    }

    KeptSnapshots(LiveHostParts host, LiveHost.Link link, LinkWishes wishes, Discard discard) {
        this(host, link, wishes, discard, AGAIN);
    }

    /** @param again after what failed */
    KeptSnapshots(LiveHostParts host, LiveHost.Link link, LinkWishes wishes, Discard discard, Duration again) {
        this.host = host;
        this.link = link;
        this.wishes = wishes;
        this.discard = discard;
        this.again = again;
    }

    /** Told of each change, in order. */
    synchronized void changed(ReplicationState now) {
        replication = now;
        if (keeping == 0 && now != ReplicationState.ESTABLISHED) {
            isBefore = false;
        }
    }

    private synchronized long begin() {
        keeping++;
        return ++newest;
    }

    private synchronized void end(long keep) {
        keeping--;
        isBefore = replication == ReplicationState.ESTABLISHED;
        why = keep == newest ? Optional.empty() : why;
    }

    /** What is being kept is not given up: it need not be kept, and what comes of it yet is deleted. */
    synchronized void unwanted() {
        unwanted = newest;
        why = Optional.empty();
    }

    private synchronized boolean isWanted(long keep) {
        return keep > unwanted;
    }

    private synchronized void failed(long keep, @Nullable String reason) {
        if (keep == newest && isWanted(keep)) {
            why = Optional.of(
                    ("what it has cannot be kept, and is not overwritten before: %s; tried again each %d s, and"
                                    + " after a split brain ended by: live resolve --keep local")
                            .formatted(reason, again.toSeconds()));
        }
    }

    /** Why nothing can be kept, as long as that is so. */
    synchronized Optional<String> why() {
        return why;
    }

    /**
     * Returns once the copy is kept as it is, held and recorded, or where its storage would copy all of its bytes: that is
     * only done for what somebody gives up knowingly. What fails is tried again until it is {@link #unwanted}, and nothing
     * is overwritten before.
     *
     * @param isGivenUp knowingly, here or at the peer: it stays after the resync
     * @throws IOException where the copy was closed meanwhile
     */
    void keep(boolean isGivenUp, CountDownLatch closed) throws IOException, InterruptedException {
        long mine = begin();
        try {
            var point = Optional.<RecoveryPointId>empty();
            do {
                try {
                    if (point.isEmpty()) {
                        point = next(isGivenUp || wishes.now().isKeptForGood());
                    }
                    if (point.isPresent()) {
                        hold(point.get(), isGivenUp);
                        if (!isWanted(mine)) {
                            forget(point.get(), isGivenUp);
                        }
                    }
                    return;
                } catch (IOException | ProviderException | RuntimeException e) {
                    LOG.warn(
                            "live.not_kept link={} point={} reason=\"{}\" next={}",
                            link.id(),
                            point.map(RecoveryPointId::value).orElse(""),
                            e.getMessage(),
                            again);
                    failed(mine, e.getMessage());
                }
            } while (isToTryAgain(mine, closed));
            if (point.isPresent() && !isWanted(mine)) {
                forget(point.get(), isGivenUp);
            }
        } finally {
            end(mine);
        }
    }

    /** @throws IOException where the copy was closed meanwhile */
    private boolean isToTryAgain(long keep, CountDownLatch closed) throws IOException, InterruptedException {
        for (long left = again.toMillis(); left > 0 && isWanted(keep); left -= LOOK.toMillis()) {
            if (closed.await(Math.min(left, LOOK.toMillis()), TimeUnit.MILLISECONDS)) {
                throw new IOException("the copy is closed");
            }
        }
        return isWanted(keep);
    }

    /** The volume was written again while it was being kept. */
    private void forget(RecoveryPointId point, boolean isGivenUp) throws IOException {
        if (end(point, false)) {
            wishes.change(now -> now.ended(point, isGivenUp));
        }
    }

    /** What the next is to be called; empty where it is not to be made. */
    private Optional<RecoveryPointId> next(boolean isForGood) throws ProviderException {
        var volume = host.providers().of(link.localVolume()).volume(link.localVolume());
        if (!volume.can(Capability.INSTANT_SNAPSHOT) && !isForGood) {
            LOG.warn("live.not_kept link={} volume={} reason=its storage would copy all of it", link.id(), volume.id());
            return Optional.empty();
        }
        var offered = new RecoveryPointId("rp-" + link.id().value().substring("ln-".length()));
        var points = host.providers().snapshotsOf(volume.id()).stream()
                .map(each -> each.id().recoveryPoint())
                .toList();
        return Optional.of(KeptPoints.next(KeptPoints.earlier(points, offered), offered));
    }

    private void hold(RecoveryPointId point, boolean isGivenUp) throws IOException, ProviderException {
        wishes.change(now -> now.keeping(point).keptForGood(isGivenUp || now.isKeptForGood()));
        new KeptVolume(host.providers().of(link.localVolume()), host.catalog(), host.clock())
                .keep(link.id(), link.localVolume(), point);
    }

    /** Ends what a resync that has ended, or another that was kept since, has left. */
    void tidy() throws IOException {
        var before = wishes.now();
        for (var point : before.earlier()) {
            // The one after it is held: until then nothing was overwritten since.
            if (isIdle() && end(point, before.isKeptForGood())) {
                wishes.change(now -> now.ended(point, before.isKeptForGood()));
            }
        }
        if (before.kept().isPresent() && isInStep()) {
            var point = before.kept().get();
            if (end(point, before.isKeptForGood())) {
                // Another resync may have begun meanwhile, and keep another.
                wishes.change(now -> now.ended(point, before.isKeptForGood()));
            }
        }
    }

    private synchronized boolean isIdle() {
        return keeping == 0;
    }

    private synchronized boolean isInStep() {
        return keeping == 0 && !isBefore && replication == ReplicationState.ESTABLISHED;
    }

    /** @return whether nothing is left to do */
    private boolean end(RecoveryPointId point, boolean isForGood) {
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
