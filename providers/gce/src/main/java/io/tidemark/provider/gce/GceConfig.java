package io.tidemark.provider.gce;

import io.tidemark.provider.cloud.CloudSettings;
import io.tidemark.provider.cloud.CutRates;
import io.tidemark.spi.BadSetting;
import io.tidemark.spi.PublishedLimit;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;

/**
 * The provider's settings. {@code project}; {@code installation}, a word that no other Tidemark of the project has: it
 * is on all that we make, and a new host with the same word takes up where a lost one was; {@code locations}, the
 * zones and regions whose disks are seen; {@code onlyLabelled}, a label {@code KEY=VALUE} that a disk needs to be
 * seen; {@code endpoint} where requests go elsewhere than to Google's own address. Credentials come by the SDK's own
 * chain alone.
 *
 * @param name by which the volumes are called
 * @param storageLocation a region or multi-region where snapshots are kept; else Google chooses the nearest
 *     multi-region
 * @param keepsRates whether a cut that the published rate would refuse is refused before it
 * @param guestFlush whether Google asks the guest to run its own scripts around the snapshot, see guestFlush in
 *     snapshots.insert
 * @param snapshotType {@code STANDARD} or {@code ARCHIVE}, which costs less and takes longer to be read
 * @param helper empty: snapshots are not read
 */
