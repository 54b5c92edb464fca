package io.tidemark.provider.gce;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The instance that reads snapshots for us: the one that we run on.
 *
 * @param zone a zone; what is attached to an instance lies in its zone
 */
record HelperInstance(String project, GceLocation zone, String name) {
    private static final Pattern FORM = Pattern.compile(
            "projects/([^/]{1,120})/zones/([a-z0-9-]{1,63})/instances/([a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)");

    static Optional<HelperInstance> parse(String text) {
        var matched = FORM.matcher(text);
        if (!matched.matches()) {
            return Optional.empty();
        }
        return GceLocation.ofScope("zones/" + matched.group(2))
                .filter(GceLocation::isZone)
                .map(zone -> new HelperInstance(matched.group(1), zone, matched.group(3)));
    }

    @Override
    public String toString() {
        return "projects/%s/zones/%s/instances/%s".formatted(project, zone, name);
    }
}
