package io.tidemark.spi;

import java.util.regex.Pattern;

/**
 * Names one volume: {@code provider:name}, for example {@code image:orders}.
 *
 * @param value provider (1 to 16 lower-case letters), a colon, and a name of 1 to 128 characters of
 *     {@code [A-Za-z0-9._/-]} that starts with a letter or digit and holds no {@code ..}
 */
public record VolumeId(String value) implements Comparable<VolumeId> {
    private static final Pattern FORM = Pattern.compile("[a-z]{1,16}:[A-Za-z0-9][A-Za-z0-9._/-]{0,127}");

    public VolumeId {
        if (!FORM.matcher(value).matches() || value.contains("..")) {
            throw new IllegalArgumentException("volume id is not of the form provider:name: " + value);
        }
    }

    public static VolumeId of(String provider, String name) {
        return new VolumeId(provider + ":" + name);
    }

    public String provider() {
        return value.substring(0, value.indexOf(':'));
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