record GceConfig(
        String name,
        String project,
        String installation,
        List<GceLocation> locations,
        Optional<Label> onlyLabelled,
        Optional<URI> endpoint,
        Optional<String> storageLocation,
        boolean keepsRates,
        boolean guestFlush,
        String snapshotType,
        Optional<HelperSettings> helper) {
    static final int LOCATIONS_MAXIMUM = 200;

    private static final String PROJECT = "project";
    private static final String LOCATIONS = "locations";
    private static final String ONLY_LABELLED = "onlyLabelled";
    private static final String ENDPOINT = "endpoint";
    private static final String STORAGE_LOCATION = "storageLocation";
    private static final String GUEST_FLUSH = "guestFlush";
    private static final String ARCHIVE = "ARCHIVE";
    private static final String SNAPSHOT_TYPE = "snapshotType";
    private static final List<String> KNOWN = List.of(
            PROJECT,
            CloudSettings.INSTALLATION,
            LOCATIONS,
            ONLY_LABELLED,
            ENDPOINT,
            STORAGE_LOCATION,
            CutRates.SETTING,
            GUEST_FLUSH,
            SNAPSHOT_TYPE);

    /** "Creating and managing projects": project IDs; before them a domain's. */
    private static final Pattern PROJECT_FORM = Pattern.compile("([a-z0-9.-]{1,80}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]");

    /** "Requirements for labels": 63 characters each. */
    private static final Pattern LABEL_FORM = Pattern.compile("([a-z][a-z0-9_-]{0,62})=([a-z0-9_-]{0,63})");

    private static final Pattern STORAGE_FORM = Pattern.compile("[a-z]+(-[a-z]+[0-9]{1,2})?");
    private static final Pattern LOCATION_SETTING = Pattern.compile("locations\\.([0-9]{1,6})");

    GceConfig {
        locations = List.copyOf(locations);
    }

    record Label(String key, String value) {}

    /** @throws IllegalArgumentException naming the setting and what is allowed */
    static GceConfig of(String name, Map<String, String> settings) {
        for (var key : settings.keySet()) {
            boolean isEntry = LOCATION_SETTING.matcher(key).matches();
            if (!isEntry && !KNOWN.contains(key) && !HelperSettings.KNOWN.contains(key)) {
                throw BadSetting.unknown(
                        key,
                        GceNames.PROVIDER,
                        "there are %s, %s"
                                .formatted(String.join(", ", KNOWN), String.join(", ", HelperSettings.KNOWN)));
            }
        }
        var told = new CloudSettings(GceNames.PROVIDER, settings);
        var project = told.needed(PROJECT, PROJECT_FORM, "a project's ID such as my-project-1");
        return new GceConfig(
                name,
                project,
                told.installation(),
                locations(settings),
                label(settings),
                endpoint(settings),
                Optional.ofNullable(settings.get(STORAGE_LOCATION)).map(GceConfig::storage),
                CutRates.isKept(settings),
                flush(settings.getOrDefault(GUEST_FLUSH, "false")),
                type(settings.getOrDefault(SNAPSHOT_TYPE, "standard")),
                HelperSettings.of(settings, project));
    }

    CutRates rates(PublishedLimit limit, LongSupplier nanos) {
        return new CutRates(Optional.of(limit).filter(each -> keepsRates), GceFailures.DISK_RATE_HOLDER, nanos);
    }

    /** A single one may be written without a list. */
    private static List<GceLocation> locations(Map<String, String> settings) {
        var entries = new TreeMap<Integer, String>();
        settings.keySet().forEach(key -> {
            var matched = LOCATION_SETTING.matcher(key);
            if (matched.matches()) {
                entries.put(Integer.parseInt(matched.group(1)), key);
            }
        });
        if (settings.containsKey(LOCATIONS)) {
            entries.put(0, LOCATIONS);
        }
        if (entries.isEmpty() || entries.size() > LOCATIONS_MAXIMUM) {
            throw new IllegalArgumentException(
                    "provider gce needs the setting %s: 1 to %d zones or regions, such as europe-west3-a and europe-west3"
                            .formatted(LOCATIONS, LOCATIONS_MAXIMUM));
        }
        var found = new ArrayList<GceLocation>();
        for (var key : entries.values()) {
            found.add(location(key, String.valueOf(settings.get(key))));
        }
        return found;
    }

    private static GceLocation location(String key, String value) {
        try {
            return new GceLocation(value);
        } catch (IllegalArgumentException e) {
            throw new BadSetting(
                    key,
                    "%s is a zone such as europe-west3-a or a region such as europe-west3, not \"%s\""
                            .formatted(BadSetting.told(key), value));
        }
    }

    private static Optional<Label> label(Map<String, String> settings) {
        var value = settings.get(ONLY_LABELLED);
        if (value == null) {
            return Optional.empty();
        }
        var matched = LABEL_FORM.matcher(value);
        if (!matched.matches()) {
            throw new BadSetting(
                    ONLY_LABELLED,
                    "%s is KEY=VALUE of at most 63 characters of [a-z0-9_-] each, not \"%s\""
                            .formatted(ONLY_LABELLED, value));
        }
        return Optional.of(new Label(matched.group(1), matched.group(2)));
    }

    private static Optional<URI> endpoint(Map<String, String> settings) {
        var value = settings.get(ENDPOINT);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.matches("https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")) {
            throw new BadSetting(
                    ENDPOINT,
                    "%s is an address such as https://compute.googleapis.com, not \"%s\"".formatted(ENDPOINT, value));
        }
        return Optional.of(URI.create(value));
    }

    private static String storage(String value) {
        if (!STORAGE_FORM.matcher(value).matches()) {
            throw new BadSetting(
                    STORAGE_LOCATION,
                    "%s is a region such as europe-west3 or a multi-region such as eu, not \"%s\""
                            .formatted(STORAGE_LOCATION, value));
        }
        return value;
    }

    /** As a link to it ends. */
    String snapshotLink(String snapshot) {
        return "projects/%s/global/snapshots/%s".formatted(project, snapshot);
    }

    boolean isArchive() {
        return snapshotType.equals(ARCHIVE);
    }

    private static String type(String value) {
        return switch (value) {
            case "standard" -> "STANDARD";
            case "archive" -> ARCHIVE;
            default ->
                throw new BadSetting(
                        SNAPSHOT_TYPE, "%s is standard or archive, not \"%s\"".formatted(SNAPSHOT_TYPE, value));
        };
    }

    private static boolean flush(String value) {
        if (!value.equals("true") && !value.equals("false")) {
            throw new BadSetting(GUEST_FLUSH, "%s is true or false, not \"%s\"".formatted(GUEST_FLUSH, value));
        }
        return value.equals("true");
    }
}
