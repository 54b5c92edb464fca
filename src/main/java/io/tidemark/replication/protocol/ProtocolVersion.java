package io.tidemark.replication.protocol;

import java.util.Optional;

/**
 * Versions of the protocol between sites. HELLO and WELCOME keep their layout for ever; the version they agree on
 * decides all that follows.
 */
public final class ProtocolVersion {
    public static final int OLDEST = 1;
    public static final int NEWEST = 1;

    private ProtocolVersion() {}

    /** The newest that both speak. */
    public static Optional<Integer> common(int theirOldest, int theirNewest) {
        int newest = Math.min(theirNewest, NEWEST);
        return newest >= Math.max(theirOldest, OLDEST) ? Optional.of(newest) : Optional.empty();
    }

    /** For people: {@code 1} or {@code 1-3}. */
    public static String text(int oldest, int newest) {
        return oldest == newest ? Integer.toString(oldest) : oldest + "-" + newest;
    }
}
