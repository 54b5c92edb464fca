package io.tidemark.replication.live;

/**
 * What is done without a person after both copies were written apart: DRBD's {@code after-sb-0pri} and {@code after-sb-1pri}
 * (drbd.conf 9), of which there are fewer here. Both sides have to be told the same; two primaries always stand alone.
 *
 * @param noPrimary where neither is primary when they meet
 * @param onePrimary where one is
 */
public record AfterSplitBrain(NoPrimary noPrimary, OnePrimary onePrimary) {
    /** A person has to choose, whatever has happened. */
    public static final AfterSplitBrain DISCONNECT = new AfterSplitBrain(NoPrimary.DISCONNECT, OnePrimary.DISCONNECT);

    public enum NoPrimary {
        DISCONNECT,
        /** The one that has written nothing yields, where the other has. */
        DISCARD_ZERO_CHANGES,
        /** The one that has written fewer blocks yields. */
        DISCARD_LEAST_CHANGES,
        /** The one that has been written alone since later yields: by both hosts' clocks, {@link SplitBrain#CLOCKS_APART}. */
        DISCARD_YOUNGER
    }

    public enum OnePrimary {
        DISCONNECT,
        DISCARD_SECONDARY
    }
}
