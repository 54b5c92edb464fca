package io.tidemark.control.port;

import io.tidemark.domain.ExportId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.live.AfterSplitBrain;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.LiveFigures;
import io.tidemark.replication.live.LiveStatus;
import io.tidemark.replication.live.Protocol;
import io.tidemark.replication.live.ResyncRate;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Copies of this host's volumes that are replicated write by write. They live on over restarts. */
public interface LiveHost {
    /**
     * How a volume is replicated; the same on both sides.
     *
     * @param bufferBytes of writes that the peer has not made durable
     * @param activityLogExtents of 4 MiB: what a crash of the primary makes to be compared and sent
     * @param resyncFloorBytes a second, that a resync keeps beside clients' requests; 0: it does not give way to them
     * @param resyncCeilingBytes a second; 0: none
     * @param isComparing whether a resync sends digests first, and then only what differs
     */
    record Terms(
            Protocol protocol,
            Congestion congestion,
            long bufferBytes,
            int activityLogExtents,
            long resyncFloorBytes,
            long resyncCeilingBytes,
            boolean isComparing,
            AfterSplitBrain afterSplitBrain) {
        /** Whose split brains wait for a person. */
        public Terms(
                Protocol protocol,
                Congestion congestion,
                long bufferBytes,
                int activityLogExtents,
                long resyncFloorBytes,
                long resyncCeilingBytes,
                boolean isComparing) {
            this(
                    protocol,
                    congestion,
                    bufferBytes,
                    activityLogExtents,
                    resyncFloorBytes,
                    resyncCeilingBytes,
                    isComparing,
                    AfterSplitBrain.DISCONNECT);
        }

        /** 64 KiB: one write of a client at least. */
        public static final long BUFFER_MINIMUM_BYTES = 64 << 10;
        /** 1 GiB: each byte is in memory. */
        public static final long BUFFER_MAXIMUM_BYTES = 1L << 30;

        /** DRBD's least ({@code al-extents}, drbd.conf 9). */
        public static final int EXTENTS_MINIMUM = 67;
        /** DRBD's most: 256 GiB under the activity log. */
        public static final int EXTENTS_MAXIMUM = 65_534;

        public boolean hasBufferInLimits() {
            return bufferBytes >= BUFFER_MINIMUM_BYTES && bufferBytes <= BUFFER_MAXIMUM_BYTES;
        }

        public boolean hasExtentsInLimits() {
            return activityLogExtents >= EXTENTS_MINIMUM && activityLogExtents <= EXTENTS_MAXIMUM;
        }

        /** A floor is not above its ceiling. */
        public boolean hasRatesInLimits() {
            return resyncFloorBytes >= 0
                    && resyncCeilingBytes >= 0
                    && Math.max(resyncFloorBytes, resyncCeilingBytes) <= ResyncRate.RATE_MAXIMUM
                    && (resyncCeilingBytes == 0 || resyncFloorBytes <= resyncCeilingBytes);
        }
    }

    /**
     * @param connects whether this side made the link, and connects to the peer
     * @param sizeBytes of the volume; that of the peer may be larger, and is replicated so far
     */
    record Link(
            LinkId id,
            PeerId peer,
            VolumeId localVolume,
            VolumeId peerVolume,
            long sizeBytes,
            boolean connects,
            Terms terms,
            Instant createdAt) {
        public Link with(Terms changed) {
            return new Link(id, peer, localVolume, peerVolume, sizeBytes, connects, changed, createdAt);
        }
    }

    /**
     * A link as it is now.
     *
     * @param status empty where its volume or its metadata cannot be opened, which is tried again and again
     * @param why it cannot, stands alone, or cannot be kept before it is overwritten, for people; empty where none is so
     * @param export by which clients use the volume here; there while this copy is primary
     * @param peerAddress while they are connected
     * @param kept recovery points of what a resync has overwritten or is overwriting
     * @param figures of the copy; empty where {@code status} is
     * @param changes how many there were since this process started; absent: none
     */
    record Live(
            Link link,
            Optional<LiveStatus> status,
            String why,
            Optional<ExportId> export,
            Optional<String> peerAddress,
            Optional<RecoveryPointId> kept,
            Optional<LiveFigures> figures,
            Traffic traffic,
            Map<Aspect, Long> changes) {
        public Live {
            changes = Map.copyOf(changes);
        }
    }

