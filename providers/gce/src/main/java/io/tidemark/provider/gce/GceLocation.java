package io.tidemark.provider.gce;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Where a disk is: in a zone, {@code europe-west3-a}, or, kept twice, in a region, {@code europe-west3}.
 *
 * @param name of the zone or region
 */
record GceLocation(String name) implements Comparable<GceLocation> {
    private static final Pattern FORM = Pattern.compile("[a-z]+-[a-z]+[0-9]{1,2}(-[a-z]{1,2})?");
    private static final Pattern ZONE = Pattern.compile("(.+)-[a-z]{1,2}");

    GceLocation {
        if (!FORM.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "no zone such as europe-west3-a, nor region such as europe-west3: " + name);
        }
    }

    /** Of {@code zones/europe-west3-a} or {@code regions/europe-west3}; empty for other places. */
    static Optional<GceLocation> ofScope(String scope) {
        String name = scope.substring(scope.indexOf('/') + 1);
        return FORM.matcher(name).matches() ? Optional.of(new GceLocation(name)) : Optional.empty();
    }

    boolean isZone() {
        return ZONE.matcher(name).matches();
    }

    /** The region that a zone is in; a region itself. */
    String region() {
        var zone = ZONE.matcher(name);
        return zone.matches() ? zone.group(1) : name;
    }

    /** As it stands in a link. */
    String scope() {
        return (isZone() ? "zones/" : "regions/") + name;
    }

    @Override
    public int compareTo(GceLocation other) {
        return name.compareTo(other.name);
    }

    @Override
    public String toString() {
        return name;
    }
}
