package io.tidemark.replication.port;

/**
 * How fast one sender may go. A frame of blocks is charged when it may pass, by the bytes it has as it is; what it had
 * after compression is told when it was sent. Never waits itself: its caller also has to say that it lives, and to hear
 * that it was cancelled.
 */
public interface Pace {
    /** As fast as it can. */
    Pace UNLIMITED = new Pace() {
        @Override
        public long untilCalm() {
            return 0;
        }

        @Override
        public long ask(long frameBytes) {
            return 0;
        }

        @Override
        public void sent(long frameBytes, long wireBytes) {}

        @Override
        public void read(long bytes) {}
    };

    /** Nanoseconds until this host's other work leaves room for another frame; 0: now. Ask again afterwards. */
    long untilCalm();

    /**
     * Charges a frame when it may pass now.
     *
     * @return nanoseconds after which to ask again; 0: it is charged, and may pass
     */
    long ask(long frameBytes);

    /**
     * A frame went; what it was charged too much is given back.
     *
     * @param frameBytes as it was asked for
     * @param wireBytes as it was sent, before TLS
     */
    void sent(long frameBytes, long wireBytes);

    /** So many bytes were read from storage: work that counts as sending does, but for no rate. */
    void read(long bytes);
}
