package io.tidemark.security;

/** Text that must not be seen: prints as stars, is read on purpose only. */
public record Secret(String reveal) {
    private static final String MASK = "***";

    @Override
    public String toString() {
        return MASK;
    }
}
