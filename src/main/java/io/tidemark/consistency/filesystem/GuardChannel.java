package io.tidemark.consistency.filesystem;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** Lines to and from a thaw guard: a process in production, a script in tests and rehearsals. */
interface GuardChannel {

    /** @throws IOException when the guard is gone */
    void send(String command) throws IOException;

    /** The next line; empty when the guard has ended or said nothing within the limit. */
    Optional<String> receive(Duration limit);

    /**
     * Ends the guard by the end of its input, which makes it thaw first. Waits until it has ended, at most for a limit.
     *
     * @return false when it still runs, or ended without having said that all is thawed: what is frozen then is not known,
     *     and it is to be killed
     */
    boolean end();

    /** Ends the guard by force, at once, whatever it is doing. Waits until it has ended, at most for a limit. */
    void kill();
}
