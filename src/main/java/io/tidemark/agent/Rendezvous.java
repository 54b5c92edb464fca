package io.tidemark.agent;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.domain.Certificate;
import java.time.Duration;
import java.util.Optional;

/**
 * Where the hosts of one recovery point wait for each other. Each call returns once all of them are as far; when it
 * throws, this host thaws and deletes what it has. No wait is longer than its named limit, and from {@link #frozen} on
 * all together no longer than the freeze limit.
 */
interface Rendezvous {

    /** Applications are ready; nothing is held. Returns once this is so at every host. */
    void prepared() throws ConsistencyException;

    /** Written out and about to hold writers. */
    void ready() throws ConsistencyException;

    /** All that this host freezes is frozen. Returns once every host has said so. */
    void frozen() throws ConsistencyException;

    /** All of this host is cut. Returns once every host has said so. */
    void cut() throws ConsistencyException;

    /** What was told here and by whom; asked last. */
    Optional<Certificate.Order> order();

    /** For what comes before writers are held: a database's checkpoint, other recovery points of a host. */
    Duration READY_LIMIT = Duration.ofMinutes(10);

    /** This host has the whole group. */
    Rendezvous ALONE = new Rendezvous() {
        @Override
        public void prepared() {}

        @Override
        public void ready() {}

        @Override
        public void frozen() {}

        @Override
        public void cut() {}

        @Override
        public Optional<Certificate.Order> order() {
            return Optional.empty();
        }
    };
}
