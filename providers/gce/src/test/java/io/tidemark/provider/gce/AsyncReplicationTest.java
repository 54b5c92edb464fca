package io.tidemark.provider.gce;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.gce.FakeGceSettings;
import io.tidemark.provider.gce.AsyncReplication.State;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageReplication;
import io.tidemark.spi.StorageReplication.Status;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AsyncReplicationTest {
    private static Status followed(GceProject project, GceProvider provider, Step<Status> first) throws Exception {
        Step<?> step = first;
        for (int look = 0; look < 20; look++) {
            if (step instanceof Step.Done<?>(var status)) {
                return (Status) status;
            }
            var running = (Step.Running<?>) step;
            project.cloud().clock().advance(running.askAgainAfter());
            // As after a restart.
            step = provider.resume(new Handle("gce", running.handle().token()));
        }
        throw new AssertionError("not at its end: " + step);
    }

    @Test
    void groupIsStoppedAsAWholeAndOnlyOnceItsCostIsAccepted() throws Exception {
        try (var project = new GceProject(FakeGceSettings.defaults().operations(Duration.ofSeconds(25)))) {
            var provider = replicating(project);
            var data = project.disk("data");
            var log = project.disk("log");
            project.cloud().createConsistencyGroup("europe-west3", "both", List.of(data, log));
            project.cloud().clock().advance(Duration.ofMinutes(1));
            for (var each : List.of(data, log)) {
                var secondary = VolumeId.of("gce", "us-east1-b/copy-" + each.name());
                var status = followed(project, provider, provider.startReplication(GceProject.volume(each), secondary));
                assertThat(status.state()).isEqualTo(StorageReplication.State.ACTIVE);
                assertThat(status.partners()).containsExactly(secondary);
                assertThat(status.groups()).containsExactly("both");
                assertThat(provider.replication(secondary).partners()).containsExactly(GceProject.volume(each));
                assertThat(provider.startReplication(GceProject.volume(each), secondary))
                        .isInstanceOf(Step.Done.class);
            }

            var first = GceProject.volume(data);
            assertThatThrownBy(() -> provider.stopReplication(first, true, false))
                    .hasMessageContaining("a new secondary disk is needed");
            assertThat(provider.replication(first).state()).isEqualTo(StorageReplication.State.ACTIVE);
            var stopped = followed(project, provider, provider.stopReplication(first, true, true));
            assertThat(stopped.state()).isEqualTo(StorageReplication.State.STOPPED);
            assertThat(provider.replication(GceProject.volume(log)).state())
                    .isEqualTo(StorageReplication.State.STOPPED);
            assertThatThrownBy(() -> provider.startReplication(first, VolumeId.of("gce", "us-east1-b/copy-data")))
                    .hasMessageContaining("make a new secondary");
            project.everyCallIsChecked();
        }
    }

    private static GceProvider replicating(GceProject project) {
        var settings = new HashMap<>(GceProject.settings());
        settings.put("locations.2", "us-east1-b");
        return project.open(GceConfig.of("gce", settings), new AtomicBoolean());
    }

    /** Its disks, all replicated; the secondary of NAME is copy-NAME. */
    private static List<VolumeId> group(GceProject project, GceProvider provider, String... names) throws Exception {
        var disks = List.of(names).stream().map(project::disk).toList();
        project.cloud().createConsistencyGroup("europe-west3", "both", disks);
        project.cloud().clock().advance(Duration.ofMinutes(1));
        for (var each : disks) {
            var secondary = VolumeId.of("gce", "us-east1-b/copy-" + each.name());
            followed(project, provider, provider.startReplication(GceProject.volume(each), secondary));
        }
        return disks.stream().map(GceProject::volume).toList();
    }

    @ParameterizedTest
    @CsvSource({"europe-west3-a/data, true", "us-east1-b/copy-data, true", "us-east1-b/copy-data, false"})
    void groupIsStoppedAsAWholeFromEitherSideAlsoWhereOneOfItIsStoppedAlready(String from, boolean stoppedBefore)
            throws Exception {
        try (var project = new GceProject(FakeGceSettings.defaults())) {
            var provider = replicating(project);
            var volumes = group(project, provider, "data", "log");
            var asked = VolumeId.of("gce", from);
            assertThat(provider.replication(asked).groups()).containsExactly("both");
            if (stoppedBefore) {
                followed(project, provider, provider.stopReplication(asked, false, true));
                assertThat(provider.replication(volumes.getLast()).state()).isEqualTo(StorageReplication.State.ACTIVE);
            }

            var stopped = followed(project, provider, provider.stopReplication(asked, true, true));
            assertThat(stopped.state()).isEqualTo(StorageReplication.State.STOPPED);
            for (var each : volumes) {
                assertThat(provider.replication(each).state()).isEqualTo(StorageReplication.State.STOPPED);
            }
            assertThat(provider.stopReplication(asked, true, true)).isInstanceOf(Step.Done.class);
            project.everyCallIsChecked();
        }
    }

    /** What an operation did is there once it has ended, so the disk is looked at after it. */
    @Test
    void stopThatEndsWhileItIsLookedAtIsNotAskedForAgain() throws Exception {
        try (var project = new GceProject(FakeGceSettings.defaults())) {
            var provider = replicating(project);
            var volume = group(project, provider, "data").getFirst();
            var begun = new GceHandles.StopReplication(
                    volume, false, Optional.of(new GceHandles.Work(new GceLocation("europe-west3-a"), "operation-0")));
            var first = new AtomicBoolean(true);
            project.cloud().beforeAnswer(number -> {
                if (first.compareAndSet(true, false)) {
                    try {
                        provider.stopReplication(volume, false, true);
                    } catch (ProviderException e) {
                        throw new AssertionError(e);
                    }
                }
            });

            assertThat(provider.resume(begun.handle())).isInstanceOf(Step.Done.class);
            assertThat(Objects.requireNonNull(project.cloud().calls().get("disks.stopAsyncReplication"))
                            .seen())
                    .isEqualTo(1);
            project.everyCallIsChecked();
        }
    }

    /** What was stopped stays in the disks: a primary's former secondary, and in what was one its former primary. */
    @Test
    void pairThatWasStoppedHidesNoneThatCameAfterIt() throws Exception {
        try (var project = new GceProject(FakeGceSettings.defaults())) {
            var provider = replicating(project);
            var orders = GceProject.volume(project.disk("orders"));
            var promoted = VolumeId.of("gce", "us-east1-b/first");
            followed(project, provider, provider.startReplication(orders, promoted));
            followed(project, provider, provider.stopReplication(orders, false, true));

            var again = VolumeId.of("gce", "us-east1-b/second");
            var back = VolumeId.of("gce", "europe-west3-a/back");
            for (var pair : List.of(Map.entry(orders, again), Map.entry(promoted, back))) {
                var primary = pair.getKey();
                var started = followed(project, provider, provider.startReplication(primary, pair.getValue()));
                assertThat(started.state()).isEqualTo(StorageReplication.State.ACTIVE);
                assertThat(provider.replication(primary).state()).isEqualTo(StorageReplication.State.ACTIVE);
                followed(project, provider, provider.stopReplication(primary, false, true));
                assertThat(provider.replication(pair.getValue()).state()).isEqualTo(StorageReplication.State.STOPPED);
            }
            assertThat(Objects.requireNonNull(project.cloud().calls().get("disks.stopAsyncReplication"))
                            .seen())
                    .isEqualTo(3);
            project.everyCallIsChecked();
        }
    }

    /** The quota is seen to be used up when the work is done, and may have been given back a while later. */
    @ParameterizedTest
    @CsvSource({"disks.insert", "disks.startAsyncReplication"})
    void whatEndedForWantOfQuotaIsBegunAgainOnceAMinuteHasPassed(String call) throws Exception {
        try (var project = new GceProject(FakeGceSettings.defaults().operations(Duration.ofSeconds(5)))) {
            var provider = replicating(project);
            var orders = GceProject.volume(project.disk("orders"));
            project.cloud().clock().advance(Duration.ofMinutes(1));
            project.cloud().endInError(call, 2, "QUOTA_EXCEEDED");

            Step<?> step = provider.startReplication(orders, VolumeId.of("gce", "us-east1-b/copy"));
            int refused = 0;
            for (int look = 0; look < 40 && step instanceof Step.Running<?> running; look++) {
                project.cloud().clock().advance(running.askAgainAfter());
                try {
                    step = provider.resume(running.handle());
                } catch (ProviderException e) {
                    var busy = (ProviderError.Busy) e.error();
                    assertThat(busy.message()).contains("QUOTA_EXCEEDED");
                    assertThat(busy.retryAfter()).isBetween(Duration.ofSeconds(1), Duration.ofMinutes(1));
                    refused++;
                }
            }

            assertThat(((Status) ((Step.Done<?>) step).result()).state()).isEqualTo(StorageReplication.State.ACTIVE);
            // Every 10 s of a minute, twice, from 5 s after each end on.
            assertThat(refused).isEqualTo(12);
            assertThat(Objects.requireNonNull(project.cloud().calls().get(call)).seen())
                    .isEqualTo(3);
            project.everyCallIsChecked();
        }
    }

    @Test
    void secondaryThatHasFailedIsNotWaitedFor() throws Exception {
        try (var project = new GceProject(FakeGceSettings.defaults().operations(Duration.ofSeconds(5)))) {
            var provider = replicating(project);
            var orders = GceProject.volume(project.disk("orders"));
            project.cloud().clock().advance(Duration.ofMinutes(1));
            var begun = (Step.Running<Status>) provider.startReplication(orders, VolumeId.of("gce", "us-east1-b/copy"));
            project.cloud().clock().advance(begun.askAgainAfter());
            project.cloud().fail(project.cloud().disks().getLast());

            assertThatThrownBy(() -> provider.resume(begun.handle())).hasMessageContaining("the disk is FAILED");
            project.everyCallIsChecked();
        }
    }

    /** By the clock of a host that is behind, the end is still to come. */
    @Test
    void workThatEndedInTheFutureIsBegunAgainAtOnce() throws Exception {
        try (var project = new GceProject(FakeGceSettings.defaults())) {
            var calls = new GceCalls(project.connection(), "tidemark-tests");
            project.disk("orders");
            project.cloud().endInError("disks.delete", 1, "QUOTA_EXCEEDED");
            var place = new GceLocation("europe-west3-a");
            var failed = calls.deleteDisk(place, "orders").orElseThrow();
            Instant ended = project.cloud().clock().instant();
            for (int seconds : List.of(0, 59)) {
                var operations = new GceOperations(calls, project.attempts(), () -> ended.plusSeconds(seconds));
                assertThatThrownBy(() -> operations.isUnderWay("it", place, failed.name()))
                        .hasMessageContaining("QUOTA_EXCEEDED");
            }
            for (int seconds : List.of(-1, 60)) {
                var operations = new GceOperations(calls, project.attempts(), () -> ended.plusSeconds(seconds));
                assertThat(operations.isUnderWay("it", place, failed.name())).isFalse();
            }
        }
    }

    @Test
    void secondaryThatIsSomethingElseIsNotTouched() throws Exception {
        try (var project = new GceProject(FakeGceSettings.defaults())) {
            var provider = replicating(project);
            var orders = GceProject.volume(project.disk("orders"));
            project.cloud().createDisk("zones/us-east1-b", "taken", 10, Map.of());

            for (var each : List.of("us-east1-b/taken", "us-east1-c/elsewhere", "no-place")) {
                assertThatThrownBy(() -> provider.startReplication(orders, VolumeId.of("gce", each)))
                        .isInstanceOfSatisfying(
                                ProviderException.class,
                                e -> assertThat(e.error()).isInstanceOf(ProviderError.Conflict.class));
            }
            assertThatThrownBy(() -> provider.stopReplication(orders, false, true))
                    .hasMessageContaining("not replicated");
            assertThat(project.cloud().disks()).hasSize(2);
            project.everyCallIsChecked();
        }
    }

    /** Else it would be waited for, and stay when nobody waits any more. */
    @Test
    void secondaryIsLabelledSoThatItIsSeenAndOneThatIsNotSeenIsRefused() throws Exception {
        try (var project = new GceProject(FakeGceSettings.defaults())) {
            var settings = new HashMap<>(GceProject.settings());
            settings.put("locations.2", "us-east1-b");
            settings.put("onlyLabelled", "backed-up=yes");
            var provider = project.open(GceConfig.of("gce", settings), new AtomicBoolean());
            var labels = Map.of("backed-up", "yes");
            var primary = GceProject.volume(project.cloud().createDisk(GceProject.ZONE, "data", 10, labels));
            project.cloud().createDisk("zones/us-east1-b", "hidden", 10, Map.of());
            var later = GceProject.volume(project.cloud().createDisk(GceProject.ZONE, "log", 10, labels));
            replicating(project).replication().createSecondary(later, VolumeId.of("gce", "us-east1-b/unlabelled"));

            var secondary = VolumeId.of("gce", "us-east1-b/copy");
            var started = followed(project, provider, provider.startReplication(primary, secondary));
            assertThat(started.state()).isEqualTo(StorageReplication.State.ACTIVE);
            assertThatThrownBy(() -> provider.startReplication(later, VolumeId.of("gce", "us-east1-b/hidden")))
                    .hasMessageContaining("not made as a secondary");
            assertThatThrownBy(() -> provider.startReplication(later, VolumeId.of("gce", "us-east1-b/unlabelled")))
                    .hasMessageContaining("onlyLabelled");
            project.everyCallIsChecked();
        }
    }

    @ParameterizedTest
    @CsvSource({"zones/europe-west3-a, us-east1-b", "regions/europe-west3, us-east1"})
    void pairIsMadeStartedStoppedAndNeverGoesOn(String from, String to) throws Exception {
        try (var project = new GceProject(FakeGceSettings.defaults())) {
            var settings = new HashMap<>(GceProject.settings());
            settings.put("locations.2", to);
            var provider = project.open(GceConfig.of("gce", settings), new AtomicBoolean());
            var primary = GceProject.volume(project.cloud().createDisk(from, "orders", 10, Map.of()));
            var secondary = VolumeId.of("gce", to + "/orders-copy");
            var replication = provider.replication();
            assertThat(replication.state(primary)).isEqualTo(State.NONE);
            assertThatThrownBy(() -> replication.stop(primary, true)).hasMessageContaining("not replicated");

            replication.createSecondary(primary, secondary);
            assertThat(replication.state(secondary)).isEqualTo(State.CREATED);
            String resource = from.startsWith("zones") ? "disks" : "regionDisks";
            project.cloud().faults(FaultScript.none().on(resource + ".startAsyncReplication", 1, Fault.CUT_AFTER));
            replication.start(primary, secondary);
            assertThat(replication.state(primary)).isEqualTo(State.ACTIVE);
            assertThat(provider.volume(secondary).facts()).containsEntry("asyncReplication", "active");
            assertThatThrownBy(() -> provider.cut(new CutRequest(new RecoveryPointId("rp-1"), List.of(secondary))))
                    .isInstanceOf(ProviderException.class)
                    .hasMessageContaining("already being used");

            assertThatThrownBy(() -> replication.stop(primary, false))
                    .hasMessageContaining("a new secondary disk is needed");
            assertThat(replication.state(primary)).isEqualTo(State.ACTIVE);
            replication.stop(primary, true);
            replication.stop(secondary, true);
            assertThat(replication.state(secondary)).isEqualTo(State.STOPPED);
            assertThatThrownBy(() -> replication.start(primary, secondary))
                    .hasMessageContaining("make a new secondary");
            project.everyCallIsChecked();
        }
    }
}
