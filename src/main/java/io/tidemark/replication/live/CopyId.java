package io.tidemark.replication.live;

import java.util.regex.Pattern;

/** Names one of the copies of a volume that is replicated live, the same on every host. */
public record CopyId(String value) implements Comparable<CopyId> {
    private static final Pattern FORM = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");

    public CopyId {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException("copy id is not of the form [a-z0-9-]{1,63}: " + value);
        }
    }

    @Override
    public int compareTo(CopyId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
