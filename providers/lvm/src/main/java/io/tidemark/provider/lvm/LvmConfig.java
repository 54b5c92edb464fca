package io.tidemark.provider.lvm;

import io.tidemark.provider.devices.KeepFor;
import io.tidemark.spi.BadSetting;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The provider's settings: {@code group}, the volume group whose volumes it manages; {@code pool}, the thin pool of that
 * group in which new ones are made; {@code minimumFreePercent}, 0 to 50, of a pool's data and of its metadata: with less
 * free, no snapshot is prepared, for a pool that runs full takes the writes of all its volumes with it; {@code
 * classicSnapshotPercent}, 1 to 100, of a classic volume: how much of it can change before a snapshot of it is lost; and
 * {@code keepFor}, for how long there has to be room for a snapshot.
 *
 * @param pool empty where new volumes are classic ones
 */
record LvmConfig(String group, String pool, int minimumFreePercent, int classicSnapshotPercent, KeepFor keepFor) {
    /** lvm(8), "Valid names"; without a plus sign, which no volume id can have. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,126}");

    private static final String GROUP = "group";
    private static final String POOL = "pool";
    private static final String MINIMUM_FREE = "minimumFreePercent";
    private static final int MINIMUM_FREE_MAXIMUM = 50;
    /** Time to act before writers meet a full pool. */
    static final int MINIMUM_FREE_DEFAULT = 5;

    private static final String CLASSIC_SNAPSHOT = "classicSnapshotPercent";
    private static final int PERCENT_MAXIMUM = 100;
    /** As much as most volumes change within a day. */
    static final int CLASSIC_SNAPSHOT_DEFAULT = 20;

    private static final List<String> KNOWN = List.of(GROUP, POOL, MINIMUM_FREE, CLASSIC_SNAPSHOT, KeepFor.SETTING);

    LvmConfig(String group, String pool) {
        this(group, pool, MINIMUM_FREE_DEFAULT, CLASSIC_SNAPSHOT_DEFAULT, KeepFor.NONE);
    }

    boolean makesThin() {
        return !pool.isEmpty();
    }

    /** @throws IllegalArgumentException naming the setting and what is allowed */
    static LvmConfig of(Map<String, String> settings) {
        for (var key : settings.keySet()) {
            if (!KNOWN.contains(key)) {
                throw BadSetting.unknown(key, "lvm", "there are " + String.join(", ", KNOWN));
            }
        }
        return new LvmConfig(
                name(settings, GROUP),
                settings.containsKey(POOL) ? name(settings, POOL) : "",
                percent(settings, MINIMUM_FREE, 0, MINIMUM_FREE_MAXIMUM, MINIMUM_FREE_DEFAULT),
                percent(settings, CLASSIC_SNAPSHOT, 1, PERCENT_MAXIMUM, CLASSIC_SNAPSHOT_DEFAULT),
                KeepFor.of(settings, LvmNames.PROVIDER));
    }

    private static int percent(Map<String, String> settings, String key, int least, int most, int otherwise) {
        var value = settings.getOrDefault(key, String.valueOf(otherwise));
        if (!value.matches("[0-9]{1,3}") || Integer.parseInt(value) < least || Integer.parseInt(value) > most) {
            throw new BadSetting(
                    key, "%s of provider lvm is not a number from %d to %d: %s".formatted(key, least, most, value));
        }
        return Integer.parseInt(value);
    }

    private static String name(Map<String, String> settings, String key) {
        var value = settings.get(key);
        if (value == null) {
            throw new BadSetting(key, "provider lvm needs the setting " + key);
        }
        if (!NAME.matcher(value).matches()) {
            throw new BadSetting(key, "%s of provider lvm is no name that LVM allows: %s".formatted(key, value));
        }
        return value;
    }
}
