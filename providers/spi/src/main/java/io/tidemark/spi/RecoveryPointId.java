package io.tidemark.spi;

import java.util.regex.Pattern;

/**
 * Names one recovery point, on every host that holds a copy of it; every snapshot carries it on the storage itself.
 *
 * @param value {@code rp-} and 1 to 40 characters of {@code [a-z0-9]}; sorts by time when made by this installation
 */
public record RecoveryPointId(String value) implements Comparable<RecoveryPointId> {
    private static final Pattern FORM = Pattern.compile("rp-[a-z0-9]{1,40}");

    public RecoveryPointId {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException("recovery point id is not of the form rp-[a-z0-9]{1,40}: " + value);
        }
    }

    @Override
    public int compareTo(RecoveryPointId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
