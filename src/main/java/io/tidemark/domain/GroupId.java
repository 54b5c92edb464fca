package io.tidemark.domain;

import java.util.regex.Pattern;

/** Names a consistency group on this site; chosen by its user. */
public record GroupId(String value) implements Comparable<GroupId> {
    private static final Pattern FORM = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");

    public GroupId {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException("group id is not of the form [a-z0-9][a-z0-9-]{0,62}: " + value);
        }
    }

    @Override
    public int compareTo(GroupId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
