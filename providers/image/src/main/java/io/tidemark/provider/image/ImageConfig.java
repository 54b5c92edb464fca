package io.tidemark.provider.image;

import io.tidemark.spi.BadSetting;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The provider's settings: {@code folders} (a list of absolute paths, in which images are found and made; new volumes
 * go to the first) and {@code changes}.
 */
record ImageConfig(List<Path> folders, Changes changes) {
    /** A folder is locked, probed and listed one after the other; more than this is a mistake in the list. */
    static final int FOLDERS_MAXIMUM = 64;

    private static final String FOLDERS = "folders";
    private static final String CHANGES = "changes";

    /** How changed ranges are found; each falls back to the next where the storage cannot do it. */
    enum Changes {
        /** {@code btrfs send}, else extents, else everything. */
        BEST,
        /** By comparing the extents of the two files, else everything. */
        EXTENTS,
        /** Everything, to be compared by the block engine. */
        FULL
    }

    ImageConfig {
        folders = List.copyOf(folders);
        if (folders.isEmpty() || folders.size() > FOLDERS_MAXIMUM) {
            throw new BadSetting(
                    FOLDERS, "%s needs 1 to %d folders, not %d".formatted(FOLDERS, FOLDERS_MAXIMUM, folders.size()));
        }
        for (int index = 0; index < folders.size(); index++) {
            if (!folders.get(index).isAbsolute()) {
                throw badFolder(index, "not an absolute path: " + folders.get(index));
            }
        }
        var seen = new HashSet<Path>();
        for (int index = 0; index < folders.size(); index++) {
            if (!seen.add(folders.get(index).normalize())) {
                throw badFolder(index, "named twice: " + folders.get(index));
            }
        }
    }

    private static BadSetting badFolder(int index, String problem) {
        var key = FOLDERS + "." + index;
        return new BadSetting(key, "%s: %s".formatted(BadSetting.told(key), problem));
    }

    /** @throws IllegalArgumentException naming the setting and what is allowed */
    static ImageConfig of(Map<String, String> settings) {
        var folders = new TreeMap<Integer, Path>();
        var changes = Changes.BEST;
        for (var setting : settings.entrySet()) {
            var key = setting.getKey();
            if (key.equals(CHANGES)) {
                changes = changes(setting.getValue());
            } else if (key.matches("folders\\.[0-9]{1,4}")) {
                folders.put(Integer.valueOf(key.substring(FOLDERS.length() + 1)), folder(key, setting.getValue()));
            } else if (key.equals(FOLDERS)) {
                throw new BadSetting(key, "folders is one text, expected a list of absolute paths");
            } else {
                throw BadSetting.unknown(key, "image", "did you mean " + nearest(key));
            }
        }
        return new ImageConfig(new ArrayList<>(folders.values()), changes);
    }

    private static Path folder(String key, String value) {
        if (value.isBlank() || value.indexOf('\0') >= 0) {
            throw new BadSetting(key, "%s: not a path: \"%s\"".formatted(BadSetting.told(key), value));
        }
        return Path.of(value);
    }

    private static Changes changes(String value) {
        return switch (value) {
            case "best" -> Changes.BEST;
            case "extents" -> Changes.EXTENTS;
            case "full" -> Changes.FULL;
            default ->
                throw new BadSetting(CHANGES, "%s is best, extents or full, not \"%s\"".formatted(CHANGES, value));
        };
    }

    private static String nearest(String key) {
        return List.of(FOLDERS, CHANGES).stream()
                .min(Comparator.comparingInt(candidate -> distance(key, candidate)))
                .orElseThrow();
    }

    /** Levenshtein's: the fewest letters to insert, delete or replace. */
    private static int distance(String left, String right) {
        var previous = new int[right.length() + 1];
        for (int column = 0; column <= right.length(); column++) {
            previous[column] = column;
        }
        for (int row = 1; row <= left.length(); row++) {
            var current = new int[right.length() + 1];
            current[0] = row;
            for (int column = 1; column <= right.length(); column++) {
                int replaced = previous[column - 1] + (left.charAt(row - 1) == right.charAt(column - 1) ? 0 : 1);
                current[column] = Math.min(replaced, 1 + Math.min(previous[column], current[column - 1]));
            }
            previous = current;
        }
        return previous[right.length()];
    }
}
