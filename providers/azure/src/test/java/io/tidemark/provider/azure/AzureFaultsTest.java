package io.tidemark.provider.azure;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.azure.FakeAzure;
import io.tidemark.provider.fakecloud.azure.FakeAzureSettings;
import io.tidemark.provider.fakecloud.azure.FakeCollection;
import io.tidemark.provider.fakecloud.azure.FakeDisk;
import io.tidemark.provider.fakecloud.azure.FakeSnapshot;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * Whatever fails, and wherever the process is killed, with a service above it that writes down the recovery point
 * before it asks for it, records it when all is cut, and deletes what failed, again and again, by its id, or, with
 * every other seed, only what is listed of its recovery point: in the end the snapshots that live are those of the
 * catalogue, each once, with their holds, and what is somebody else's is as it was.
 *
 * <p>{@code -Dtidemark.azure.seeds=FROM-TO} runs others.
 */
class AzureFaultsTest {
    private static final int STEPS = 6;
    /** Lists do not grow with the seeds. */
    private static final int SEEDS_OF_AN_ACCOUNT = 5;

    private static final int SWEEPS_MAXIMUM = 12;
    private static final Comparator<SnapshotId> ORDER = Comparator.comparing(SnapshotId::toString);

    private final FakeAzure first = FakeAzure.inProcess(FakeAzureSettings.defaults());
    private FakeAzure cloud = first;
    private final AzureConfig config = AzureAccount.inProcess(first);
    /** Of all the processes, one after the other: they keep nothing of what was asked. */
    private final AzureClients clients = AzureAccount.clients(config, () -> cloud);

    @Test
    void whatLivesIsWhatTheCatalogueHas() throws Exception {
        var range = System.getProperty("tidemark.azure.seeds", "1-2000").split("-", -1);
        long from = Long.parseLong(range[0]);
        long began = System.nanoTime();
        int kills = 0;
        int failures = 0;
        int together = 0;
        for (long seed = from; seed <= Long.parseLong(range[1]); seed++) {
            if ((seed - from) % SEEDS_OF_AN_ACCOUNT == 0) {
                cloud = first.another();
            }
            var run = new Run(seed);
            run.run();
            kills += run.kills;
            failures += run.failures;
            together += run.together;
        }
        System.out.printf(
                "%s: %d kills, %d failures, %d restore points, %d s, calls %s%n",
                String.join("-", range),
                kills,
                failures,
                together,
                Duration.ofNanos(System.nanoTime() - began).toSeconds(),
                first.calls());
        assertThat(kills).as("processes that were killed").isPositive();
        assertThat(together).as("restore points that live").isPositive();
        assertThat(failures).as("cuts that failed").isPositive();
        AzureAccount.everyCallIsChecked(first);
    }

    /** One account's worth of faults, from one seed. */
    private final class Run {
        private final long seed;
        private final Random random;
        private final List<VolumeId> volumes = new ArrayList<>();
        private final FakeSnapshot other;
        /** Recorded, with all their snapshots. */
        private final Set<SnapshotId> catalogue = new TreeSet<>(ORDER);
        /** Written down before they were asked for, and not recorded: to be deleted, for they may exist. */
        private final Set<SnapshotId> doubtful = new TreeSet<>(ORDER);
        /** Their hold was granted. */
        private final Set<SnapshotId> held = new TreeSet<>(ORDER);

        /** Their hold was asked for. */
        private final Set<SnapshotId> tried = new TreeSet<>(ORDER);

        private AtomicBoolean dead = new AtomicBoolean();
        private AzureProvider provider;
        private int kills;
        private int failures;
        private int together;

