package io.tidemark.replication.live;

/** Digests of blocks of 4 KiB, one after the other. They are handed on as they are: the core only asks which are the same. */
public interface Digests {
    /** How many blocks they are of; the last may be a part of one, at the volume's end. */
    int count();

    /**
     * Whether a block has the same digest in both.
     *
     * @param block from 0, below {@link #count}
     * @param other of as many blocks
     */
    boolean isSame(int block, Digests other);
}
