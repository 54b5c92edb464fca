package io.tidemark.replication.protocol;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.live.AfterSplitBrain;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.LiveMessage;
import io.tidemark.replication.live.LiveWire;
import io.tidemark.replication.live.Protocol;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/** One thing a site says to another. Buffers are read-only by agreement and good until the next frame is read. */
public sealed interface Message {
    FrameType type();

    /** What a connection is for; it never serves two purposes. */
    enum Purpose {
        SYNC(1),
        OPEN_LINK(2),
        VERIFY(3),
        PAIR(4),
        /** As SYNC, and what stands in the way at the target is overwritten. */
        RESYNC(5),
        REVERSE(6),
        /**
         * As SYNC, but what an interrupted transfer left is not gone on with: the changed-range source that named its
         * blocks has left out some.
         */
        SYNC_ANEW(7),
        /** A host becomes an agent of this controller, by a one-time invitation. */
        ENROL(8),
        /** An agent offers to carry out its controller's commands. */
        AGENT(9),
        /** A volume that is replicated write by write; both sides speak at once, for as long as both live. */
        LIVE(10);

        private final int code;

        Purpose(int code) {
            this.code = code;
        }

        public int code() {
            return code;
        }
    }

    /** First of all, from the side that connected. */
    record Hello(int oldestVersion, int newestVersion, Purpose purpose, String software) implements Message {
        @Override
        public FrameType type() {
            return FrameType.HELLO;
        }
    }

    /** @param version the one both will use */
    record Welcome(int version, String software) implements Message {
        @Override
        public FrameType type() {
            return FrameType.WELCOME;
        }
    }

    /** The last frame of its sender. */
    record Refused(ReplicationError error) implements Message {
        @Override
        public FrameType type() {
            return FrameType.REFUSED;
        }
    }

    /** Long work goes on; resets the other side's patience and nothing else. */
    record Alive(String phase, long doneUnits, long totalUnits) implements Message {
        @Override
        public FrameType type() {
            return FrameType.ALIVE;
        }
    }

    /**
     * The source has this recovery point for the target.
     *
     * @param candidates recovery points the source could build upon, newest first, at most 256
     * @param volumeBytes of a stream {@link #STREAM_BYTES}, more than any has
     * @param blockBytes what extents are multiples of; 1: what follows is the storage's own stream of the snapshot, whose
     *     extents follow each other without a gap
     * @param metadata the recovery point as JSON, which the core does not read
     */
    record Offer(
            LinkId link,
            RecoveryPointId point,
            List<RecoveryPointId> candidates,
            long volumeBytes,
            int blockBytes,
            String metadata)
            implements Message {
        public static final int CANDIDATES_MAXIMUM = 256;
        public static final int STREAM_BLOCK_BYTES = 1;
        /** How long a stream is, nobody knows before its end. */
        public static final long STREAM_BYTES = 1L << 60;

        public Offer {
            candidates = List.copyOf(candidates);
        }

        public boolean stream() {
            return blockBytes == STREAM_BLOCK_BYTES;
        }

        @Override
        public FrameType type() {
            return FrameType.OFFER;
        }
    }

    /**
     * The target's answer.
     *
     * @param there the recovery point is at the target already, nothing is to be sent
     * @param newest whether it is also the newest there; only then may the source let older bases go
     * @param base what to build upon; empty: compare digests with what the target has
     * @param resume totals of what an interrupted transfer left, durable
     */
    record Accept(boolean there, boolean newest, Optional<RecoveryPointId> base, IngestTotals resume)
            implements Message {
        @Override
        public FrameType type() {
            return FrameType.ACCEPT;
        }
    }

    /** @param lengthBytes at most 16 MiB */
    record DigestsWanted(long offsetBytes, int lengthBytes) implements Message {
        public static final int LENGTH_BYTES_MAXIMUM = 16 << 20;

        @Override
        public FrameType type() {
            return FrameType.DIGESTS_WANTED;
        }
    }

    /**
     * XXH3-128 of every 4 KiB block of a span of the target's volume.
     *
     * @param digests 16 bytes a block; nothing when the whole span is zeros
     */
    record Digests(long offsetBytes, int lengthBytes, ByteBuffer digests) implements Message {
        @Override
        public FrameType type() {
            return FrameType.DIGESTS;
        }
    }

    /**
     * Changed blocks, ascending.
     *
     * @param extents 1 to 1024
     * @param data bytes of all extents that are not zero, one after the other
     */
    record Blocks(List<BlockExtent> extents, ByteBuffer data, int dataChecksum) implements Message {
        public static final int EXTENTS_MAXIMUM = 1_024;
        public static final int DATA_BYTES_MAXIMUM = 256 << 10;

        public Blocks {
            extents = List.copyOf(extents);
        }

        /** Reads the data once, for its checksum. */
        public Blocks(List<BlockExtent> extents, ByteBuffer data) {
            this(extents, data, Crc32c.of(data));
        }

        @Override
        public FrameType type() {
            return FrameType.BLOCKS;
        }
    }

