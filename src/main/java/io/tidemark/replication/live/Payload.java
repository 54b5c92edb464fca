package io.tidemark.replication.live;

/** Bytes of a write or of a resync. They are handed on as they are: the core never looks into them. */
public interface Payload {
    /**
     * A part of them.
     *
     * @param from bytes from the start
     * @param length bytes; {@code from + length} is within these
     */
    Payload slice(int from, int length);
}
