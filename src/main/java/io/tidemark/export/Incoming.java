package io.tidemark.export;

import io.tidemark.export.protocol.Agreed;
import io.tidemark.export.protocol.NbdException;
import io.tidemark.export.protocol.Request;
import io.tidemark.export.protocol.RequestDecoder;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** What a client sends: headers of requests, and what follows each. Of one thread. */
final class Incoming {
    private final Wire wire;
    private final RequestDecoder decoder;
    private final ByteBuffer in;
    private final BeforeWaiting beforeWaiting;

    /** What has been gathered so far is not to wait for what the client may send only when it has an answer. */
    interface BeforeWaiting {
        void run() throws IOException;
    }

    /** @param in what the client sent already, to be read from */
    Incoming(Wire wire, Agreed agreed, ByteBuffer in, BeforeWaiting beforeWaiting) {
        this.wire = wire;
        this.decoder = new RequestDecoder(agreed);
        this.in = in;
        this.beforeWaiting = beforeWaiting;
    }

    /** The next request, of which the payload is to be taken; empty at the end. */
    Optional<Request> next() throws IOException, NbdException {
        var request = decoder.next(in);
        while (request.isEmpty()) {
            if (!receive()) {
                return Optional.empty();
            }
            request = decoder.next(in);
        }
        return request;
    }

    private boolean receive() throws IOException {
        beforeWaiting.run();
        in.compact();
        try {
            return wire.read(in);
        } finally {
            in.flip();
        }
    }

    /** Bytes that nobody else has. */
    ByteBuffer payload(int lengthBytes) throws IOException {
        var payload = ByteBuffer.allocate(lengthBytes);
        while (payload.hasRemaining()) {
            int length = Math.min(payload.remaining(), in.remaining());
            payload.put(in.slice(in.position(), length));
            in.position(in.position() + length);
            more(payload.hasRemaining());
        }
        return payload.flip();
    }

    void skip(int lengthBytes) throws IOException {
        for (int left = lengthBytes; left > 0; ) {
            int length = Math.min(left, in.remaining());
            in.position(in.position() + length);
            left -= length;
            more(left > 0);
        }
    }

    private void more(boolean isWanted) throws IOException {
        if (isWanted && !in.hasRemaining() && !receive()) {
            throw new EOFException("the client ended within a request");
        }
    }
}
