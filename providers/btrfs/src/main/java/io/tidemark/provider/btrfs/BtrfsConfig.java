package io.tidemark.provider.btrfs;

import io.tidemark.spi.BadSetting;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;

/** The provider's one setting: {@code folder}, on a mounted Btrfs, whose subvolumes are the volumes. */
record BtrfsConfig(Path folder) {
    private static final String FOLDER = "folder";

    /** @throws IllegalArgumentException naming the setting and what is allowed */
    static BtrfsConfig of(Map<String, String> settings) {
        for (var key : settings.keySet()) {
            if (!key.equals(FOLDER)) {
                throw BadSetting.unknown(key, "btrfs", "there is " + FOLDER);
            }
        }
        var folder = settings.get(FOLDER);
        if (folder == null) {
            throw new BadSetting(FOLDER, "provider btrfs needs the setting " + FOLDER);
        }
        if (!folder.startsWith("/")) {
            throw new BadSetting(
                    FOLDER,
                    "folder of provider btrfs is not an absolute path such as /srv/data: \"%s\"".formatted(folder));
        }
        try {
            return new BtrfsConfig(Path.of(folder));
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("folder of provider btrfs is not a path: " + e.getReason(), e);
        }
    }
}
