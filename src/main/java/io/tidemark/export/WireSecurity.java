package io.tidemark.export;

import java.io.IOException;
import java.nio.channels.SocketChannel;

/** Puts TLS on a socket. */
@FunctionalInterface
public interface WireSecurity {
    /**
     * Returns once the client has proven its key; closes the socket when it fails.
     *
     * @throws IOException also where the client shows no certificate, or one by another authority
     */
    Wire secured(SocketChannel socket) throws IOException;
}
