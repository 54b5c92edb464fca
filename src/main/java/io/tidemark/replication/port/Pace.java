package io.tidemark.replication.port;

/** How fast one sender may go. Asked before each frame of blocks is sent, and after each was read. */
@FunctionalInterface
public interface Pace {
    /** As fast as it can. */
    Pace UNLIMITED = (sendBytes, readBytes) -> 0;

    /**
     * Counts the bytes when they may pass now. Never waits itself: its caller also has to say that it lives, and to hear
     * that it was cancelled.
     *
     * @param sendBytes about to be sent
     * @param readBytes just read from storage
     * @return nanoseconds after which to ask again; 0 when they may pass
     */
    long ask(long sendBytes, long readBytes);
}
