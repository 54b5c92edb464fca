package io.tidemark.live;

import io.tidemark.agent.PeerReplicator;
import io.tidemark.control.port.LiveHost;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.protocol.Message;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reaches the peer of a live link, again and again. */
final class LiveDial implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LiveDial.class);
    private static final Duration PAUSE_MINIMUM = Duration.ofMillis(500);
    private static final Duration PAUSE_MAXIMUM = Duration.ofSeconds(4);
    /** A session that lasted so long was one: the next pause is the shortest again. */
    private static final Duration WORTH = Duration.ofSeconds(1);

    private final LiveHostParts host;
    private final Supplier<LiveHost.Link> link;
    private volatile boolean isFresh;
    private volatile boolean isOverwriting;
    private volatile Optional<PeerConnection> connection = Optional.empty();
    /** Not by an interruption: whoever serves a session writes files, and those would be closed by one. */
    private final CountDownLatch ended = new CountDownLatch(1);

    private String told = "";

    /** @param isFresh the peer is not known to have its copy yet */
    LiveDial(LiveHostParts host, Supplier<LiveHost.Link> link, boolean isFresh) {
        this.isFresh = isFresh;
        this.host = host;
        this.link = link;
    }

    /** The peer has its copy: one that does not know the link any more is not to make another. */
    void known() {
        isFresh = false;
        isOverwriting = false;
    }

    /** Whoever has reached the peer goes on with it. */
    interface Reached {
        /** @param told the terms that the peer was told, which may have changed since */
        void serve(PeerConnection connection, LiveHost.Terms told) throws IOException;
    }

    /** Tells the peer of the link. */
    void first(boolean mayOverwrite) throws ReplicationException {
        isOverwriting = mayOverwrite;
        dialled(link.get()).close();
    }

    /** Until this is closed. */
    void keep(BooleanSupplier mayConnect, Reached reached) throws InterruptedException {
        var pause = PAUSE_MINIMUM.dividedBy(2);
        do {
            long begun = host.nanos().getAsLong();
            if (mayConnect.getAsBoolean()) {
                once(reached);
            }
            boolean wasWorth = host.nanos().getAsLong() - begun > WORTH.toNanos();
            var longer = pause.multipliedBy(2).compareTo(PAUSE_MAXIMUM) < 0 ? pause.multipliedBy(2) : PAUSE_MAXIMUM;
            pause = wasWorth ? PAUSE_MINIMUM : longer;
        } while (!ended.await(pause.toMillis(), TimeUnit.MILLISECONDS));
    }

    private void once(Reached reached) {
        var now = link.get();
        try (var dialled = dialled(now)) {
            connection = Optional.of(dialled);
            if (ended.getCount() == 0) {
                return;
            }
            LOG.info("live.connected link={} peer={}", link.get().id(), dialled.peerAddress());
            told = "";
            reached.serve(dialled, now.terms());
        } catch (ReplicationException e) {
            tell(e.error().message());
        } catch (IOException | RuntimeException e) {
            tell(String.valueOf(e.getMessage()));
        } finally {
            connection = Optional.empty();
        }
    }

    private void tell(String reason) {
        if (!reason.equals(told)) {
            told = reason;
            LOG.warn(
                    "live.not_connected link={} peer={} reason=\"{}\"",
                    link.get().id(),
                    link.get().peer(),
                    reason);
        }
    }

    /** @param link as it is now: its terms may change while it is told of */
    private PeerConnection dialled(LiveHost.Link link) throws ReplicationException {
        var peer = host.catalog()
                .peer(link.peer())
                .orElseThrow(() -> new ReplicationException(new ReplicationError.PeerRefused(
                        "not-paired", "peer %s is not known here any more".formatted(link.peer()))));
        var made = PeerReplicator.greet(
                host.connector(), peer.address(), peer.fingerprint(), Message.Purpose.LIVE, host.software());
        boolean isAgreed = false;
        try {
            made.send(new Message.OpenLive(
                    link.id(),
                    link.localVolume(),
                    link.peerVolume(),
                    link.terms().protocol(),
                    link.terms().congestion(),
                    link.sizeBytes(),
                    link.terms().bufferBytes(),
                    link.terms().activityLogExtents(),
                    link.terms().resyncFloorBytes(),
                    link.terms().resyncCeilingBytes(),
                    link.terms().isComparing(),
                    link.terms().afterSplitBrain(),
                    isFresh,
                    isOverwriting));
            PeerReplicator.await(made, Message.LiveOpened.class);
            isAgreed = true;
            return made;
        } finally {
            if (!isAgreed) {
                made.close();
            }
        }
    }

    @Override
    public void close() {
        ended.countDown();
        connection.ifPresent(PeerConnection::close);
    }
}
