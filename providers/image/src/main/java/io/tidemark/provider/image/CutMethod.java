package io.tidemark.provider.image;

/** How a volume is snapshotted; the code is in records on disk. */
enum CutMethod {
    /** A read-only snapshot of the volume's own Btrfs subvolume: constant time. */
    SUBVOLUME(1, "subvolume"),
    /** {@code FICLONE}: time grows with the number of the image's extents. */
    REFLINK(2, "reflink"),
    /** A sparse copy: time grows with the image's bytes. */
    COPY(3, "copy");

    private final int code;
    private final String word;

    CutMethod(int code, String word) {
        this.code = code;
        this.word = word;
    }

    int code() {
        return code;
    }

    /** As shown in a volume's facts. */
    String word() {
        return word;
    }

    /** @throws IllegalArgumentException for a code this version does not know */
    static CutMethod ofCode(int code) {
        for (var method : values()) {
            if (method.code == code) {
                return method;
            }
        }
        throw new IllegalArgumentException("unknown cut method code " + code);
    }
}
