package io.tidemark.replication.port;

import io.tidemark.replication.ReplicationException;
import java.nio.ByteBuffer;

/** Makes payloads smaller. One thread at a time. */
public interface Compression {

    /** Whether {@link #compress} is likely to gain more than it costs; cheap beside it. */
    default boolean worthTrying(ByteBuffer raw) {
        return true;
    }

    /**
     * Writes the compressed bytes of {@code raw} at the position of {@code target} when they are fewer than fit there.
     *
     * @param target has room for {@code raw} less what makes compression worth it
     * @return whether it did; otherwise {@code target} is as it was
     */
    boolean compress(ByteBuffer raw, ByteBuffer target);

    /**
     * Fills {@code target} wholly.
     *
     * @throws ReplicationException CorruptFrame when the bytes are not a compressed form of exactly that many
     */
    void decompress(ByteBuffer compressed, ByteBuffer target) throws ReplicationException;
}
