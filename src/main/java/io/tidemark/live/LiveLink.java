package io.tidemark.live;

import io.tidemark.control.port.LiveHost;
import io.tidemark.export.VolumeImage;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.live.Chosen;
import io.tidemark.replication.live.CopyId;
import io.tidemark.replication.live.LiveSettings;
import io.tidemark.replication.live.LiveStatus;
import io.tidemark.replication.live.LiveStatus.DiskState;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.Role;
import io.tidemark.replication.live.ResyncRate;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One live link on this host: its copy while it can be opened, its export while it is primary. */
final class LiveLink implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LiveLink.class);
    private static final Duration LOOK = Duration.ofSeconds(1);
    /** Of a volume or metadata that could not be opened. */
    private static final int LOOKS_BEFORE_OPEN = 10;

    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int RESYNC_BLOCKS = 64;
    /** 16 MiB: what is under way while the target flushes. */
    private static final int RESYNC_WINDOW = 64;
    /** Two steps, where DRBD takes 20: a resync is as fast as its target within a second, and not within a minute. */
    private static final long PLAN_AHEAD_NANOS = 200_000_000;
    /** All that the window has. */
    private static final long FILL_TARGET_BYTES = (long) RESYNC_WINDOW * RESYNC_BLOCKS * 4_096;

    private final LiveHostParts host;
    private final LinkFolder folder;
    /** As it was found; its terms may have changed since. */
    private final LiveHost.Link link;

    private final KeptSnapshots kept;
    /** Of roles and wishes; held while they change, which takes seconds. */
    private final ReentrantLock changing = new ReentrantLock();

    private final Thread keeper =
            Thread.ofPlatform().name("tidemark-live-keeper").daemon().unstarted(this::look);
    private final Optional<Thread> connecting;
    private final LiveDial dial;

    private final LinkWishes wishes;
    private final LiveRoles roles;
    private volatile Optional<LiveVolume> volume = Optional.empty();
    private final LiveChanges changes;
    private final LiveTraffic traffic = new LiveTraffic();
    /** Since a person has chosen between them, or this was opened. */
    private volatile boolean wereInStep;

    private volatile String why = "it was not opened yet";
    /** Not by interruptions: the threads here write files, which an interruption would close. */
    private final CountDownLatch closed = new CountDownLatch(1);
    /** They have compared their copies once, or it is closed. */
    private final CountDownLatch met = new CountDownLatch(1);

    LiveLink(LiveHostParts host, LinkFolder folder, LinkFolder.Found found, KeptSnapshots.Discard discard) {
        this.host = host;
        this.folder = folder;
        this.link = found.link();
        this.changes = new LiveChanges(link.id(), host.clock());
        this.wishes = new LinkWishes(folder, found);
        this.roles = new LiveRoles(host, link, wishes, LiveRoles.LIMIT);
        this.kept = new KeptSnapshots(host, link, wishes, discard);
        this.dial = new LiveDial(host, wishes::link, !wishes.now().isOpened());
        this.connecting = link.connects()
                ? Optional.of(Thread.ofPlatform()
                        .name("tidemark-live-connector")
                        .daemon()
                        .unstarted(this::connect))
                : Optional.empty();
    }

    LiveHost.Link link() {
        return wishes.link();
    }

    static LiveSettings settings(LiveHostParts host, LiveHost.Link link) throws IOException {
        var peer = host.catalog()
                .peer(link.peer())
                .orElseThrow(() -> new IOException("peer %s is not known any more".formatted(link.peer())));
        return new LiveSettings(
                copyId(host.fingerprint()),
                copyId(peer.fingerprint()),
                link.sizeBytes(),
                link.terms().protocol(),
                link.terms().congestion(),
                link.terms().bufferBytes(),
                link.terms().activityLogExtents(),
                RESYNC_BLOCKS,
                RESYNC_WINDOW,
                PATIENCE.toNanos(),
                false,
                link.terms().isComparing(),
                new ResyncRate(
                        FILL_TARGET_BYTES,
                        PLAN_AHEAD_NANOS,
                        link.terms().resyncFloorBytes(),
                        link.terms().resyncCeilingBytes()),
                link.terms().afterSplitBrain());
    }

    /** A site has one copy of a volume, and its key names the site. */
    private static CopyId copyId(String fingerprint) {
        return new CopyId(fingerprint.substring(0, 16));
    }

    /** Opens the copy. */
    void open() throws IOException, ProviderException {
        changing.lock();
        try {
            if (closed.getCount() == 0 || volume.isPresent()) {
                return;
            }
            var settings = settings(host, link());
            BitmapRoom.refuseWithout(link.sizeBytes(), BitmapRoom.leftBytes());
            var metadata = MetadataFile.open(folder.metadata(), settings, changes::begun);
            VolumeImage disk = null;
            try {
                disk = VolumeImage.of(host.providers().of(link.localVolume()).write(link.localVolume()), host.calls());
            } finally {
                if (disk == null) {
                    metadata.close();
                }
            }
            volume = Optional.of(LiveVolume.start(
                    link.id().value(),
                    new LiveVolume.Parts(
                            settings,
                            disk,
                            metadata,
                            isGivenUp -> kept.keep(isGivenUp, closed),
                            this::changed,
                            host.kernel(),
                            host.nanos(),
                            host.random(),
                            () -> host.clock().instant().toEpochMilli(),
                            wishes.now().chosen())));
            why = "";
            LOG.info("live.opened link={} volume={} sizeBytes={}", link.id(), link.localVolume(), link.sizeBytes());
        } finally {
            changing.unlock();
        }
    }

    /** Begins to connect where this side does, and to try what could not be done. */
    void start() {
        keeper.start();
        connecting.ifPresent(Thread::start);
    }

    /** Called for one status after the other, which may come with each write. */
    private void changed(LiveStatus status) {
        kept.changed(status.replication());
        if (status.replication() != ReplicationState.OFF && status.replication() != ReplicationState.MEETING) {
            met.countDown();
        }
        wereInStep |= status.replication() == ReplicationState.ESTABLISHED;
        changes.changed(status);
    }

    private void look() {
        for (int looks = 1; ; looks++) {
            try {
                if (closed.await(LOOK.toMillis(), TimeUnit.MILLISECONDS)) {
                    return;
                }
                if (volume.isEmpty() && looks % LOOKS_BEFORE_OPEN == 0) {
                    openOrTell();
                }
                resume();
                endChoice();
                kept.tidy();
            } catch (InterruptedException e) {
                return;
            } catch (IOException | RuntimeException e) {
                LOG.warn("live.look_failed link={} reason=\"{}\"", link.id(), e.getMessage(), e);
            }
        }
    }

    /** Where it cannot be opened, that is told by {@link #live} and tried again. */
    void openOrTell() {
        try {
            open();
        } catch (IOException | ProviderException | RuntimeException | Error e) {
            // One link that needs more memory than there is does not keep the others from being opened.
            var reason = e instanceof Error ? e.toString() : String.valueOf(e.getMessage());
            if (!reason.equals(why)) {
                why = reason;
                LOG.warn("live.not_opened link={} volume={} reason=\"{}\"", link.id(), link.localVolume(), reason);
            }
        }
    }

    private void resume() throws IOException {
        changing.lock();
        try {
            // Under the lock: somebody may have demoted it, or ended this, while it was waited for.
            if (volume.isPresent()) {
                roles.resume(volume.get());
            }
        } finally {
            changing.unlock();
        }
    }

    /** What a person has chosen is done: of a split brain that comes later nobody has said anything. */
    private void endChoice() throws IOException {
        changing.lock();
        try {
            if (wereInStep) {
                wishes.change(now -> now.chosen(Chosen.NOBODY));
            }
        } finally {
            changing.unlock();
        }
    }

    private void connect() {
        try {
            dial.keep(this::mayConnect, (connection, told) -> {
                markOpened();
                serve(connection, told);
            });
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean mayConnect() {
        var open = volume;
        return open.isPresent() && open.get().status().replication() != ReplicationState.STAND_ALONE;
    }

    /** Reaches the peer for the first time, and returns; the session goes on by itself once {@link #start} was called. */
    void introduce(boolean isOverwriting) throws ReplicationException, IOException {
        dial.first(isOverwriting);
        markOpened();
    }

    /** @return whether both have met since this was opened */
    boolean awaitMet(Duration limit) {
        try {
            return met.await(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void markOpened() throws IOException {
        wishes.change(LinkFolder.Wishes::opened);
        dial.known();
    }

    /**
     * Serves a session to its end.
     *
     * @param agreed terms, as the peer knows them
     */
    void serve(PeerConnection connection, LiveHost.Terms agreed) throws IOException {
        var open = volume;
        if (open.isEmpty()) {
            throw new IOException(why);
        }
        open.get().serve(number -> {
            var begun = new LiveSession(number, connection, host.nanos(), traffic);
            // Under the copy's lock: what changes later ends the session by itself.
            if (!agreed.equals(link().terms())) {
                begun.end("its terms have changed since the peer was told");
            }
            return begun;
        });
    }

    boolean isOpen() {
        return volume.isPresent();
    }

    String whyNotOpen() {
        return why;
    }

    LiveHost.Live live() {
        var open = volume;
        var status = open.map(LiveVolume::status);
        return new LiveHost.Live(
                link(),
                status,
                status.isPresent() ? status.get().why().or(kept::why).orElse("") : why,
                roles.export(),
                open.flatMap(LiveVolume::peerAddress),
                wishes.now().kept(),
                open.map(LiveVolume::figures),
                traffic.now(),
                changes.counts());
    }

    List<LiveHost.Change> changes() {
        return changes.newest();
    }

    private LiveVolume opened() throws LiveHost.RefusedException {
        return volume.orElseThrow(() -> new LiveHost.RefusedException("its volume is not open: " + why));
    }

    void promote(boolean isForced) throws LiveHost.RefusedException {
        changing.lock();
        try {
            roles.promote(opened(), isForced);
        } finally {
            changing.unlock();
        }
    }

    void demote(boolean isForced) throws LiveHost.RefusedException {
        changing.lock();
        try {
            roles.demote(opened(), isForced);
        } finally {
            changing.unlock();
        }
    }

    void resolve(boolean isLocalKept) throws LiveHost.RefusedException {
        changing.lock();
        try {
            var open = opened();
            choosing(
                    isLocalKept ? Chosen.SELF : Chosen.PEER,
                    () -> givingUp(!isLocalKept, () -> open.resolve(isLocalKept)));
            if (isLocalKept) {
                kept.unwanted();
                wishes.change(now -> now.kept().isEmpty() ? now.keptForGood(false) : now);
            }
        } catch (IOException e) {
            throw new LiveHost.RefusedException(String.valueOf(e.getMessage()));
        } finally {
            changing.unlock();
        }
    }

    void invalidate(boolean isPeers) throws LiveHost.RefusedException {
        changing.lock();
        try {
            var open = opened();
            givingUp(!isPeers, () -> open.invalidate(isPeers));
        } catch (IOException e) {
            throw new LiveHost.RefusedException(String.valueOf(e.getMessage()));
        } finally {
            changing.unlock();
        }
    }

    private interface Asked {
        void ask() throws IOException;
    }

    /** A restart does not forget what a person was told is so: it is written before the copy is asked. */
    private void choosing(Chosen chosen, Asked asked) throws IOException {
        var before = wishes.now().chosen();
        wereInStep = false;
        wishes.change(now -> now.chosen(chosen));
        boolean isAgreed = false;
        try {
            asked.ask();
            isAgreed = true;
        } finally {
            if (!isAgreed) {
                wishes.change(now -> now.chosen(before));
            }
        }
    }

    /** What is given up is to be kept for good, which is written before it can be overwritten. */
    private void givingUp(boolean isLocal, Asked asked) throws IOException {
        boolean wasForGood = wishes.now().isKeptForGood();
        if (isLocal) {
            wishes.change(now -> now.keptForGood(true));
        }
        boolean isAgreed = false;
        try {
            asked.ask();
            isAgreed = true;
        } finally {
            if (!isAgreed && isLocal) {
                // Where something was kept already, it may be what was asked for: it stays rather than not.
                wishes.change(now -> now.kept().isEmpty() ? now.keptForGood(wasForGood) : now);
            }
        }
    }

    /** Durable on return; where this side connects, its peer is told when it does so next. */
    void change(LiveHost.Terms terms) throws LiveHost.RefusedException {
        changing.lock();
        try {
            if (terms.activityLogExtents() != link().terms().activityLogExtents()) {
                throw new LiveHost.RefusedException("its activity log has %d extents until it is made anew"
                        .formatted(link().terms().activityLogExtents()));
            }
            if (terms.equals(link().terms())) {
                return;
            }
            if (volume.isPresent() && volume.get().status().disk() == DiskState.FAILED) {
                throw new LiveHost.RefusedException("its copy has failed: start the site again first");
            }
            var settings = settings(host, link().with(terms));
            wishes.change(terms);
            if (volume.isPresent()) {
                volume.get().change(settings);
            }
            LOG.info("live.terms_changed link={} terms={}", link.id(), terms);
        } catch (IOException e) {
            throw new LiveHost.RefusedException(String.valueOf(e.getMessage()));
        } finally {
            changing.unlock();
        }
    }

    /** Begins it, or stops it. */
    void verify(boolean isStopped) throws LiveHost.RefusedException {
        try {
            opened().verify(isStopped);
        } catch (IOException e) {
            throw new LiveHost.RefusedException(String.valueOf(e.getMessage()));
        }
    }

    void reconnect() throws LiveHost.RefusedException {
        opened().reconnect();
    }

    /** Ends it here for good; the volume stays. */
    void remove() throws LiveHost.RefusedException {
        changing.lock();
        try {
            if (volume.isPresent() && volume.get().status().role() == Role.PRIMARY) {
                throw new LiveHost.RefusedException("this side is primary: demote it first");
            }
            close();
            // Before the folder goes: nobody would know of the hold after a crash.
            wishes.now().held().forEach(kept::release);
            folder.remove();
        } catch (IOException e) {
            throw new LiveHost.RefusedException("it cannot be removed: " + e.getMessage());
        } finally {
            changing.unlock();
        }
    }

    /** Ends sessions and clients; the next process finds what a crash would have left, and goes on. */
    @Override
    public void close() {
        closed.countDown();
        met.countDown();
        dial.close();
        changing.lock();
        try {
            // First: a client whose connection ends comes again, where one that hears of an error gives up.
            roles.endClients();
            if (volume.isPresent()) {
                volume.get().close();
                volume = Optional.empty();
                why = "it is closed";
            }
        } catch (IOException e) {
            LOG.warn("live.not_closed link={} reason=\"{}\"", link.id(), e.getMessage());
        } finally {
            changing.unlock();
        }
    }
}
