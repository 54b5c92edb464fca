package io.tidemark.domain;

import java.util.regex.Pattern;

/** Names an export; also its name for NBD clients. */
public record ExportId(String value) implements Comparable<ExportId> {
    private static final Pattern FORM = Pattern.compile("ex-[a-z0-9]{1,40}");

    public ExportId {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException("export id is not of the form ex-[a-z0-9]{1,40}: " + value);
        }
    }

    @Override
    public int compareTo(ExportId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
