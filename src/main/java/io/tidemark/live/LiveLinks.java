package io.tidemark.live;

import io.tidemark.agent.LinkOpening;
import io.tidemark.agent.LiveSessions;
import io.tidemark.agent.PeerSender;
import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Peer;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.live.ResyncRate;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The live links of this host. */
public final class LiveLinks implements LiveHost, LiveSessions, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LiveLinks.class);
    /** Each has threads, a connection of the 64 that a listener takes, and memory for its bitmap. */
    private static final int LINKS_MAXIMUM = 32;

    /** Less than a request of the API may take. */
    private static final Duration MEETING_LIMIT = Duration.ofSeconds(10);

    private static final Duration RETRY_LATER = Duration.ofMinutes(1);

    private final LiveHostParts host;
    private final Path folder;
    private final Map<LinkId, LiveLink> links = new ConcurrentSkipListMap<>();
    /** Written by {@link #read} alone. */
    private final List<Unread> unread = new CopyOnWriteArrayList<>();
    /** That peers are making here, while their volumes are looked at. */
    private final Set<LinkId> opening = ConcurrentHashMap.newKeySet();
    /** Guarded by {@code links}. */
    private boolean isClosed;

    private volatile KeptSnapshots.Discard discard = point -> {
        throw new IllegalStateException("the site is not ready");
    };

    /** @param folder of what links keep; made where there is none */
    public LiveLinks(LiveHostParts host, Path folder) throws IOException {
        this.host = host;
        this.folder = folder;
        if (!Files.isDirectory(folder)) {
            Files.createDirectories(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        }
    }

    /** Deletes recovery points that are needed no more. */
    public interface Deletion {
        void delete(RecoveryPointId point) throws Exception;
    }

    /** Lists what the process before this one had; nothing is open yet. Call once, before {@link #start}. */
    public void read() throws IOException {
        for (var each : LinkFolder.all(folder)) {
            var id = each.id();
            if (id.isEmpty()) {
                LOG.warn("live.not_a_link folder={} it is left alone", each);
                continue;
            }
            try {
                var found = each.read();
                var link = new LiveLink(host, each, found, point -> discard.discard(point));
                links.put(found.link().id(), link);
            } catch (IOException e) {
                // Of the file system's failures the message is the path alone.
                var reason = e instanceof FileSystemException ? e.toString() : String.valueOf(e.getMessage());
                LOG.error(
                        "live.not_read link={} folder={} reason=\"{}\" no volume of this host is rolled back, deleted or written"
                                + " by others until the folder is put right or moved away, and the site started again",
                        id.get(),
                        each,
                        reason);
                unread.add(new Unread(id.get(), each.toString(), reason));
            }
        }
    }

    /** Opens what was read, and begins to connect; one that cannot be opened is tried again. */
    public void start(Deletion deletion) {
        discard = deletion::delete;
        for (var link : links.values()) {
            link.openOrTell();
            link.start();
        }
    }

    @Override
    public void create(Link link, boolean isOverwriting) throws ProviderException, ReplicationException {
        var made = made(link);
        boolean isAgreed = false;
        try {
            made.introduce(isOverwriting);
            isAgreed = true;
        } catch (IOException e) {
            throw failed(link, e);
        } finally {
            if (!isAgreed) {
                forget(made);
            }
        }
        made.start();
        // So that what is asked next finds two that know each other; a peer that takes longer is waited for by nobody.
        if (!made.awaitMet(MEETING_LIMIT)) {
            LOG.warn("live.not_met link={} peer={} limit={}", link.id(), link.peer(), MEETING_LIMIT);
        }
    }

    private void forget(LiveLink made) {
        try {
            made.remove();
        } catch (RefusedException e) {
            LOG.warn("live.not_removed link={} reason=\"{}\"", made.link().id(), e.getMessage());
        } finally {
            links.remove(made.link().id());
        }
    }

    /** This host's copy, open and not connected. */
    private LiveLink made(Link link) throws ProviderException {
        synchronized (links) {
            if (isClosed) {
                throw failed(link, new IOException("this process ends"));
            }
            if (links.size() >= LINKS_MAXIMUM) {
                throw new ProviderException(new ProviderError.Busy(
                        "a place for live link " + link.id(),
                        "%d other live links, the most there can be".formatted(links.size()),
                        RETRY_LATER));
            }
            try {
                var made = LinkFolder.create(folder, link, LinkFolder.Wishes.NONE, LiveLink.settings(host, link));
                var opened = new LiveLink(
                        host,
                        made,
                        new LinkFolder.Found(link, LinkFolder.Wishes.NONE),
                        point -> discard.discard(point));
                boolean isOpen = false;
                try {
                    opened.open();
                    isOpen = true;
                } finally {
                    if (!isOpen) {
                        made.remove();
                    }
                }
                links.put(link.id(), opened);
                return opened;
            } catch (IOException e) {
                throw failed(link, e);
            }
        }
    }

    private static ProviderException failed(Link link, IOException e) {
        return new ProviderException(
                new ProviderError.Unexpected("making live link " + link.id(), String.valueOf(e.getMessage())), e);
    }

    @Override
    public void serve(PeerConnection connection, Peer peer) throws ReplicationException {
        var message = connection.receive();
        if (!(message instanceof Message.OpenLive open)) {
            throw new ReplicationException(
                    new ReplicationError.CorruptFrame(message.type() + " where a live link to open was due"));
        }
        try {
            var link = opened(connection, open, peer);
            link.serve(connection, terms(open));
        } catch (ProviderException e) {
            throw new ReplicationException(new ReplicationError.Storage(e.error()), e);
        } catch (IOException e) {
            throw new ReplicationException(
                    new ReplicationError.PeerRefused("not-open", String.valueOf(e.getMessage())), e);
        }
    }

    /** Says so to the peer; one that does not hear it has no link there, and leaves none here. */
    private LiveLink opened(PeerConnection connection, Message.OpenLive open, Peer peer)
            throws ReplicationException, ProviderException, IOException {
        boolean wasKnown = links.containsKey(open.link());
        // A look at what the volume has takes longer, perhaps, than the peer bears silence.
        try (var sender = new PeerSender(connection, () -> new Message.Alive("live", 0, 0))) {
            sender.begin();
            var link = found(open, peer);
            if (!link.isOpen()) {
                throw new ReplicationException(
                        new ReplicationError.PeerRefused("not-open", "its volume is not open: " + link.whyNotOpen()));
            }
            boolean isTold = false;
            try {
                sender.send(new Message.LiveOpened());
                isTold = true;
            } finally {
                if (!isTold && !wasKnown) {
                    forget(link);
                }
            }
            return link;
        }
    }

    private LiveLink found(Message.OpenLive open, Peer peer)
            throws ReplicationException, ProviderException, IOException {
        var terms = terms(open);
        if (!terms.hasBufferInLimits() || !terms.hasExtentsInLimits() || !terms.hasRatesInLimits()) {
            throw new ReplicationException(new ReplicationError.PeerRefused(
                    "out-of-limits",
                    "a send buffer of %d bytes, %d extents, or a resync of %d to %d bytes a second: the limits are %d to %d, %d to %d, 0 to %d"
                            .formatted(
                                    terms.bufferBytes(),
                                    terms.activityLogExtents(),
                                    terms.resyncFloorBytes(),
                                    terms.resyncCeilingBytes(),
                                    Terms.BUFFER_MINIMUM_BYTES,
                                    Terms.BUFFER_MAXIMUM_BYTES,
                                    Terms.EXTENTS_MINIMUM,
                                    Terms.EXTENTS_MAXIMUM,
                                    ResyncRate.RATE_MAXIMUM)));
        }
        if (open.volumeBytes() < 1 || open.volumeBytes() > BitmapRoom.SIZE_MAXIMUM_BYTES) {
            throw new ReplicationException(new ReplicationError.PeerRefused(
                    "out-of-limits",
                    "a live volume of %d bytes: the limits are 1 to %d"
                            .formatted(open.volumeBytes(), BitmapRoom.SIZE_MAXIMUM_BYTES)));
        }
        var wanted = new Link(
                open.link(),
                peer.id(),
                open.targetVolume(),
                open.sourceVolume(),
                open.volumeBytes(),
                false,
                terms,
                host.clock().instant());
        var known = links.get(open.link());
        if (known == null) {
            return fresh(open, wanted);
        }
        return same(known, wanted);
    }

    private static Terms terms(Message.OpenLive open) {
        return new Terms(
                open.protocol(),
                open.congestion(),
                open.bufferBytes(),
                open.activityLogExtents(),
                open.resyncFloorBytes(),
                open.resyncCeilingBytes(),
                open.isComparing(),
                open.afterSplitBrain());
    }

    /** Looks at the volume without keeping other links waiting; meanwhile no other makes this one. */
    private LiveLink fresh(Message.OpenLive open, Link wanted)
            throws ReplicationException, ProviderException, IOException {
        for (var each : unread) {
            if (each.id().equals(open.link())) {
                throw new ReplicationException(
                        new ReplicationError.PeerRefused("not-open", "it cannot be read there: " + each.reason()));
            }
        }
        if (!opening.add(open.link())) {
            throw new ReplicationException(new ReplicationError.PeerRefused(
                    "in-work", "live link %s is being made here already".formatted(open.link())));
        }
        try {
            if (open.isFresh()) {
                refuseUsed(wanted.localVolume());
            }
            boolean isToLook = open.isFresh() && !open.isOverwriting() && isThere(wanted.localVolume());
            if (isToLook) {
                TargetData.refuse(host, wanted.localVolume());
            }
            synchronized (links) {
                // One that was made since the caller looked is found.
                var known = links.get(open.link());
                return known == null ? accepted(open, wanted) : same(known, wanted);
            }
        } finally {
            opening.remove(open.link());
        }
    }

    /** Whoever connects says how it is replicated. */
    private static LiveLink same(LiveLink known, Link wanted) throws ReplicationException {
        var link = known.link();
        boolean isSame = link.peer().equals(wanted.peer())
                && link.localVolume().equals(wanted.localVolume())
                && link.peerVolume().equals(wanted.peerVolume())
                && link.sizeBytes() == wanted.sizeBytes()
                && link.terms().activityLogExtents() == wanted.terms().activityLogExtents()
                && !link.connects();
        if (!isSame) {
            throw new ReplicationException(new ReplicationError.PeerRefused(
                    "link-conflict",
                    "live link %s exists here with another peer, volume, size or activity log".formatted(wanted.id())));
        }
        try {
            known.change(wanted.terms());
        } catch (RefusedException e) {
            throw new ReplicationException(
                    new ReplicationError.PeerRefused("not-changed", String.valueOf(e.getMessage())), e);
        }
        return known;
    }

    private boolean isThere(VolumeId volume) throws ProviderException {
        try {
            host.providers().of(volume).volume(volume);
            return true;
        } catch (ProviderException e) {
            if (e.error() instanceof ProviderError.VolumeNotFound) {
                return false;
            }
            throw e;
        }
    }

    @Override
    public void refuseLive(VolumeId volume) throws ReplicationException {
        for (var other : links.values()) {
            if (other.link().localVolume().equals(volume)) {
                throw used(volume, "live link " + other.link().id());
            }
        }
        if (!unread.isEmpty()) {
            throw new ReplicationException(new ReplicationError.PeerRefused(
                    "live-unread",
                    "whether volume %s is replicated live is not known there: live link %s cannot be read; see there: tidemark live list"
                            .formatted(volume, unread.getFirst().id())));
        }
    }

    private void refuseUsed(VolumeId volume) throws ReplicationException {
        refuseLive(volume);
        refuseTarget(volume);
    }

    private void refuseTarget(VolumeId volume) throws ReplicationException {
        if (host.linkTargets().get().contains(volume)) {
            throw used(volume, "a link whose target it is, or is about to be");
        }
    }

    private static ReplicationException used(VolumeId volume, String by) {
        return new ReplicationException(new ReplicationError.PeerRefused(
                "volume-in-use",
                "volume %s is needed by %s: name another, or delete that first".formatted(volume, by)));
    }

    private LiveLink accepted(Message.OpenLive open, Link wanted)
            throws ReplicationException, ProviderException, IOException {
        if (!open.isFresh()) {
            throw new ReplicationException(new ReplicationError.LinkUnknown(open.link()));
        }
        refuseUsed(wanted.localVolume());
        var volume = LinkOpening.target(host.providers(), wanted.localVolume(), wanted.sizeBytes(), true);
        var made = made(wanted);
        boolean isFree = false;
        try {
            // A reversal that has begun since the first look is seen here, or it sees this link.
            refuseTarget(wanted.localVolume());
            isFree = true;
        } finally {
            if (!isFree) {
                forget(made);
            }
        }
        made.start();
        LOG.info("live.accepted link={} peer={} volume={}", wanted.id(), wanted.peer(), volume.id());
        return made;
    }

    @Override
    public List<Live> all() {
        return links.values().stream().map(LiveLink::live).toList();
    }

    @Override
    public List<Unread> unread() {
        return List.copyOf(unread);
    }

    @Override
    public Optional<Live> find(LinkId id) {
        return Optional.ofNullable(links.get(id)).map(LiveLink::live);
    }

    @Override
    public List<Change> changes(LinkId id) {
        var link = links.get(id);
        return link == null ? List.of() : link.changes();
    }

    private LiveLink link(LinkId id) throws RefusedException {
        var link = links.get(id);
        if (link == null) {
            throw new RefusedException("it does not exist any more");
        }
        return link;
    }

    @Override
    public void promote(LinkId id, boolean isForced) throws RefusedException {
        link(id).promote(isForced);
    }

    @Override
    public void demote(LinkId id, boolean isForced) throws RefusedException {
        link(id).demote(isForced);
    }

    @Override
    public void resolve(LinkId id, boolean isLocalKept) throws RefusedException {
        link(id).resolve(isLocalKept);
    }

    @Override
    public void invalidate(LinkId id, boolean isPeers) throws RefusedException {
        link(id).invalidate(isPeers);
    }

    @Override
    public void change(LinkId id, Terms terms) throws RefusedException {
        var link = link(id);
        if (!link.link().connects()) {
            throw new RefusedException("peer %s made it, and connects: ask there"
                    .formatted(link.link().peer()));
        }
        link.change(terms);
    }

    @Override
    public void verify(LinkId id) throws RefusedException {
        link(id).verify(false);
    }

    @Override
    public void stopVerify(LinkId id) throws RefusedException {
        link(id).verify(true);
    }

    @Override
    public void reconnect(LinkId id) throws RefusedException {
        link(id).reconnect();
    }

    @Override
    public void remove(LinkId id) throws RefusedException {
        link(id).remove();
        links.remove(id);
    }

    @Override
    public void close() {
        synchronized (links) {
            isClosed = true;
        }
        // Side by side: each may wait for its disk.
        var ends = links.values().stream()
                .map(each ->
                        Thread.ofPlatform().name("tidemark-live-end").daemon().start(each::close))
                .toList();
        for (var end : ends) {
            try {
                end.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
        links.clear();
    }
}
