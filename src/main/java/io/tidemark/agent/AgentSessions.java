package io.tidemark.agent;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.protocol.Message;

/** What agents connect to: the same listener as other sites do. */
public interface AgentSessions {

    /** Whether the key is that of an enrolled agent. */
    boolean knows(String fingerprint);

    /** A host that is not known wants to become an agent. */
    void enrol(PeerConnection connection, Message.Pair pair) throws ReplicationException;

    /** Serves an agent until its connection ends. */
    void serve(PeerConnection connection, String software) throws ReplicationException;

    /** No host may become an agent of this one. */
    AgentSessions NONE = new AgentSessions() {
        @Override
        public boolean knows(String fingerprint) {
            return false;
        }

        @Override
        public void enrol(PeerConnection connection, Message.Pair pair) throws ReplicationException {
            throw refused();
        }

        @Override
        public void serve(PeerConnection connection, String software) throws ReplicationException {
            throw refused();
        }

        private ReplicationException refused() {
            return new ReplicationException(
                    new ReplicationError.PeerRefused("no-controller", "this host takes no agents"));
        }
    };
}