        Run(long seed) {
            this.seed = seed;
            this.random = new Random(seed);
            var disks = new ArrayList<FakeDisk>();
            for (int index = 0; index < 3; index++) {
                var disk = cloud.createDisk(AzureAccount.GROUP, "s%dd%d".formatted(seed, index), 1);
                var volume = AzureAccount.volume(disk.name);
                disks.add(disk);
                volumes.add(volume);
            }
            if (random.nextBoolean()) {
                var size = random.nextInt(4) == 0 ? "Standard_D4s_v6" : "Standard_D4s_v5";
                cloud.createMachine(AzureAccount.GROUP, "vm" + seed, size, disks);
            }
            other = cloud.createSnapshot(
                    disks.getFirst(),
                    "theirs-" + seed,
                    Map.of(
                            AzureNames.INSTALLATION, "another",
                            AzureNames.RECOVERY_POINT, "rp-theirs",
                            AzureNames.VOLUME, volumes.getFirst().name()));
            provider = open();
        }

        void run() throws Exception {
            cloud.faults(FaultScript.of(seed));
            for (int step = 0; step < STEPS; step++) {
                killAfter(random.nextInt(4) == 0 ? random.nextInt(12) : Integer.MAX_VALUE);
                switch (catalogue.isEmpty() ? 2 : random.nextInt(5)) {
                    case 0 -> remove();
                    case 1 -> hold();
                    default -> take(new RecoveryPointId("rp-s%dn%d".formatted(seed, step)));
                }
                cloud.clock().advance(Duration.ofSeconds(random.nextInt(120)));
                restartWhereDead();
                if (random.nextInt(3) == 0) {
                    sweep();
                }
                restartWhereDead();
            }
            cloud.beforeAnswer(call -> {});
            cloud.faults(FaultScript.none());
            for (int sweep = 0; sweep < SWEEPS_MAXIMUM && !doubtful.isEmpty(); sweep++) {
                cloud.clock().advance(Duration.ofMinutes(3));
                sweep();
            }
            check();
        }

        private void take(RecoveryPointId recoveryPoint) {
            var members = volumes.subList(0, 1 + random.nextInt(volumes.size()));
            var ids = members.stream()
                    .map(each -> new SnapshotId(each, recoveryPoint))
                    .toList();
            doubtful.addAll(ids);
            var request = new CutRequest(recoveryPoint, members);
            for (int attempt = 0; attempt < 3; attempt++) {
                try {
                    provider.prepare(request);
                    var cut = provider.cut(request);
                    assertThat(cut.members()).hasSize(members.size());
                    if (!dead.get()) {
                        catalogue.addAll(ids);
                        ids.forEach(doubtful::remove);
                    }
                    return;
                } catch (ProviderException e) {
                    failures++;
                    if (dead.get() || !e.error().retryable() || random.nextBoolean()) {
                        return;
                    }
                }
            }
        }

        private void hold() {
            var id = List.copyOf(catalogue).get(random.nextInt(catalogue.size()));
            tried.add(id);
            cloud.lateTags(Math.max(0, random.nextInt(6) - 3));
            try {
                provider.hold(id, new HoldOwner("link-1"));
                if (!dead.get()) {
                    held.add(id);
                }
            } catch (ProviderException e) {
                // Granted or not: it is not counted upon.
                return;
            }
        }

        private void remove() {
            var id = List.copyOf(catalogue).get(random.nextInt(catalogue.size()));
            if (!held.contains(id)) {
                catalogue.remove(id);
                doubtful.add(id);
            }
        }

        /**
         * What the service does with what failed, until it is told that it is done; then it asks no more.
         */
        private void sweep() {
            for (var id : found()) {
                try {
                    if (tried.contains(id)) {
                        provider.release(id, new HoldOwner("link-1"));
                    }
                    Step<?> step = provider.delete(id);
                    if (step instanceof Step.Done && !dead.get() && !isByList()) {
                        doubtful.remove(id);
                    }
                } catch (ProviderException e) {
                    if (dead.get()) {
                        return;
                    }
                }
            }
        }

        private boolean isByList() {
            return seed % 2 == 0;
        }

