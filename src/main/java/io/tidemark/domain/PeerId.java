package io.tidemark.domain;

import java.util.regex.Pattern;

/** Names a paired site as this site knows it; chosen by its user. */
public record PeerId(String value) implements Comparable<PeerId> {
    private static final Pattern FORM = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");

    public PeerId {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException("peer id is not of the form [a-z0-9][a-z0-9-]{0,62}: " + value);
        }
    }

    @Override
    public int compareTo(PeerId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
