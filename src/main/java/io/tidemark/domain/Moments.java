package io.tidemark.domain;

/** Told when a {@link Moment} is reached. In production nothing happens; tests die there. */
@FunctionalInterface
public interface Moments {
    Moments NONE = moment -> {};

    void reached(Moment moment);
}
