package io.tidemark.replication.port;

/**
 * How fast one sender may go. What has passed is told, and owed: how many bytes a frame of blocks becomes is known once
 * it is compressed and sent. Never waits itself: its caller also has to say that it lives, and to hear that it was
 * cancelled.
 */
public interface Pace {
    /** As fast as it can. */
    Pace UNLIMITED = new Pace() {
        @Override
        public long untilAllowed() {
            return 0;
        }

        @Override
        public long untilCalm() {
            return 0;
        }

        @Override
        public void passed(long wireBytes, long readBytes) {}
    };

    /** Nanoseconds until rates, which count bytes on the wire, allow another frame; 0: now. Ask again afterwards. */
    long untilAllowed();

    /** Nanoseconds until this host's other work leaves room for another frame; 0: now. Ask again afterwards. */
    long untilCalm();

    /**
     * What was done just now.
     *
     * @param wireBytes sent, before TLS
     * @param readBytes read from storage
     */
    void passed(long wireBytes, long readBytes);
}
