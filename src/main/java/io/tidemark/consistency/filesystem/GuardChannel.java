package io.tidemark.consistency.filesystem;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** Lines to and from a thaw guard: a process in production, a script in tests and rehearsals. */
interface GuardChannel extends AutoCloseable {

    /** @throws IOException when the guard is gone */
    void send(String command) throws IOException;

    /** The next line; empty when the guard has ended or said nothing within the limit. */
    Optional<String> receive(Duration limit);

    /** Ends the guard: first by the end of its input, which makes it thaw; then by force. Waits until it has ended. */
    @Override
    void close();

    /** Ends the guard by force, at once, whatever it is doing. Waits until it has ended, at most for a limit. */
    void kill();
}
