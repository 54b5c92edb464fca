package io.tidemark.provider.lvm;

/**
 * A classic snapshot, which is the store of what its origin has lost since.
 *
 * @param origin the logical volume's name; empty for whatever is no classic snapshot
 * @param originBytes what the origin's size was, and the snapshot's is
 * @param percent of the store in use
 * @param invalid the store overflowed: the kernel has given the snapshot up, for good
 */
record StoreUse(String origin, long originBytes, double percent, boolean invalid) {
    static final StoreUse NONE = new StoreUse("", 0, 0, false);

    boolean present() {
        return !origin.isEmpty();
    }
}
