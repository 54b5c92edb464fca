package io.tidemark.replication.protocol;

import io.tidemark.replication.live.LiveWire;
import java.util.Optional;

/** Every kind of frame, its number on the wire (never changed, never used again) and the most its payload may hold. */
public enum FrameType {
    HELLO(1, Limits.SMALL),
    WELCOME(2, Limits.SMALL),
    REFUSED(3, Limits.LISTS),
    ALIVE(4, Limits.SMALL),

    OFFER(16, Limits.METADATA),
    ACCEPT(17, Limits.SMALL),
    DIGESTS_WANTED(18, Limits.SMALL),
    DIGESTS(19, Limits.DIGESTS),
    BLOCKS(20, Limits.BLOCKS),
    ACKNOWLEDGED(21, Limits.SMALL),
    COMMIT(22, Limits.SMALL),
    COMMITTED(23, Limits.SMALL),

    OPEN_LINK(32, Limits.SMALL),
    LINK_OPENED(33, Limits.SMALL),
    OPEN_STREAM_LINK(34, Limits.SMALL),

    VERIFY(40, Limits.SMALL),
    VERIFY_READY(41, Limits.SMALL),
    NODES_WANTED(42, Limits.SMALL),
    NODES(43, Limits.NODES),

    REVERSE(44, Limits.SMALL),
    REVERSED(45, Limits.SMALL),

    PAIR(48, Limits.SMALL),
    PAIRED(49, Limits.SMALL),

    TEXT(56, Limits.METADATA),

    OPEN_LIVE(64, Limits.SMALL),
    LIVE_OPENED(65, Limits.SMALL),
    LIVE(66, LiveWire.FRAME_MAXIMUM);

    private final int code;
    private final int payloadBytesMaximum;

    FrameType(int code, int payloadBytesMaximum) {
        this.code = code;
        this.payloadBytesMaximum = payloadBytesMaximum;
    }

    public int code() {
        return code;
    }

    /** Before compression and after it. */
    public int payloadBytesMaximum() {
        return payloadBytesMaximum;
    }

    /** Asked for each frame: {@link #values} makes a copy. */
    private static final FrameType[] ALL = values();

    /** Whether sites of any two versions must understand it: their layout and their header's version never change. */
    boolean greets() {
        return this == HELLO || this == WELCOME || this == REFUSED || this == ALIVE;
    }

    static Optional<FrameType> ofCode(int code) {
        for (var type : ALL) {
            if (type.code == code) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /** Payload limits in bytes: what a receiver must be ready to hold before it can check anything. */
    private static final class Limits {
        /** Fixed fields and a few names. */
        static final int SMALL = 2 << 10;
        /** Two lists of 256 recovery point ids of 43 characters. */
        static final int LISTS = 32 << 10;
        /** A recovery point with its evidence: two texts of 1 MiB, escaped, and the lists. */
        static final int METADATA = 8 << 20;
        /** 256 KiB of blocks and the table of their places. */
        static final int BLOCKS = (256 << 10) + (16 << 10);
        /** Digests of 16 MiB. */
        static final int DIGESTS = (64 << 10) + (1 << 10);
        /** 65,536 digests of a checksum tree. */
        static final int NODES = (1 << 20) + (1 << 10);
    }
}
