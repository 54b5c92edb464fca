package io.tidemark.provider.lvm;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The provider's settings: {@code group}, the volume group whose thin volumes it manages, {@code pool}, the thin pool of
 * that group in which new ones are made, and {@code minimumFreePercent}, 0 to 50, of a pool's data and of its metadata:
 * with less free, no snapshot is prepared. A pool that runs full takes the writes of all its volumes with it.
 */
record LvmConfig(String group, String pool, int minimumFreePercent) {
    /** lvm(8), "Valid names"; without a plus sign, which no volume id can have. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,126}");

    private static final String GROUP = "group";
    private static final String POOL = "pool";
    private static final String MINIMUM_FREE = "minimumFreePercent";
    private static final int MINIMUM_FREE_MAXIMUM = 50;
    /** Time to act before writers meet a full pool. */
    static final int MINIMUM_FREE_DEFAULT = 5;

    LvmConfig(String group, String pool) {
        this(group, pool, MINIMUM_FREE_DEFAULT);
    }

    private static final List<String> KNOWN = List.of(GROUP, POOL, MINIMUM_FREE);

    /** @throws IllegalArgumentException naming the setting and what is allowed */
    static LvmConfig of(Map<String, String> settings) {
        for (var key : settings.keySet()) {
            if (!KNOWN.contains(key)) {
                throw new IllegalArgumentException(
                        "unknown setting %s of provider lvm; there are %s".formatted(key, String.join(", ", KNOWN)));
            }
        }
        return new LvmConfig(name(settings, GROUP), name(settings, POOL), percent(settings));
    }

    private static int percent(Map<String, String> settings) {
        var value = settings.getOrDefault(MINIMUM_FREE, String.valueOf(MINIMUM_FREE_DEFAULT));
        if (!value.matches("[0-9]{1,2}") || Integer.parseInt(value) > MINIMUM_FREE_MAXIMUM) {
            throw new IllegalArgumentException("%s of provider lvm is not a number from 0 to %d: %s"
                    .formatted(MINIMUM_FREE, MINIMUM_FREE_MAXIMUM, value));
        }
        return Integer.parseInt(value);
    }

    private static String name(Map<String, String> settings, String key) {
        var value = settings.get(key);
        if (value == null) {
            throw new IllegalArgumentException("provider lvm needs the setting " + key);
        }
        if (!NAME.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    "%s of provider lvm is no name that LVM allows: %s".formatted(key, value));
        }
        return value;
    }
}
