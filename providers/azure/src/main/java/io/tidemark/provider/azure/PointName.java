package io.tidemark.provider.azure;

import java.util.Optional;

/** What the id of a disk's part of a restore point is made of. */
record PointName(String group, String collection, String point, String disk) {
    private static final int WORDS = 13;

    /** Empty where the id is another thing's. */
    static Optional<PointName> of(String armId) {
        var words = armId.split("/", -1);
        return words.length == WORDS && words[11].equalsIgnoreCase("diskRestorePoints")
                ? Optional.of(new PointName(words[4], words[8], words[10], words[12]))
                : Optional.empty();
    }
}
