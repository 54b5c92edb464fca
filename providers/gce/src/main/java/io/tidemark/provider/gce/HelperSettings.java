package io.tidemark.provider.gce;

import io.tidemark.spi.BadSetting;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How snapshots are read: on the instance that we run on, from temporary disks that are attached to it. {@code helper},
 * the instance, {@code projects/PROJECT/zones/ZONE/instances/NAME}, or {@code this}: asked of the metadata server;
 * {@code helperDevices}, the folder where attached disks appear as {@code google-NAME}; {@code helperDisks}, how many
 * may be attached for reading at once, 1 to 127; {@code helperDiskType}, such as {@code pd-balanced}.
 *
 * @param instance empty: whichever the metadata server says that this is
 */
record HelperSettings(Optional<HelperInstance> instance, Path devices, int disks, Optional<String> diskType) {
    static final String HELPER = "helper";
    static final String DEVICES = "helperDevices";
    static final String DISKS = "helperDisks";
    static final String DISK_TYPE = "helperDiskType";
    static final List<String> KNOWN = List.of(HELPER, DEVICES, DISKS, DISK_TYPE);

    /** Asks the metadata server, and nobody else's setting does. */
    private static final String THIS = "this";

    private static final int DISKS_DEFAULT = 8;
    private static final Pattern TYPE_FORM = Pattern.compile("[a-z][a-z0-9-]{1,62}");
    private static final Pattern DISKS_FORM = Pattern.compile("[1-9][0-9]{0,2}");

    /** Where udev's rules of Google's guest environment name attached disks by their device name. */
    private static final Path BY_ID = Path.of("/dev/disk/by-id");

    /** Empty: snapshots are not read. */
    static Optional<HelperSettings> of(Map<String, String> settings, String project) {
        var value = settings.get(HELPER);
        if (value == null) {
            for (var each : KNOWN) {
                if (settings.containsKey(each)) {
                    throw new BadSetting(
                            each, "%s is for reading by a helper, and the setting helper is missing".formatted(each));
                }
            }
            return Optional.empty();
        }
        return Optional.of(new HelperSettings(
                value.equals(THIS) ? Optional.empty() : Optional.of(instance(value, project)),
                devices(settings),
                disks(settings),
                Optional.ofNullable(settings.get(DISK_TYPE)).map(HelperSettings::type)));
    }

    private static HelperInstance instance(String value, String project) {
        return HelperInstance.parse(value)
                .filter(each -> each.project().equals(project))
                .orElseThrow(() -> new BadSetting(
                        HELPER,
                        "helper is \"this\" or projects/%s/zones/ZONE/instances/NAME, of the same project, not \"%s\""
                                .formatted(project, value)));
    }

    private static Path devices(Map<String, String> settings) {
        var path = Path.of(settings.getOrDefault(DEVICES, BY_ID.toString()));
        if (!path.isAbsolute()) {
            throw new BadSetting(DEVICES, "helperDevices is an absolute path of a folder, not \"%s\"".formatted(path));
        }
        return path;
    }

    private static int disks(Map<String, String> settings) {
        var value = settings.getOrDefault(DISKS, String.valueOf(DISKS_DEFAULT));
        if (!DISKS_FORM.matcher(value).matches() || Integer.parseInt(value) > GceLimits.DISKS_ATTACHED_MAXIMUM) {
            throw new BadSetting(
                    DISKS, "helperDisks is 1 to %d, not \"%s\"".formatted(GceLimits.DISKS_ATTACHED_MAXIMUM, value));
        }
        return Integer.parseInt(value);
    }

    private static String type(String value) {
        if (!TYPE_FORM.matcher(value).matches()) {
            throw new BadSetting(
                    DISK_TYPE, "helperDiskType is a type such as pd-balanced, not \"%s\"".formatted(value));
        }
        return value;
    }
}
