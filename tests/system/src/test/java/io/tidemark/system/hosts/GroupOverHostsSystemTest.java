package io.tidemark.system.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.control.document.CertificateCheck;
import io.tidemark.domain.Moment;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.PostgresServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Two hosts, a database on each, and one writer over both. */
@Tag("system-image")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GroupOverHostsSystemTest {
    /** Of a whole take on two busy cores, for the moment at which a host is cut off. */
    private static final int TAKE_MILLIS = 1_500;

    private static final Duration WRITES_AGAIN = AgentHosts.LIMIT.plusSeconds(10);

    private AgentHosts hosts;
    private TwinWriter writer;
    private final List<Long> stalls = new ArrayList<>();

    static LongStream seeds() {
        return Ground.seeds();
    }

    @BeforeAll
    void startHosts() throws Exception {
        Ground.requireRootAnd("ip", "losetup", "mkfs.ext4", "mkfs.btrfs", "setpriv", "fsfreeze");
        PostgresServer.require();
        hosts = AgentHosts.two();
    }

    @BeforeEach
    void write() throws Exception {
        writer = new TwinWriter(hosts.first.server(), hosts.second.server());
        writer.awaitMore(20, WRITES_AGAIN);
    }

    @AfterEach
    void stopWriting() throws Exception {
        writer.close();
    }

    @AfterAll
    void undoEverything() throws Exception {
        if (!stalls.isEmpty()) {
            var sorted = stalls.stream().sorted().toList();
            System.out.printf(
                    "cuts over two hosts: %d, slowest pair p50 %d ms, maximum %d ms%n",
                    sorted.size(), sorted.get(sorted.size() / 2), sorted.getLast());
        }
        if (hosts != null) {
            hosts.close();
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void twinIsNeverThereWithoutItsFirst(long seed) throws Exception {
        TimeUnit.MILLISECONDS.sleep(new SplittableRandom(seed).nextInt(100));
        var unused = writer.slowest();
        long before = writer.pairs();

        var operation = hosts.take();

        long after = writer.pairs();
        stalls.add(writer.slowest().toMillis());
        assertThat(operation.at("state").text())
                .as(operation.compact() + hosts.logs())
                .isEqualTo("SUCCEEDED");
        var point = hosts.point(operation);
        var id = point.at("id").text();
        assertThat(point.at("consistency").text()).isEqualTo("APPLICATION");
        var check = CertificateCheck.of(io.tidemark.control.document.Json.object(point.compact()));
        assertThat(check.faults()).isEmpty();
        assertThat(check.signers()).hasSize(2).doesNotHaveDuplicates();
        var sql = "SELECT coalesce(max(number), 0) FROM " + TwinWriter.TABLE;
        long first = hosts.numbers(hosts.first, id, sql);
        long second = hosts.numbers(hosts.second, id, sql);
        // The writer begins a number when its twin before is there.
        assertThat(first - second).as("first %d, twin %d", first, second).isBetween(0L, 1L);
        assertThat(second).isBetween(before, after + 1);
        hosts.client().delete("/v1/recovery-points/" + id);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void hostThatIsCutOffAtAnyTimeLeavesNothingFrozen(long seed) throws Exception {
        var random = new SplittableRandom(seed);
        var lost = random.nextBoolean() ? hosts.first : hosts.second;
        var operation = hosts.startTaking();
        TimeUnit.MILLISECONDS.sleep(random.nextInt(TAKE_MILLIS));

        lost.cable().cut();
        try {
            writer.awaitMore(20, WRITES_AGAIN);
            var ended = hosts.await(operation);

            assertThat(ended.at("state").text()).isIn("SUCCEEDED", "FAILED");
            awaitLost(lost);
            if (ended.at("state").text().equals("FAILED")) {
                assertThat(ended.at("problem", "type").text()).containsAnyOf("agent-unreachable", "not-together");
            }
        } finally {
            lost.cable().mend();
        }
        hosts.awaitConnected(lost);
        hosts.awaitTidy();
    }

    private void awaitLost(AgentHosts.Host lost) throws Exception {
        long until = System.nanoTime() + Duration.ofSeconds(15).toNanos();
        while (!hosts.state(lost).equals("LOST")) {
            assertThat(System.nanoTime()).as("%s is lost", lost.name()).isLessThan(until);
            Thread.sleep(50);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"DATABASE_FROZEN", "FILE_SYSTEM_FROZEN", "SNAPSHOT_CUT", "FREEZES_ASKED", "THAWED"})
    void agentThatDiesAtAnyMomentLeavesNothingFrozen(Moment moment) throws Exception {
        hosts.second.agent().dieAt(moment);

        var operation = hosts.take();

        assertThat(operation.at("state").text()).as(operation.compact()).isEqualTo("FAILED");
        writer.awaitMore(20, WRITES_AGAIN);
        hosts.startAgent(hosts.second);
        hosts.awaitTidy();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void controllerThatDiesAtAnyTimeLeavesNothingFrozen(long seed) throws Exception {
        var operation = hosts.startTaking();
        TimeUnit.MILLISECONDS.sleep(new SplittableRandom(seed).nextInt(TAKE_MILLIS));

        hosts.killController();

        writer.awaitMore(20, WRITES_AGAIN);
        hosts.restartController();
        assertThat(hosts.await(operation).at("state").text()).isIn("SUCCEEDED", "FAILED", "CANCELLED");
        hosts.awaitTidy();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void controllerThatIsStoppedLetsWhatItsAgentsDoEndFirst(long seed) throws Exception {
        var operation = hosts.startTaking();
        TimeUnit.MILLISECONDS.sleep(new SplittableRandom(seed).nextInt(TAKE_MILLIS));

        hosts.stopController();

        writer.awaitMore(20, WRITES_AGAIN);
        hosts.restartController();
        var ended = hosts.await(operation);
        assertThat(ended.at("state").text()).as(ended.compact() + hosts.logs()).isEqualTo("SUCCEEDED");
        hosts.awaitTidy();
    }
}
