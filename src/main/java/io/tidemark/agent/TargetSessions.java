package io.tidemark.agent;

import io.tidemark.domain.LinkId;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.replication.ReplicationException;
import java.util.Optional;

/** What the target side of links has in work on this host. */
public interface TargetSessions {

    /**
     * Lets go of a link that is about to be forgotten here: no synchronisation over it begins any more, and what an
     * interrupted one left in the state folder is removed. Twice is once. A link opened again is served again.
     *
     * @return what stands in the way, one phrase; then nothing was changed
     */
    Optional<String> retire(LinkId link) throws ReplicationException;

    /**
     * Finishes a recovery point of the link that was received whole and is not applied yet; twice is once.
     *
     * @return what stands in the way, one phrase; then nothing was changed
     */
    default Optional<String> settle(ReplicationLink link) throws ReplicationException {
        return Optional.empty();
    }

    /** Serves a retired link again: it is received here once more. */
    default void readmit(LinkId link) {}

    /** Ends a synchronisation that is being received; what it has synced is kept for the next one. */
    default void interrupt(LinkId link) {}

    /**
     * From now on this side, which asks its peer whether to follow it, does not tell the peer that it is the source: else
     * each could follow the other. Ended by {@link #endFollowing}, or by this process's end.
     */
    default void beginFollowing(LinkId link) {}

    default void endFollowing(LinkId link) {}
}
