package io.tidemark.provider.gce;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Makes the clients when they are first needed: a start needs no network, and a search for credentials may ask for
 * one.
 */
final class GceConnection implements AutoCloseable {
    private final Opening opening;
    private @Nullable GceClients clients;

    interface Opening {
        GceClients open() throws IOException;
    }

    GceConnection(Opening opening) {
        this.opening = opening;
    }

    /** @throws IOException where there are no credentials; asked for again at the next call */
    synchronized GceClients clients() throws IOException {
        if (clients == null) {
            clients = opening.open();
        }
        return clients;
    }

    @Override
    public synchronized void close() {
        if (clients != null) {
            clients.close();
        }
    }
}
