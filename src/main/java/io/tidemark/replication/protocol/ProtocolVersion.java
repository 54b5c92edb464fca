package io.tidemark.replication.protocol;

import java.util.Optional;

/**
 * Versions of the protocol between sites. HELLO, WELCOME, REFUSED and ALIVE keep their layout and their header's version for
 * ever; the version that HELLO and WELCOME agree on decides all that follows.
 */
public final class ProtocolVersion {
    public static final int OLDEST = 1;
    public static final int NEWEST = 1;

    /** What the frames carry in their header by which sites find out what they have in common. */
    static final int OF_GREETINGS = 1;

    /** What this software speaks. */
    public static final Range SPOKEN = new Range(OLDEST, NEWEST);

    /** @param oldest at most {@code newest}; both from 1 to 255 */
    public record Range(int oldest, int newest) {
        public Range {
            if (oldest < 1 || newest < oldest || newest > 255) {
                throw new IllegalArgumentException("no range of versions: %d to %d".formatted(oldest, newest));
            }
        }

        public boolean contains(int version) {
            return version >= oldest && version <= newest;
        }

        /** The newest that both speak. */
        public Optional<Integer> common(int theirOldest, int theirNewest) {
            int least = Math.min(theirNewest, newest);
            return least >= Math.max(theirOldest, oldest) ? Optional.of(least) : Optional.empty();
        }

        /** For people: {@code 1} or {@code 1-3}. */
        @Override
        public String toString() {
            return text(oldest, newest);
        }
    }

    private ProtocolVersion() {}

    /** The newest that both speak. */
    public static Optional<Integer> common(int theirOldest, int theirNewest) {
        return SPOKEN.common(theirOldest, theirNewest);
    }

    /** For people: {@code 1} or {@code 1-3}. */
    public static String text(int oldest, int newest) {
        return oldest == newest ? Integer.toString(oldest) : oldest + "-" + newest;
    }
}
