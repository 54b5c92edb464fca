package io.tidemark.domain;

/** Hears how far long work has come, at most a few times a second; asked whether it should stop. */
public interface ProgressListener {
    void progress(Operation.Progress progress);

    /** Work that reads true ends within 100 ms with the boundary's {@code Cancelled} error. */
    default boolean cancelled() {
        return false;
    }

    ProgressListener NONE = progress -> {};
}
