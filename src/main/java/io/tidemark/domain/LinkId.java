package io.tidemark.domain;

import java.util.regex.Pattern;

/** Names a replication link; the same on both sites. */
public record LinkId(String value) implements Comparable<LinkId> {
    private static final Pattern FORM = Pattern.compile("ln-[a-z0-9]{1,40}");

    public LinkId {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException("link id is not of the form ln-[a-z0-9]{1,40}: " + value);
        }
    }

    @Override
    public int compareTo(LinkId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
