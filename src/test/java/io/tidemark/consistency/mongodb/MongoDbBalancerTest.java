package io.tidemark.consistency.mongodb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Quiescer;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A sharded cluster's balancer, asked of a mongos. Both are fakes; no real MongoDB was to be had. */
class MongoDbBalancerTest {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final String RESTS = "{mode: 'off', inBalancerRound: false, numBalancerRounds: 86}";

    private FakeMongod server;
    private FakeMongod router;

    @TempDir
    Path folder;

    @BeforeEach
    void start() throws IOException {
        server = new FakeMongod();
        router = new FakeMongod();
        router.says("hello", "{msg: 'isdbgrid'}").says("balancerStatus", RESTS);
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
        router.close();
    }

    private Quiescer quiescer() throws ConsistencyException {
        return new MongoDbQuiescerFactory(folder)
                .create(new QuiescerSpec(
                        "mongodb",
                        Map.of(
                                "port",
                                Integer.toString(server.port()),
                                "router",
                                "127.0.0.1:" + router.port(),
                                "answerTimeoutMillis",
                                "2000")));
    }

    @Test
    void whatIsFrozenWhileTheBalancerRestsIsHeld() throws ConsistencyException {
        try (var frozen = quiescer().freeze(new RecoveryPointId("rp-1"), LIMIT)) {
            frozen.hold(LIMIT);
            assertThat(frozen.heldUntilNow()).isTrue();

            var freeze = frozen.thaw().freezes().getFirst();

            assertThat(freeze.heldUntilThaw()).isTrue();
            assertThat(freeze.facts()).containsEntry("balancer", "rested").containsEntry("version", "7.0.14");
            assertThat(frozen.thaw().freezes()).containsExactly(freeze);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{mode: 'full', inBalancerRound: false, numBalancerRounds: 86}",
                "{mode: 'off', inBalancerRound: true, numBalancerRounds: 86}",
                "{mode: 'off', numBalancerRounds: 86}",
                "{}"
            })
    void planAndFreezeAreRefusedWhileItDoesNotRest(String status) throws ConsistencyException {
        router.says("balancerStatus", status);
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.freeze(new RecoveryPointId("rp-1"), LIMIT))
                .isInstanceOf(ConsistencyException.class)
                .hasMessageContaining("sh.stopBalancer()");
        assertThat(server.heard()).doesNotContain("replSetGetStatus", "fsync");
        assertThatThrownBy(() -> quiescer.check(List.of())).isInstanceOf(ConsistencyException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{mode: 'full', inBalancerRound: false, numBalancerRounds: 86}",
                "{mode: 'off', inBalancerRound: false, numBalancerRounds: 87}"
            })
    void whatWasFrozenWhileItMovedIsNotHeld(String status) throws ConsistencyException {
        var frozen = quiescer().freeze(new RecoveryPointId("rp-1"), LIMIT);
        frozen.hold(LIMIT);
        router.says("balancerStatus", status);

        var freeze = frozen.thaw().freezes().getFirst();

        assertThat(freeze.heldUntilThaw()).isFalse();
        assertThat(freeze.facts().get("balancer")).contains("balancer");
    }

    @Test
    void whatCannotBeAskedAfterwardsIsNotHeld() throws Exception {
        var frozen = quiescer().freeze(new RecoveryPointId("rp-1"), LIMIT);
        frozen.hold(LIMIT);
        router.close();
        router.dropConnections();

        assertThat(frozen.thaw().freezes().getFirst().heldUntilThaw()).isFalse();
    }

    @Test
    void routerThatIsNoneIsRefused() throws ConsistencyException {
        router.says("hello", "{setName: 'rs0'}");
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.freeze(new RecoveryPointId("rp-1"), LIMIT))
                .isInstanceOf(ConsistencyException.class)
                .hasMessageContaining("is no mongos");
    }

    @ParameterizedTest
    @ValueSource(strings = {"mongos", "mongos:", "mongos:70000", "a,b:27017", "::1:27017"})
    void routerIsOneHostAndPort(String router) {
        assertThatThrownBy(() -> new MongoDbQuiescerFactory(folder)
                        .create(new QuiescerSpec("mongodb", Map.of("router", router))))
                .isInstanceOf(ConsistencyException.class)
                .hasMessageContaining("router");
    }
}
