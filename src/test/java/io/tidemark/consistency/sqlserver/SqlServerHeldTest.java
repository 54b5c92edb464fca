package io.tidemark.consistency.sqlserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.consistency.ConsistencyException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What does not count as held, and how long the server is waited for. Tested against {@link FakeSqlServer}. */
class SqlServerHeldTest extends SqlServerGround {

    @Test
    void locksAreWaitedForNoLongerThanHalfTheLimit() throws ConsistencyException {
        try (var frozen = held(SHORT)) {
            assertThat(server.lockMillisAtSuspend).isBetween(1, 500);
            assertThat(frozen.heldUntilNow()).isTrue();
        }
    }

    @Test
    void suspensionThatTakesMoreThanHalfTheLimitIsGivenUp() throws ConsistencyException {
        server.suspendMillis = 600;
        try (var frozen = quiescer("databases", "orders").freeze(POINT, SHORT)) {
            assertThatThrownBy(() -> frozen.hold(SHORT)).hasMessageContaining("more than half of the freeze limit");

            assertNobodyHeld();
        }
    }

    /** The keeper is the server's own, and may fail: what we know by our own clock stands. */
    @Test
    void suspensionThatOutlivesTheLimitHasNotHeldEither() throws Exception {
        server.keepersNeverEnd = true;
        try (var frozen = held(SHORT)) {
            Thread.sleep(SHORT.plusMillis(100));
            assertThat(server.holdsWriters("orders")).isTrue();

            assertThat(frozen.heldUntilNow()).isFalse();
        }
        assertNobodyHeld();
    }

    @Test
    void suspensionOfAnotherSessionIsNotOurs() throws ConsistencyException {
        try (var frozen = held(LIMIT)) {
            server.database("orders").suspendedBy = 51;

            assertThat(frozen.heldUntilNow()).isFalse();
        }
    }

    @Test
    void databaseWhoseWritesTheServerDoesNotCallFrozenHasNotHeld() throws ConsistencyException {
        try (var frozen = held(LIMIT)) {
            server.database("orders").writesFrozen = false;

            assertThat(frozen.heldUntilNow()).isFalse();
        }
    }

    @Test
    void freezeWhoseKeeperIsNotLetInLeavesNoSession() throws ConsistencyException {
        server.loginsLeft = 1;

        assertThatThrownBy(() -> quiescer().freeze(POINT, LIMIT)).hasMessageContaining("17809");

        assertThat(server.sessions()).isZero();
    }

    /** A connection that is made anew in silence has another session: not the one that suspended. */
    @Test
    void driverMayNotConnectAgainByItself() throws ConsistencyException {
        var unused = quiescer().check(List.of());

        assertThat(server.properties).containsEntry("connectRetryCount", "0");
    }
}