    /** @param durable everything up to here survives the target's death */
    record Acknowledged(IngestTotals durable) implements Message {
        @Override
        public FrameType type() {
            return FrameType.ACKNOWLEDGED;
        }
    }

    /** All is sent; with these totals it is a recovery point. */
    record Commit(IngestTotals totals, SyncCost cost) implements Message {
        @Override
        public FrameType type() {
            return FrameType.COMMIT;
        }
    }

    /** The recovery point is at the target, durable, recorded and held. */
    record Committed(RecoveryPointId point) implements Message {
        @Override
        public FrameType type() {
            return FrameType.COMMITTED;
        }
    }

    record OpenLink(LinkId link, GroupId group, VolumeId sourceVolume, VolumeId targetVolume, long volumeBytes)
            implements Message {
        @Override
        public FrameType type() {
            return FrameType.OPEN_LINK;
        }
    }

    /**
     * As OPEN_LINK, of volumes whose snapshots go as their storage's own stream.
     *
     * @param format of the stream, {@code btrfs} or {@code zfs}
     */
    record OpenStreamLink(LinkId link, GroupId group, VolumeId sourceVolume, VolumeId targetVolume, String format)
            implements Message {
        @Override
        public FrameType type() {
            return FrameType.OPEN_STREAM_LINK;
        }
    }

    record LinkOpened(long targetBytes) implements Message {
        @Override
        public FrameType type() {
            return FrameType.LINK_OPENED;
        }
    }

    record Verify(LinkId link, RecoveryPointId point) implements Message {
        @Override
        public FrameType type() {
            return FrameType.VERIFY;
        }
    }

    /** The target has read its snapshot and can answer for its checksum tree (XXH3-128, 4 KiB). */
    record VerifyReady(long imageBytes) implements Message {
        @Override
        public FrameType type() {
            return FrameType.VERIFY_READY;
        }
    }

    /** @param count at most 65,536 */
    record NodesWanted(int level, long firstNode, int count) implements Message {
        public static final int COUNT_MAXIMUM = 65_536;

        @Override
        public FrameType type() {
            return FrameType.NODES_WANTED;
        }
    }

    record Nodes(int level, long firstNode, ByteBuffer digests) implements Message {
        @Override
        public FrameType type() {
            return FrameType.NODES;
        }
    }

    /**
     * With a point: the sender has sent everything up to it and sends no more; the receiver is to be the source from now
     * on. Without: the sender asks whether the receiver is the source.
     *
     * @param everyMillis how often the new source is to take and send by itself; 0: only when asked
     */
    record Reverse(LinkId link, Optional<RecoveryPointId> point, long everyMillis) implements Message {
        @Override
        public FrameType type() {
            return FrameType.REVERSE;
        }
    }

    /** Its sender is the source of the link, durably. */
    record Reversed() implements Message {
        @Override
        public FrameType type() {
            return FrameType.REVERSED;
        }
    }

    /**
     * @param secret 32 bytes from the invitation
     * @param address where the accepting site listens
     */
    record Pair(ByteBuffer secret, String address) implements Message {
        @Override
        public FrameType type() {
            return FrameType.PAIR;
        }

        @Override
        public String toString() {
            return "Pair[secret=***, address=" + address + "]";
        }
    }

    record Paired() implements Message {
        @Override
        public FrameType type() {
            return FrameType.PAIRED;
        }
    }

    /**
     * First in a session of a live link, from the side that made it.
     *
     * @param isFresh the link was just made: who does not know it makes its copy, and the volume where there is none
     * @param isOverwriting what the target volume has is given up; else one that has data is refused
     */
    record OpenLive(
            LinkId link,
            VolumeId sourceVolume,
            VolumeId targetVolume,
            Protocol protocol,
            Congestion congestion,
            long volumeBytes,
            long bufferBytes,
            int activityLogExtents,
            long resyncFloorBytes,
            long resyncCeilingBytes,
            boolean isComparing,
            AfterSplitBrain afterSplitBrain,
            boolean isFresh,
            boolean isOverwriting)
            implements Message {
        @Override
        public FrameType type() {
            return FrameType.OPEN_LIVE;
        }
    }

    /** The link is known here; what follows are LIVE and ALIVE frames, both ways. */
    record LiveOpened() implements Message {
        @Override
        public FrameType type() {
            return FrameType.LIVE_OPENED;
        }
    }

    /** What one copy of a volume tells the other: as many messages as were to be sent, {@link LiveWire#FRAME_MAXIMUM}. */
    record Live(List<LiveMessage> messages) implements Message {
        public Live {
            messages = List.copyOf(messages);
        }

        @Override
        public FrameType type() {
            return FrameType.LIVE;
        }
    }

    /** Between a controller and its agent, {@code io.tidemark.agent.remote}: a command, or what came of one, in JSON. */
    record Text(String json) implements Message {
        @Override
        public FrameType type() {
            return FrameType.TEXT;
        }
    }
}
