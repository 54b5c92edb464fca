package io.tidemark.provider.zfs;

import java.util.Map;
import java.util.regex.Pattern;

/**
 * The provider's one setting: {@code dataset}, a pool or a file system of it. All volumes and file systems below it are
 * managed; new volumes are made right in it.
 */
record ZfsConfig(String dataset) {
    private static final String DATASET = "dataset";

    /** zpool-create(8) and zfs(8), without the characters that no volume id can have. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*");

    /** A name in ZFS has 255 characters; a snapshot of a volume of ours needs 131 beside this. */
    private static final int CHARACTERS_MAXIMUM = 120;

    String pool() {
        int end = dataset.indexOf('/');
        return end < 0 ? dataset : dataset.substring(0, end);
    }

    /** @throws IllegalArgumentException naming the setting and what is allowed */
    static ZfsConfig of(Map<String, String> settings) {
        for (var key : settings.keySet()) {
            if (!key.equals(DATASET)) {
                throw new IllegalArgumentException(
                        "unknown setting %s of provider zfs; there is %s".formatted(key, DATASET));
            }
        }
        var dataset = settings.get(DATASET);
        if (dataset == null) {
            throw new IllegalArgumentException("provider zfs needs the setting " + DATASET);
        }
        if (!NAME.matcher(dataset).matches() || dataset.length() > CHARACTERS_MAXIMUM) {
            throw new IllegalArgumentException("dataset of provider zfs is not a name such as tank/volumes of at most "
                    + "%d characters: %s".formatted(CHARACTERS_MAXIMUM, dataset));
        }
        return new ZfsConfig(dataset);
    }
}
