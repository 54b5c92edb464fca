package io.tidemark.control.port;

import io.tidemark.domain.LinkId;
import io.tidemark.domain.ReplicationLink;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** Keeps replication links and when each is due. */
public interface LinkStore {

    /**
     * @param dueAt when the link takes and sends a recovery point next
     * @param failures scheduled runs that failed since the last that did not
     */
    record Due(LinkId link, Instant dueAt, int failures) {}

    Page<ReplicationLink> page(Optional<String> after, int limit);

    /** All of them, in order of id. */
    List<ReplicationLink> all();

    Optional<ReplicationLink> find(LinkId id);

    /** Adds or replaces. */
    void save(ReplicationLink link);

    /**
     * Changes it as it is now, in one transaction: nothing that was written meanwhile is lost.
     *
     * @return as it is after; empty when it is gone
     */
    Optional<ReplicationLink> change(LinkId id, UnaryOperator<ReplicationLink> change);

    boolean remove(LinkId id);

    Optional<Due> due(LinkId id);

    /** Does nothing when the link is gone. */
    void saveDue(Due due);

    /**
     * Saves when the link is due next, decided from the link as it is now, in one transaction; only while what is
     * written is still {@code before}: whoever wrote another meanwhile is not overruled.
     *
     * @param before empty: none was written
     */
    void moveDue(LinkId id, Optional<Due> before, Function<ReplicationLink, Due> next);
}
