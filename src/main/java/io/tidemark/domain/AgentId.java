package io.tidemark.domain;

import java.util.regex.Pattern;

/** Names an agent as its controller knows it; chosen by its user. */
public record AgentId(String value) implements Comparable<AgentId> {
    private static final Pattern FORM = Pattern.compile("[a-z0-9][a-z0-9-]{0,30}");

    public AgentId {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException("agent id is not of the form [a-z0-9][a-z0-9-]{0,30}: " + value);
        }
        if (value.equals(Certificate.Order.HERE)) {
            throw new IllegalArgumentException(
                    "agent id %s stands for the controller's own host".formatted(Certificate.Order.HERE));
        }
    }

    @Override
    public int compareTo(AgentId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
