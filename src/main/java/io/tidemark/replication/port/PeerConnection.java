package io.tidemark.replication.port;

import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.protocol.Message;

/**
 * An authenticated connection to another site. One thread sends and one receives, at the same time. Waits no longer
 * than its transport's named limits.
 */
public interface PeerConnection extends AutoCloseable {

    /** SHA-256 of the peer's public key, 64 lower-case hex digits; proven by the handshake. */
    String peerFingerprint();

    /** For messages about this connection. */
    String peerAddress();

    /** Writes the whole frame; may wait while the peer reads slowly. */
    void send(Message message) throws ReplicationException;

    /**
     * The blocks sent last held up the next ones so long by their rate, as on a line of that rate: what is worth
     * compressing for a slow line is for a slow rate.
     */
    default void paced(long nanos) {}

    /**
     * The next message; its buffers are good until the next call.
     *
     * @throws ReplicationException ConnectionLost at the end or when the peer was silent for too long; CorruptFrame;
     *     ProtocolMismatch
     */
    Message receive() throws ReplicationException;

    /**
     * Leaves the buffers of the last received message to the caller, beyond the next {@link #receive}; may wait until
     * some are given back, for a named time.
     *
     * @throws ReplicationException ConnectionLost when there are none in that time, or the connection was closed
     */
    default Kept keep() throws ReplicationException {
        return () -> {};
    }

    /** Gives buffers back; once. */
    interface Kept extends AutoCloseable {
        @Override
        void close();
    }

    /** Bytes of all frames sent, before TLS. */
    long sentBytes();

    /**
     * Says that nothing more comes and waits, for a named short time, until the peer has taken what was sent: closing
     * at once could make its last frame vanish.
     */
    void finish();

    /**
     * Says that nothing more comes, behind all that was sent. Whoever receives goes on until the peer closes too.
     *
     * @throws ReplicationException ConnectionLost
     */
    void sentAll() throws ReplicationException;

    /** Ends whoever waits to send, to receive or to keep with ConnectionLost. Never waits. */
    @Override
    void close();
}
