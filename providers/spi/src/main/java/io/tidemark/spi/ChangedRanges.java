package io.tidemark.spi;

import java.util.Optional;

/** Streaming answer: ranges in ascending order, disjoint. May name too much, never too little. Close it. */
public interface ChangedRanges extends AutoCloseable {

    /** How far the answer can be believed. */
    enum Confidence {
        /** Every named range changed, at {@link #granularityBytes}. */
        EXACT,
        /** Named ranges hold changes, among unchanged blocks. */
        COARSE,
        /** A guess that must be checked by comparing. */
        UNTRUSTED
    }

    /** Ranges are multiples of this, except at the end of the image. */
    int granularityBytes();

    Confidence confidence();

    /** For people and reports: {@code btrfs-send}, {@code fiemap}, {@code full}. */
    String source();

    /** The next range, or empty at the end. */
    Optional<BlockRange> next() throws ProviderException;

    @Override
    void close() throws ProviderException;
}