        /** As the service's sweeps find it; of what is not listed they never hear. */
        private List<SnapshotId> found() {
            if (!isByList()) {
                return List.copyOf(doubtful);
            }
            var found = new ArrayList<SnapshotId>();
            for (var of :
                    doubtful.stream().map(SnapshotId::recoveryPoint).distinct().toList()) {
                try {
                    provider.snapshots(SnapshotQuery.ofRecoveryPoint(of)).snapshots().stream()
                            .map(each -> each.id())
                            .filter(doubtful::contains)
                            .forEach(found::add);
                } catch (ProviderException e) {
                    if (dead.get()) {
                        return List.of();
                    }
                }
            }
            return found;
        }

        private void killAfter(int calls) {
            var isFirst = new AtomicBoolean(true);
            var base = new AtomicLong();
            var mine = dead;
            cloud.beforeAnswer(call -> {
                if (isFirst.compareAndSet(true, false)) {
                    base.set(call);
                }
                if (call - base.get() >= calls) {
                    mine.set(true);
                    throw new IllegalStateException("killed");
                }
            });
        }

        private void restartWhereDead() {
            if (dead.get()) {
                kills++;
                // The next process has a thread that nobody has interrupted.
                Thread.interrupted();
                dead = new AtomicBoolean();
                cloud.beforeAnswer(call -> {});
                provider = open();
            }
        }

        private AzureProvider open() {
            return AzureAccount.open(config, clients, cloud.clock(), dead);
        }

        private void check() throws Exception {
            var live = new TreeMap<String, Map<String, String>>();
            cloud.snapshots().stream()
                    .filter(each -> each != other && each.name.contains("s" + seed + "n"))
                    .forEach(each ->
                            assertThat(live.put(name(each), each.tags())).isNull());
            var wanted = catalogue.stream().map(SnapshotId::toString).toList();
            for (var each : cloud.collections()) {
                if (each.name.contains("s" + seed + "n")) {
                    assertThat(each.tags().keySet())
                            .as("seed %d: members", seed)
                            .anyMatch(AzureFaultsTest::isMember);
                    together++;
                    each.tags().forEach((key, value) -> {
                        if (isMember(key)) {
                            assertThat(live.put(memberName(each, value), each.tags()))
                                    .isNull();
                        }
                    });
                }
            }
            assertThat(live.keySet()).as("seed %d: what lives", seed).containsExactlyInAnyOrderElementsOf(wanted);
            for (var each : held) {
                if (catalogue.contains(each)) {
                    assertThat(live.getOrDefault(each.toString(), Map.of()).keySet())
                            .as("seed %d: hold of %s", seed, each)
                            .anyMatch(key -> key.startsWith("tidemark:hold:") && key.endsWith("link-1"));
                }
            }
            assertThat(cloud.snapshots()).as("seed %d: somebody else's", seed).contains(other);
            assertThat(other.tags()).hasSize(3).containsEntry(AzureNames.INSTALLATION, "another");
            assertListed(wanted);
        }

        private void assertListed(List<String> wanted) throws Exception {
            // The fake hides what is new from a number of lists, not for a time: up to three.
            for (int list = 0; list < 3; list++) {
                provider.snapshots(SnapshotQuery.everything());
            }
            var listed = provider.snapshots(SnapshotQuery.everything()).snapshots().stream()
                    .map(each -> each.id().toString())
                    .filter(each -> each.contains("s" + seed + "n"))
                    .toList();
            assertThat(listed).as("seed %d: what is listed", seed).containsExactlyInAnyOrderElementsOf(wanted);
        }
    }

    private static boolean isMember(String key) {
        return key.startsWith(CloudCollection.MEMBER);
    }

    private static String memberName(FakeCollection collection, String value) {
        return "azure:%s@%s"
                .formatted(value.split(" ", -1)[2], collection.tags().get(AzureNames.RECOVERY_POINT));
    }

    private static String name(FakeSnapshot snapshot) {
        return "azure:%s@%s"
                .formatted(AzureNames.nameOf(snapshot.sourceId), snapshot.tags().get(AzureNames.RECOVERY_POINT));
    }
}
