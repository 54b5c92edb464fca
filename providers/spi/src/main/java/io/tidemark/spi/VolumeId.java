package io.tidemark.spi;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Names one volume: {@code provider:name}, for example {@code image:orders}; or, at a controller, one of an agent's
 * host: {@code agent/provider:name}. Providers themselves only ever see the first.
 *
 * @param value perhaps an agent's name (1 to 31 characters of {@code [a-z0-9-]}) and a slash; provider (1 to 16
 *     lower-case letters), a colon, and a name of 1 to 128 characters of {@code [A-Za-z0-9._/-]} that starts with a
 *     letter or digit and holds no {@code ..}
 */
public record VolumeId(String value) implements Comparable<VolumeId> {
    private static final Pattern FORM =
            Pattern.compile("(?:[a-z0-9][a-z0-9-]{0,30}/)?[a-z]{1,16}:[A-Za-z0-9][A-Za-z0-9._/-]{0,127}");

    public VolumeId {
        if (!FORM.matcher(value).matches() || value.contains("..")) {
            throw new IllegalArgumentException("volume id is not of the form provider:name: " + value);
        }
    }

    public static VolumeId of(String provider, String name) {
        return new VolumeId(provider + ":" + name);
    }

    /** With its agent's name and a slash before it, where it is an agent's. */
    public String provider() {
        return value.substring(0, value.indexOf(':'));
    }

    /** The agent on whose host it is; empty: on this host. */
    public Optional<String> agent() {
        int slash = provider().indexOf('/');
        return slash < 0 ? Optional.empty() : Optional.of(value.substring(0, slash));
    }

    /** As its own host names it. */
    public VolumeId onItsHost() {
        return agent().map(name -> new VolumeId(value.substring(name.length() + 1)))
                .orElse(this);
    }

    /** As a controller names this volume of an agent's host. */
    public VolumeId at(String agent) {
        return new VolumeId(agent + "/" + value);
    }

    /** The part after the colon. */
    public String name() {
        return value.substring(value.indexOf(':') + 1);
    }

    @Override
    public int compareTo(VolumeId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
