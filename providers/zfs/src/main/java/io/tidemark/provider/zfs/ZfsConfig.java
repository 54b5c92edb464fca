package io.tidemark.provider.zfs;

import io.tidemark.provider.devices.KeepFor;
import io.tidemark.spi.BadSetting;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The provider's settings: {@code dataset}, a pool or a file system of it, of which all volumes and file systems below it
 * are managed, and new volumes are made right in it; and {@code keepFor}, for how long there has to be room for a snapshot.
 */
record ZfsConfig(String dataset, KeepFor keepFor) {
    private static final String DATASET = "dataset";

    /** zpool-create(8) and zfs(8), without the characters that no volume id can have. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*");

    /** A name in ZFS has 255 characters; a snapshot of a volume of ours needs 131 beside this. */
    private static final int CHARACTERS_MAXIMUM = 120;

    private static final List<String> KNOWN = List.of(DATASET, KeepFor.SETTING);

    ZfsConfig(String dataset) {
        this(dataset, KeepFor.NONE);
    }

    String pool() {
        int end = dataset.indexOf('/');
        return end < 0 ? dataset : dataset.substring(0, end);
    }

    /** @throws IllegalArgumentException naming the setting and what is allowed */
    static ZfsConfig of(Map<String, String> settings) {
        for (var key : settings.keySet()) {
            if (!KNOWN.contains(key)) {
                throw BadSetting.unknown(key, "zfs", "there are " + String.join(", ", KNOWN));
            }
        }
        var dataset = settings.get(DATASET);
        if (dataset == null) {
            throw new BadSetting(DATASET, "provider zfs needs the setting " + DATASET);
        }
        if (!NAME.matcher(dataset).matches() || dataset.length() > CHARACTERS_MAXIMUM) {
            throw new BadSetting(
                    DATASET,
                    "dataset of provider zfs is not a name such as tank/volumes of at most "
                            + "%d characters: %s".formatted(CHARACTERS_MAXIMUM, dataset));
        }
        return new ZfsConfig(dataset, KeepFor.of(settings, ZfsNames.PROVIDER));
    }
}
