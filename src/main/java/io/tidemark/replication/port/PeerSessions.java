package io.tidemark.replication.port;

/** Serves connections that other sites made; called on a thread of its own for each. */
public interface PeerSessions {

    /** Whether the key is pinned. Others get in only to pair: few at a time, and not for long. */
    boolean knows(String fingerprint);

    /** Serves the connection to its end; the caller closes it. */
    void serve(PeerConnection connection, boolean known);
}
