package io.tidemark.system.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.client.Json;
import io.tidemark.control.document.CertificateCheck;
import io.tidemark.domain.Moment;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.Kept;
import io.tidemark.system.ground.PostgresServer;
import io.tidemark.system.ground.WriterProbe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Three hosts, two with a database and one with a file system alone; one of them is lost at each step of a recovery point.
 * It is lost at a moment, not after a time: who comes to it waits there until the host is lost. In CI each step cuts
 * off one host, by turns; {@code -Dtidemark.soak=N} does each step to each host, cut off and with its agent stopped, N times.
 */
@Tag("system-image")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HostCutOffAtEachStepTest {
    private static final int HOSTS = 3;
    /** As docs/design/agents.md promises. */
    private static final Duration LOST_WITHIN = Duration.ofSeconds(10);
    /** Beyond that: what the other hosts do after it, on two busy cores. */
    private static final Duration END_SLACK = Duration.ofSeconds(10);
    /** Beyond the freeze limit: what a thaw takes, and the wait of the writer for its turn. */
    private static final Duration THAW_SLACK = Duration.ofSeconds(3);

    private final Kept made = new Kept();
    private final Map<AgentHosts.Host, WriterProbe> probes = new LinkedHashMap<>();
    private final List<String> seen = new ArrayList<>();
    private AgentHosts hosts;
    private TwinWriter twins;

    /** Where a host is when it is lost. */
    private enum Step {
        /** The operation is recorded, and no host has been asked. */
        PLAN(Moment.OPERATION_RECORDED, true),
        /** Its guard is armed. */
        PREPARE(Moment.GUARD_ARMED, false),
        /** It is written out, and has not said so. */
        WRITE_OUT(Moment.WRITTEN_OUT, false),
        /** It is frozen, and has not said so. */
        FREEZE(Moment.FILE_SYSTEM_FROZEN, false),
        /** It is cut, and has not said so. */
        CUT(Moment.SNAPSHOT_CUT, false),
        /** It was told that all are cut, and has not thawed. */
        FINISH(Moment.FREEZES_ASKED, false),
        /** The recovery point is recorded, and its operation has not ended. */
        AFTER(Moment.RECOVERY_POINT_RECORDED, true);

        private final Moment moment;
        private final boolean atController;

        Step(Moment moment, boolean atController) {
            this.moment = moment;
            this.atController = atController;
        }
    }

    private enum Loss {
        CABLE,
        STOPPED_AGENT
    }

    private record Trial(Step step, int host, Loss loss) {}

    static Stream<Trial> trials() {
        long rounds = Long.getLong("tidemark.soak", 0);
        var steps = List.of(Step.values());
        if (rounds == 0) {
            return IntStream.range(0, steps.size())
                    .mapToObj(index -> new Trial(steps.get(index), index % HOSTS, Loss.CABLE));
        }
        var all = new ArrayList<Trial>();
        for (long round = 0; round < rounds; round++) {
            for (var loss : Loss.values()) {
                for (var step : steps) {
                    for (int host = 0; host < HOSTS; host++) {
                        all.add(new Trial(step, host, loss));
                    }
                }
            }
        }
        return all.stream();
    }

    @BeforeAll
    void startHosts() throws Exception {
        Ground.requireRootAnd("ip", "losetup", "mkfs.ext4", "mkfs.btrfs", "setpriv", "fsfreeze");
        PostgresServer.require();
        hosts = made.keep(AgentHosts.three());
        for (var host : hosts.all()) {
            probes.put(
                    host, made.keep(new WriterProbe(host.mounted().mountPoint().resolve("probe"))));
        }
        twins = made.keep(new TwinWriter(hosts.first.server(), hosts.second.server()));
    }

    @AfterAll
    void undoEverything() throws Exception {
        seen.forEach(System.out::println);
        made.close();
    }

    @ParameterizedTest
    @MethodSource("trials")
    void hostThatIsLostLeavesNothingFrozenAndNoFalseRecoveryPoint(Trial trial) throws Exception {
        var lost = hosts.all().get(trial.host());
        var holder = trial.step().atController ? hosts.controller() : lost.agent();
        probes.values().forEach(WriterProbe::forget);
        holder.holdAt(trial.step().moment);
        Duration took;
        Json ended;
        try (var asking = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<String> operation = asking.submit(hosts::startTaking);
            holder.awaitHeld();
            lose(trial, lost);
            long since = System.nanoTime();
            holder.goOn();

            ended = hosts.await(operation.get());

            took = Duration.ofNanos(System.nanoTime() - since);
            awaitWrites();
        } finally {
            holder.goOn();
            bringBack(trial, lost);
        }
        var longest = probes.values().stream()
                .map(WriterProbe::longest)
                .max(Duration::compareTo)
                .orElseThrow();
        seen.add("lost at %s: %s of %s: %s %d ms later, longest write %d ms"
                .formatted(
                        trial.step(),
                        trial.loss(),
                        lost.name(),
                        ended.at("state").text(),
                        took.toMillis(),
                        longest.toMillis()));
        hosts.awaitConnected(lost);
        assertOutcome(trial, ended);
        assertThat(took).as("until the operation had ended").isLessThan(LOST_WITHIN.plus(END_SLACK));
        assertThat(longest).as("of all writes").isLessThan(AgentHosts.LIMIT.plus(THAW_SLACK));
        hosts.awaitTidy();
    }

    private static void lose(Trial trial, AgentHosts.Host host) throws Exception {
        switch (trial.loss()) {
            case CABLE -> host.cable().cut();
            case STOPPED_AGENT -> host.agent().stop();
        }
    }

    private static void bringBack(Trial trial, AgentHosts.Host host) throws Exception {
        switch (trial.loss()) {
            case CABLE -> host.cable().mend();
            case STOPPED_AGENT -> host.agent().wake();
        }
    }

    /** While the host is still lost. */
    private void awaitWrites() throws Exception {
        for (var probe : probes.entrySet()) {
            assertThat(probe.getValue().flows(AgentHosts.LIMIT.plus(THAW_SLACK)))
                    .as("file system of %s is written to", probe.getKey().name())
                    .isTrue();
        }
        twins.awaitMore(5, AgentHosts.LIMIT.plus(THAW_SLACK));
    }

    private void assertOutcome(Trial trial, Json ended) throws Exception {
        if (trial.step() != Step.AFTER) {
            assertThat(ended.at("state").text()).as(ended.compact()).isEqualTo("FAILED");
            assertThat(ended.at("problem", "type").text()).containsAnyOf("agent-unreachable", "not-together");
            assertThat(hosts.client().list("/v1/recovery-points", 100)).isEmpty();
            return;
        }
        assertThat(ended.at("state").text()).as(ended.compact() + hosts.logs()).isEqualTo("SUCCEEDED");
        var point = hosts.point(ended);
        assertThat(point.at("consistency").text()).isEqualTo("APPLICATION");
        var check = CertificateCheck.of(io.tidemark.control.document.Json.object(point.compact()));
        assertThat(check.faults()).isEmpty();
        assertThat(check.signers()).hasSize(HOSTS).doesNotHaveDuplicates();
        var id = point.at("id").text();
        var sql = "SELECT coalesce(max(number), 0) FROM " + TwinWriter.TABLE;
        long first = hosts.numbers(hosts.first, id, sql);
        long second = hosts.numbers(hosts.second, id, sql);
        assertThat(first - second).as("first %d, twin %d", first, second).isBetween(0L, 1L);
    }
}
