package io.tidemark.agent;

import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.SourceInput;
import io.tidemark.replication.protocol.Message;
import io.tidemark.replication.protocol.SyncCost;
import io.tidemark.spi.ProviderException;
import java.util.function.Supplier;

/** What a synchronisation sends of a snapshot, as frames' worth of it. One thread. */
interface SourceContent extends AutoCloseable {

    /** Kept until {@link #next} has come to their span: not the connection's buffer. */
    void use(Message.Digests arrived);

    /**
     * A frame's worth; the buffer is good until the next call.
     *
     * @throws ReplicationException in place of the end, when nothing that was read may count
     */
    SourceInput next(Supplier<SyncCost> soFar) throws ProviderException, ReplicationException;

    /** Bytes read from the storage since this was asked before. */
    long readSinceAsked();

    /** @param soFar what is not this content's to know: bytes sent and resumed, time */
    SyncCost cost(SyncCost soFar);

    /** The target has all of it: what was learnt of it on the way is kept for the next synchronisation. */
    void sent();

    @Override
    void close() throws ProviderException;
}
