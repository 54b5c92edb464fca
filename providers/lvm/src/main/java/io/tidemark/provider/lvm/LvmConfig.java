package io.tidemark.provider.lvm;

import java.util.Map;
import java.util.regex.Pattern;

/**
 * The provider's settings: {@code group}, the volume group whose thin volumes it manages, and {@code pool}, the thin pool
 * of that group in which new ones are made.
 */
record LvmConfig(String group, String pool) {
    /** lvm(8), "Valid names"; without a plus sign, which no volume id can have. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,126}");

    private static final String GROUP = "group";
    private static final String POOL = "pool";

    /** @throws IllegalArgumentException naming the setting and what is allowed */
    static LvmConfig of(Map<String, String> settings) {
        for (var key : settings.keySet()) {
            if (!key.equals(GROUP) && !key.equals(POOL)) {
                throw new IllegalArgumentException(
                        "unknown setting %s of provider lvm; there are %s and %s".formatted(key, GROUP, POOL));
            }
        }
        return new LvmConfig(name(settings, GROUP), name(settings, POOL));
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
