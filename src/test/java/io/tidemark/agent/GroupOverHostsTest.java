package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.agent.remote.AgentRules;
import io.tidemark.agent.remote.Agents;
import io.tidemark.agent.remote.Enrolment;
import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.control.document.CertificateCheck;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.domain.AgentId;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.Capability;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import io.tidemark.transport.SiteIdentity;
import io.tidemark.transport.TlsPeerConnector;
import io.tidemark.transport.TransportLimits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GroupOverHostsTest {
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    private static final Duration LIMIT = Duration.ofSeconds(2);
    private static final VolumeId ON_DB1 = new VolumeId("db1/image:orders");
    private static final VolumeId ON_DB2 = new VolumeId("db2/image:orders");
    private static final VolumeId HERE = new VolumeId("image:orders");

    @TempDir
    Path folder;

    private static ConsistencyGroup group(Consistency required, VolumeId... volumes) {
        return new ConsistencyGroup(
                new GroupId("shop"),
                List.of(volumes),
                Arrays.stream(volumes)
                        .filter(volume -> !volume.equals(ON_DB2))
                        .map(volume -> new QuiescerSpec(
                                volume.agent().map(agent -> agent + "/").orElse("") + "database", Map.of()))
                        .toList(),
                true,
                LIMIT,
                required);
    }

    private static RecoveryPoint take(AgentWorld world, ConsistencyGroup group) throws ConsistencyException {
        return take(world, group, POINT);
    }

    private static RecoveryPoint take(AgentWorld world, ConsistencyGroup group, RecoveryPointId id)
            throws ConsistencyException {
        return world.taker.take(world.taker.plan(id, group), ProgressListener.NONE);
    }

    private AgentWorld threeHosts(Path home) throws Exception {
        var world = new AgentWorld(home);
        world.here.volume("image:orders", "/orders");
        world.agent("db1");
        world.agent("db2");
        return world;
    }

    private static void nothingIsLeft(AgentWorld world) {
        world.byName.forEach((name, one) -> {
            assertThat(one.host.frozen).as(name).isEmpty();
            assertThat(one.host.snapshots).as(name).isEmpty();
        });
        assertThat(world.here.frozen).isEmpty();
        assertThat(world.here.snapshots).isEmpty();
    }

    @Test
    void everyHostIsFrozenBeforeTheFirstCutAndCutBeforeTheFirstThaw() throws Exception {
        try (var world = threeHosts(folder)) {
            var point = take(world, group(Consistency.APPLICATION, ON_DB1, HERE, ON_DB2));

            assertThat(point.consistency()).isEqualTo(Consistency.APPLICATION);
            assertThat(point.certificate().reasons()).isEmpty();
            assertThat(point.members())
                    .extracting(RecoveryPoint.Member::snapshot)
                    .containsExactly(
                            new SnapshotId(ON_DB1, POINT), new SnapshotId(HERE, POINT), new SnapshotId(ON_DB2, POINT));
            var events = List.copyOf(world.events);
            assertThat(last(events, "freeze /orders")).isLessThan(first(events, "cut image"));
            assertThat(last(events, "hold one")).isLessThan(first(events, "cut image"));
            assertThat(last(events, "cut image")).isLessThan(first(events, "thaw "));
            assertThat(events.stream().filter(event -> event.endsWith("cut image")))
                    .hasSize(3);
        }
    }

    private static int first(List<String> events, String part) {
        for (int i = 0; i < events.size(); i++) {
            if (events.get(i).contains(" " + part)) {
                return i;
            }
        }
        throw new AssertionError(part + " did not happen: " + events);
    }

    private static int last(List<String> events, String part) {
        return events.size() - 1 - first(events.reversed(), part);
    }

    /** A host's clock says nothing about another's: they all begin at 1 here. */
    @Test
    void documentProvesItselfAndWhateverIsChangedInItIsFound() throws Exception {
        try (var world = threeHosts(folder)) {
            var point = take(world, group(Consistency.APPLICATION, ON_DB1, HERE, ON_DB2));
            var good = Json.object(Json.write(Documents.recoveryPoint(point)));

            assertThat(CertificateCheck.of(good).faults()).isEmpty();
            assertThat(CertificateCheck.of(good).signers())
                    .containsExactly(
                            world.one("db1").identity.fingerprint(),
                            world.identity.fingerprint(),
                            world.one("db2").identity.fingerprint());
            var changes = new ArrayList<ObjectNode>();
            changes(good, good, changes);
            assertThat(changes).hasSizeGreaterThan(150);
            for (var change : changes) {
                assertThat(CertificateCheck.of(change).faults())
                        .as(Json.write(change))
                        .isNotEmpty();
            }
        }
    }

    @Test
    void partsCannotBePutTogetherToSayMoreOrLess() throws Exception {
        try (var world = threeHosts(folder)) {
            var point = take(world, group(Consistency.APPLICATION, ON_DB1, HERE, ON_DB2));
            var other = take(world, group(Consistency.APPLICATION, ON_DB1, HERE, ON_DB2), new RecoveryPointId("rp-2"));
            var hosts = point.hosts();

            var oneLeftOut = RecoveryPoint.overHosts(hosts.subList(0, 2), Consistency.CRASH, List.of("whatever"));
            var mixed = RecoveryPoint.overHosts(
                    List.of(hosts.get(0), hosts.get(1), other.hosts().get(2)), Consistency.APPLICATION, List.of());
            var renamed = RecoveryPoint.overHosts(
                    List.of(
                            hosts.get(0),
                            hosts.get(1),
                            new RecoveryPoint.OfHost("db3", hosts.get(2).point())),
                    Consistency.APPLICATION,
                    List.of());

            for (var forged :
                    List.of(oneLeftOut, mixed, renamed, hosts.getFirst().point())) {
                var document = Json.object(Json.write(Documents.recoveryPoint(forged)));
                assertThat(CertificateCheck.of(document).faults())
                        .as(Json.write(document))
                        .isNotEmpty();
            }
            var received = Json.object(Json.write(Documents.recoveryPoint(point)));
            ((ObjectNode) received.at("/hosts/0/recoveryPoint")).put("receivedOver", "ln-1");
            assertThat(CertificateCheck.of(received).faults()).isNotEmpty();
        }
    }

    @Test
    void tokenServesOneHostOnceAndAReplacedKeyIsRefused() throws Exception {
        try (var world = threeHosts(folder)) {
            var name = new AgentId("db1");
            var token = world.agents.invite(name, true, Duration.ofHours(1)).token();
            var fresh = Files.createDirectories(folder.resolve("fresh"));
            var identity = SiteIdentity.in(fresh, InstantSource.system());
            var connector = new TlsPeerConnector(identity, TransportLimits.DEFAULT);

            assertThat(Enrolment.enrol(token, connector, fresh, "test").agent()).isEqualTo("db1");
            assertThat(world.agents.find(name).orElseThrow().agent().fingerprint())
                    .isEqualTo(identity.fingerprint());
            awaitLost(world, "db1");

            var thief = Files.createDirectories(folder.resolve("thief"));
            var another = new TlsPeerConnector(SiteIdentity.in(thief, InstantSource.system()), TransportLimits.DEFAULT);
            assertThatThrownBy(() -> Enrolment.enrol(token, another, thief, "test"))
                    .hasMessageContaining("used already");
            assertThat(Enrolment.in(thief)).isEmpty();
        }
    }

    @Test
    void controllerNamesNoFileOutsideTheFolderOfSecretsAndNoOtherHost() throws Exception {
        try (var world = new AgentWorld(folder)) {
            world.agent("db1");
            for (var setting : Map.of("passwordFile", "/etc/tidemark/../shadow", "host", "192.0.2.1")
                    .entrySet()) {
                var group = new ConsistencyGroup(
                        new GroupId("shop"),
                        List.of(ON_DB1),
                        List.of(new QuiescerSpec("db1/database", Map.of(setting.getKey(), setting.getValue()))),
                        true,
                        LIMIT,
                        Consistency.CRASH);
                assertThatThrownBy(() -> take(world, group)).hasMessageContaining(setting.getValue());
            }
            assertThat(world.one("db1").host.events).isEmpty();
        }
    }

    /** The content of a socket is not read, and who listens there is who is frozen. */
    @Test
    void fileThatItsKindDoesNotDeclareAsSecretMayLieAnywhere() throws Exception {
        try (var world = new AgentWorld(folder)) {
            world.agent("db1");
            var group = new ConsistencyGroup(
                    new GroupId("shop"),
                    List.of(ON_DB1),
                    List.of(new QuiescerSpec("db1/database", Map.of("socketFile", "/run/database.sock"))),
                    true,
                    LIMIT,
                    Consistency.APPLICATION);

            assertThat(take(world, group).consistency()).isEqualTo(Consistency.APPLICATION);
        }
    }

    @Test
    void handleThatTheAgentHasNotGivenOutIsRefused() throws Exception {
        try (var world = new AgentWorld(folder)) {
            world.agent("db1");
            denied(() -> world.providers.of(ON_DB1).resume(new Handle("image", "rollback image:orders")), "given out");
            denied(() -> world.providers.of(ON_DB1).resume(new Handle("image", "0#rollback")), "given out");
        }
    }

    /** Every value changed, every member taken out, every element of every list taken out. */
    private static void changes(
            ObjectNode whole, com.fasterxml.jackson.databind.JsonNode node, List<ObjectNode> found) {
        paths(node, "").forEach(path -> {
            var copy = whole.deepCopy();
            int slash = path.lastIndexOf('/');
            var parent = copy.at(path.substring(0, slash));
            var name = path.substring(slash + 1);
            if (parent instanceof ObjectNode object) {
                var taken = whole.deepCopy();
                ((ObjectNode) taken.at(path.substring(0, slash))).remove(name);
                found.add(taken);
                object.put(name, "changed");
            } else {
                ((ArrayNode) parent).remove(Integer.parseInt(name));
            }
            found.add(copy);
        });
    }

    private static Set<String> paths(com.fasterxml.jackson.databind.JsonNode node, String at) {
        var paths = new TreeSet<String>();
        if (node.isObject()) {
            node.properties().forEach(field -> {
                paths.add(at + "/" + field.getKey());
                paths.addAll(paths(field.getValue(), at + "/" + field.getKey()));
            });
        } else if (node.isArray()) {
            for (int i = 0; i < node.size(); i++) {
                paths.add(at + "/" + i);
                paths.addAll(paths(node.get(i), at + "/" + i));
            }
        }
        return paths;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"check one", "freeze one", "flush", "hold one", "freeze", "cut image:orders", "bug in hold one"})
    void whatFailsAtOneHostEndsAtAll(String step) throws Exception {
        for (var failing : List.of("db1", "local")) {
            try (var world = threeHosts(folder.resolve(failing))) {
                var host = failing.equals("local") ? world.here : world.one(failing).host;
                host.failing.add(step);

                assertThatThrownBy(() -> take(world, group(Consistency.APPLICATION, ON_DB1, HERE, ON_DB2)))
                        .isInstanceOf(ConsistencyException.class);

                nothingIsLeft(world);
                host.failing.clear();
                var again =
                        take(world, group(Consistency.APPLICATION, ON_DB1, HERE, ON_DB2), new RecoveryPointId("rp-2"));
                assertThat(again.consistency()).isEqualTo(Consistency.APPLICATION);
            }
        }
    }

    @Test
    void freezeThatDidNotHoldAtOneHostLowersTheWhole() throws Exception {
        try (var world = threeHosts(folder)) {
            world.one("db2").host.notHolding.add("/orders");

            var point = take(world, group(Consistency.CRASH, ON_DB1, ON_DB2));

            assertThat(point.consistency()).isEqualTo(Consistency.CRASH);
            assertThat(point.certificate().reasons())
                    .anySatisfy(reason -> assertThat(reason).startsWith("db2: "));
            assertThat(CertificateCheck.of(Json.object(Json.write(Documents.recoveryPoint(point))))
                            .faults())
                    .isEmpty();
        }
    }

    /** The cable is cut when the host reaches the step; each host goes on by itself, and the rest is undone. */
    @Test
    void hostThatIsCutOffAtAnyStepLeavesNothingFrozenAnywhere() throws Exception {
        var steps =
                List.of("freeze one", "flush", "hold one", "freeze /orders", "cut image", "thaw /orders", "thaw one");
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var runs = steps.stream()
                    .map(step -> threads.submit(() -> {
                        cutOff(folder.resolve(step.replaceAll("[^a-z]", "-")), step);
                        return step;
                    }))
                    .toList();
            for (var run : runs) {
                assertThat(steps).contains(run.get());
            }
        }
    }

    private void cutOff(Path home, String step) throws Exception {
        try (var world = threeHosts(home)) {
            var lost = world.one("db1");
            var witness = lost.host.witness;
            lost.host.witness = event -> {
                witness.accept(event);
                if (event.equals(step)) {
                    lost.relay.stalled = true;
                }
            };

            long started = System.nanoTime();
            assertThatThrownBy(() -> take(world, group(Consistency.CRASH, ON_DB1, HERE, ON_DB2)))
                    .as(step)
                    .isInstanceOf(ConsistencyException.class)
                    .satisfies(failure -> assertThat(((ConsistencyException) failure).error())
                            .isInstanceOfAny(
                                    ConsistencyError.AgentUnreachable.class, ConsistencyError.NotTogether.class));

            assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(40));
            awaitLost(world, "db1");
            assertThat(world.one("db2").host.frozen).isEmpty();
            assertThat(world.one("db2").host.snapshots).isEmpty();
            assertThat(world.here.frozen).isEmpty();
            assertThat(world.here.snapshots).isEmpty();
            awaitThawed(lost);
            lost.relay.stalled = false;
            world.awaitConnected("db1");
            // Only what was cut and answered into a dead line can be left: the next sweep knows it by its id.
            if (!step.equals("thaw one") && !step.equals("thaw /orders")) {
                assertThat(lost.host.snapshots).as(step).isEmpty();
            }
        }
    }

    private static void awaitLost(AgentWorld world, String name) throws InterruptedException {
        long until = System.nanoTime() + Agents.LOST_WITHIN.toNanos();
        while (world.connected(name)) {
            assertThat(System.nanoTime()).as("%s is lost", name).isLessThan(until);
            Thread.sleep(10);
        }
    }

    private static void awaitThawed(AgentWorld.One one) throws InterruptedException {
        long until = System.nanoTime() + Duration.ofSeconds(15).toNanos();
        while (!one.host.frozen.isEmpty()) {
            assertThat(System.nanoTime()).isLessThan(until);
            Thread.sleep(10);
        }
    }

    @Test
    void agentDoesNothingThatItsConfigurationDoesNotAllow() throws Exception {
        try (var world = new AgentWorld(folder)) {
            world.agent(
                    "db1", new AgentRules(List.of("image:or*"), Set.of(), Path.of("/etc/tidemark"), false, Set.of()));
            world.one("db1").host.volume("image:secret", "/secret");

            assertThat(world.providers.of(ON_DB1).volumes())
                    .extracting(volume -> volume.id().value())
                    .containsExactly("db1/image:orders");
            denied(() -> world.providers.of(ON_DB1).volume(new VolumeId("db1/image:secret")), "agent.volumes");
            assertThat(world.providers.of(ON_DB1).volume(ON_DB1).can(Capability.ROLLBACK))
                    .isFalse();
            denied(() -> world.providers.of(ON_DB1).rollback(new SnapshotId(ON_DB1, POINT)), "agent.overwrite");
            denied(() -> world.providers.of(ON_DB1).remove(ON_DB1), "agent.overwrite");
            var refused = catchThrowableOfType(
                    ConsistencyException.class, () -> world.taker.plan(POINT, group(Consistency.CRASH, ON_DB1)));
            assertThat(refused).hasMessageContaining("agent.quiescers");
            assertThat(world.one("db1").host.events).isEmpty();
        }
    }

    private interface Call {
        void run() throws Exception;
    }

    private static void denied(Call call, String setting) {
        assertThatThrownBy(call::run)
                .isInstanceOf(ProviderException.class)
                .hasMessageContaining(setting)
                .satisfies(failure ->
                        assertThat(((ProviderException) failure).error()).isInstanceOf(ProviderError.Denied.class));
    }

    @Test
    void hostsWithoutAnAgentAreNamed() throws Exception {
        try (var world = new AgentWorld(folder)) {
            assertThatThrownBy(() -> take(world, group(Consistency.CRASH, ON_DB1)))
                    .hasMessageContaining("no agent of that name is enrolled");
            var stray = new ConsistencyGroup(
                    new GroupId("shop"),
                    List.of(HERE),
                    List.of(new QuiescerSpec("db9/database", Map.of())),
                    true,
                    LIMIT,
                    Consistency.CRASH);
            assertThatThrownBy(() -> take(world, stray)).hasMessageContaining("host db9");
        }
    }
}
