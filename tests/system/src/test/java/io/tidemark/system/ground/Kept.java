package io.tidemark.system.ground;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;

/** What a test has made, to be undone in reverse: all of it, whatever fails. */
public final class Kept implements AutoCloseable {
    private final Deque<AutoCloseable> made = new ArrayDeque<>();

    /** Closed with this, before all that was there earlier. */
    public <T extends AutoCloseable> T keep(T resource) {
        made.push(resource);
        return resource;
    }

    /** Goes on after a failure and reports the first. */
    @Override
    public void close() throws IOException {
        Exception first = null;
        while (!made.isEmpty()) {
            try {
                made.pop().close();
            } catch (Exception e) {
                first = first == null ? e : first;
            }
        }
        if (first != null) {
            throw new IOException("not everything was undone: " + first.getMessage(), first);
        }
    }
}
