package io.tidemark.export;

import java.util.concurrent.atomic.LongAdder;

/** What clients have read and written over all exports since the start. Safe for several threads. */
public final class Traffic {
    private final LongAdder read = new LongAdder();
    private final LongAdder written = new LongAdder();
    private final LongAdder errors = new LongAdder();

    void read(long bytes) {
        read.add(bytes);
    }

    void written(long bytes) {
        written.add(bytes);
    }

    void failed() {
        errors.increment();
    }

    /** Bytes of images that were sent to clients. */
    public long readBytes() {
        return read.sum();
    }

    /** Bytes that clients sent and were told to be written; zeros and trims, which carry none, are not among them. */
    public long writtenBytes() {
        return written.sum();
    }

    /** Requests that were answered with an error, of the storage or of the client's own. */
    public long errors() {
        return errors.sum();
    }
}
