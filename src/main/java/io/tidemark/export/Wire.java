package io.tidemark.export;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/**
 * A client's connection, blocking. One thread reads, one at a time writes; another may close it, which ends reads and writes
 * that wait.
 */
public interface Wire extends AutoCloseable {
    /** Room that a buffer needs for a read. */
    int ROOM_BYTES = 32 << 10;

    /**
     * Takes at least one byte.
     *
     * @param into has {@link #ROOM_BYTES} free
     * @return false at the end
     */
    boolean read(ByteBuffer into) throws IOException;

    /** Sends all bytes. */
    void write(ByteBuffer from) throws IOException;

    /** The socket itself, where bytes go to it as they are. */
    Optional<SocketChannel> plain();

    @Override
    void close();
}
