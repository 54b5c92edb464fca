package io.tidemark.spi;

import java.util.regex.Pattern;

/**
 * Who keeps a snapshot from being deleted: a link, a user.
 *
 * @param value 1 to 64 characters of {@code [a-z0-9-]}
 */
public record HoldOwner(String value) {
    private static final Pattern FORM = Pattern.compile("[a-z0-9-]{1,64}");

    public HoldOwner {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException("hold owner is not of the form [a-z0-9-]{1,64}: " + value);
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
