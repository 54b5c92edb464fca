package io.tidemark.domain;

/** What a recovery point is good for, weakest first. Always what was achieved, never what was intended. */
public enum Consistency {
    /** As after a power cut: each volume at its cut, applications recover by themselves. */
    CRASH,
    /** File systems were frozen over all cuts: nothing half written by the file system. */
    FILESYSTEM,
    /** Every application of the group was frozen over all cuts, and its file systems with it. */
    APPLICATION;

    public boolean atLeast(Consistency other) {
        return compareTo(other) >= 0;
    }
}