    /**
     * Bytes of the volume that were sent, or received; of zeros, too, though only their length goes over the line.
     *
     * @param writeBytes of clients' writes
     * @param resyncBytes of blocks of resyncs
     * @param comparedBytes whose digests went, in a verify or in a resync that compares
     */
    record Carried(long writeBytes, long resyncBytes, long comparedBytes) {
        public static final Carried NOTHING = new Carried(0, 0, 0);
    }

    /**
     * What a link has done since this process started.
     *
     * @param sessions connections with the peer that were begun
     */
    record Traffic(long sessions, Carried sent, Carried received) {
        public static final Traffic NONE = new Traffic(0, Carried.NOTHING, Carried.NOTHING);
    }

    /** What of a link changes, and is told of. */
    enum Aspect {
        ROLE,
        DISK,
        REPLICATION,
        /** Another generation has begun, or a resync has brought one: it is durable. */
        GENERATION,
        /** Both were written apart: somebody has to choose, or a policy does. */
        SPLIT_BRAIN,
        /** A verify has ended, or was cut off. */
        VERIFY
    }

    /**
     * Something has changed.
     *
     * @param number from 1, of this link since this process started
     * @param from empty where there was nothing before
     */
    record Change(long number, Instant at, Aspect aspect, String from, String to) {}

    /** Changes that are remembered of a link, the newest: the log has all. */
    int CHANGES_REMEMBERED = 256;

    /** A live copy does not do what was asked; nothing was changed, but where the message says otherwise. */
    final class RefusedException extends Exception {
        private static final long serialVersionUID = 1L;

        public RefusedException(String why) {
            super(why);
        }
    }

    /**
     * Makes this side's copy, and the peer's over the peer's own site. A crash within leaves both or none of them; what it
     * left of one is finished by the next start.
     *
     * @param isOverwriting what the peer's volume has is given up; else one that has data is refused there
     * @throws ReplicationException where the peer cannot be reached or refuses; then there is no link
     * @throws ProviderException where the volume cannot be had for this alone
     */
    void create(Link link, boolean isOverwriting) throws ProviderException, ReplicationException;

    /** In order of id. */
    List<Live> all();

    /**
     * A link whose folder this process found at its start and could not read: which volume it replicates is not known. It
     * stays so until the next start.
     */
    record Unread(LinkId id, String folder, String reason) {}

    /** In order of id. */
    List<Unread> unread();

    /** The newest of this link since this process started, oldest first: {@link #CHANGES_REMEMBERED} at most. */
    List<Change> changes(LinkId id);

    Optional<Live> find(LinkId id);

    /**
     * Makes this side primary, and opens its export.
     *
     * @param isForced though it is not known whether the peer is newer
     */
    void promote(LinkId id, boolean isForced) throws RefusedException;

    /** @param isForced ends its clients, and refuses what they wait for */
    void demote(LinkId id, boolean isForced) throws RefusedException;

    /** @param isLocalKept of two that were written apart: whether this side's content stays, and not the peer's */
    void resolve(LinkId id, boolean isLocalKept) throws RefusedException;

    /**
     * Begins to give a secondary's content up, which is kept first and then copied from its primary. Dropped where it is
     * promoted before, or meets a peer that is primary no more.
     *
     * @param isPeers the peer's, asked at the primary
     */
    void invalidate(LinkId id, boolean isPeers) throws RefusedException;

    /**
     * Replicates in another way from here on, at the side that connects; the session ends, and with the next one the peer
     * is told. Clients go on meanwhile. A crash leaves all of the old terms or all of the new ones.
     *
     * @param terms with the activity log that it has
     */
    void change(LinkId id, Terms terms) throws RefusedException;

    /** Begins to compare both copies; what differs is dirty until they meet again, and not repaired before. */
    void verify(LinkId id) throws RefusedException;

    /** Ends a verify that this side drives; what it has found stays as it is. */
    void stopVerify(LinkId id) throws RefusedException;

    /** Ends the session; the next one begins by itself, and repairs what a verify has found. */
    void reconnect(LinkId id) throws RefusedException;

    /** Forgets this side's copy; the volume stays as it is. The peer's copy is forgotten there. */
    void remove(LinkId id) throws RefusedException;
}
