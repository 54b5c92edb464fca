package io.tidemark.domain;

import java.util.regex.Pattern;

/** Names one asynchronous request. */
public record OperationId(String value) implements Comparable<OperationId> {
    private static final Pattern FORM = Pattern.compile("op-[a-z0-9]{1,40}");

    public OperationId {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException("operation id is not of the form op-[a-z0-9]{1,40}: " + value);
        }
    }

    @Override
    public int compareTo(OperationId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
