package io.tidemark.export;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/** A socket as it is. */
record PlainWire(SocketChannel socket) implements Wire {
    @Override
    public boolean read(ByteBuffer into) throws IOException {
        return socket.read(into) >= 0;
    }

    @Override
    public void write(ByteBuffer from) throws IOException {
        while (from.hasRemaining()) {
            socket.write(from);
        }
    }

    @Override
    public Optional<SocketChannel> plain() {
        return Optional.of(socket);
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            // A socket that cannot be closed is closed.
        }
    }
}
