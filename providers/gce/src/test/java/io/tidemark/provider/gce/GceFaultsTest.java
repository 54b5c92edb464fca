package io.tidemark.provider.gce;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.gce.FakeDisk;
import io.tidemark.provider.fakecloud.gce.FakeGceSettings;
import io.tidemark.provider.fakecloud.gce.FakeGceSnapshot;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Seeded scripts of what can go wrong between us and Google: refused, failed before or after its effect, cut off, seen
 * late, ended in error; and the process killed between any two calls. A small service above the provider writes down a
 * recovery point before it asks for it, records it when all is cut, and deletes what failed, by its id, again and
 * again. In the end the snapshots that live are those of the catalogue, each once, and nobody else's is touched.
 *
 * <p>{@code -Dtidemark.gce.seeds=FROM-TO} runs others.
 */
class GceFaultsTest {
    private static final int STEPS = 4;
    /** Lists grow no longer than this many seeds make them. */
    private static final int SEEDS_A_PROJECT = 5;
    /** The service goes on looking for what it has once asked for: what is hidden is so for a number of looks. */
    private static final int SWEEPS_AFTER = 3;

    private static final int SWEEPS_MAXIMUM = 12;
    private static final int DISKS = 3;
    /** Whatever hangs in the fake does so for less. */
    private static final Duration STUCK = Duration.ofHours(7);

    private static final int LISTS = 4;
    private static final FakeGceSettings SETTINGS = FakeGceSettings.defaults()
            .creating(Duration.ofMillis(400))
            .takes(Duration.ofMinutes(1))
            .operations(Duration.ofMillis(400));
    private static GceProject project;

    @BeforeAll
    static void start() throws Exception {
        project = new GceProject(SETTINGS);
    }

    @AfterAll
    static void stop() {
        project.close();
    }

    @Test
    void whatLivesIsWhatTheCatalogueHas() throws Exception {
        var range = System.getProperty("tidemark.gce.seeds", "1-2000").split("-", -1);
        long begun = System.nanoTime();
        int kills = 0;
        int failures = 0;
        int recorded = 0;
        int together = 0;
        int looks = 0;
        int looksCutShort = 0;
        for (long seed = Long.parseLong(range[0]); seed <= Long.parseLong(range[1]); seed++) {
            if (seed % SEEDS_A_PROJECT == 0) {
                project.fresh(SETTINGS);
            }
            var run = new Run(seed);
            run.run();
            kills += run.kills;
            failures += run.failures;
            recorded += run.catalogue.size();
            together += run.together;
            looks += run.looks;
            looksCutShort += run.looksCutShort;
        }
        System.out.printf(
                "seeds %s: %d kills, %d failures, %d snapshots recorded, %d cuts together, %d looks, %d cut short, %d ms%n",
                String.join("-", range),
                kills,
                failures,
                recorded,
                together,
                looks,
                looksCutShort,
                (System.nanoTime() - begun) / 1_000_000);
        assertThat(kills).as("processes that were killed").isPositive();
        assertThat(failures).as("cuts that failed").isPositive();
        assertThat(recorded).as("snapshots that were recorded").isPositive();
        assertThat(looks).as("looks at what is there").isPositive();
        assertThat(looksCutShort).as("looks that failed").isPositive();
        assertThat(together).as("cuts of a consistency group").isPositive();
        project.everyCallIsChecked();
    }

    /** One project's worth of faults, from one seed. */
    private static final class Run {
        private final long seed;
        private final Random random;
        private final List<VolumeId> volumes = new ArrayList<>();
        private final List<String> disks = new ArrayList<>();
        private final List<FakeDisk> mine = new ArrayList<>();
        private final List<String> others = new ArrayList<>();
        /** Recorded, with all their snapshots. */
        private final Map<String, SnapshotId> catalogue = new LinkedHashMap<>();
        /** Written down before they were asked for, and not recorded: to be deleted, for they may exist. */
        private final Map<String, SnapshotId> doubtful = new LinkedHashMap<>();

        private final Map<SnapshotId, Integer> swept = new HashMap<>();
        private final Map<SnapshotId, Handle> handles = new HashMap<>();
        private AtomicBoolean dead = new AtomicBoolean();
        private GceProvider provider;
        private int kills;
        private int failures;
        private int together;
        private int looks;
        private int looksCutShort;

        Run(long seed) {
            this.seed = seed;
            this.random = new Random(seed);
            for (int index = 0; index < DISKS; index++) {
                FakeDisk disk = project.disk("d%d-%d".formatted(seed, index));
                mine.add(disk);
                disks.add("projects/tidemark-tests/%s/disks/%s".formatted(GceProject.ZONE, disk.name()));
                volumes.add(GceProject.volume(disk));
                var other = project.cloud()
                        .createSnapshot(
                                disk,
                                "other-%d-%d".formatted(seed, index),
                                Map.of(
                                        GceNames.INSTALLATION,
                                        "another",
                                        GceNames.RECOVERY_POINT,
                                        "rp-s%dn0".formatted(seed)));
                others.add(other.name());
            }
            if (random.nextInt(3) == 0) {
                project.cloud().createConsistencyGroup("europe-west3", "group-" + seed, mine);
            }
            provider = project.open(GceProject.config(), dead);
        }

        void run() throws Exception {
            var cloud = project.cloud();
            cloud.faults(FaultScript.of(seed));
            for (int step = 0; step < STEPS; step++) {
                killAfter(random.nextInt(3) == 0 ? random.nextInt(14) : Integer.MAX_VALUE);
                if (random.nextInt(4) == 0 && !catalogue.isEmpty()) {
                    remove();
                } else {
                    take(new RecoveryPointId("rp-s%dn%d".formatted(seed, step)));
                }
                cloud.clock().advance(Duration.ofSeconds(random.nextInt(120)));
                restartWhereDead();
                killAfter(random.nextInt(3) == 0 ? random.nextInt(20) : Integer.MAX_VALUE);
                if (random.nextInt(2) == 0) {
                    look();
                }
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
            ids.forEach(each -> doubtful.put(each.toString(), each));
            var request = new CutRequest(recoveryPoint, members);
            for (int attempt = 0; attempt < 3; attempt++) {
                try {
                    provider.prepare(request);
                    var cut = provider.cut(request);
                    assertThat(cut.members()).hasSize(members.size());
                    if (!dead.get()) {
                        together += cut.atomic() && ids.size() > 1 ? 1 : 0;
                        ids.forEach(each -> catalogue.put(each.toString(), each));
                        catalogue.keySet().forEach(doubtful::remove);
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

        /** Instants become snapshots on the way, and their group is ended, unless that fails. */
        private void look() {
            try {
                provider.snapshots(SnapshotQuery.everything());
                for (var id : catalogue.values()) {
                    provider.readiness(id);
                }
                looks++;
            } catch (ProviderException e) {
                looksCutShort++;
            }
        }

        private void remove() {
            var id = List.copyOf(catalogue.values()).get(random.nextInt(catalogue.size()));
            catalogue.remove(id.toString());
            doubtful.put(id.toString(), id);
        }

        /**
         * What the service does with what failed, at once and again and again; a handle is gone on with where there
         * is one.
         */
        private void sweep() {
            for (var id : List.copyOf(doubtful.values())) {
                try {
                    Handle handle = handles.remove(id);
                    Step<?> step =
                            handle == null || random.nextBoolean() ? provider.delete(id) : provider.resume(handle);
                    if (step instanceof Step.Running<?> running) {
                        handles.put(id, running.handle());
                    } else if (!dead.get() && swept.merge(id, 1, Integer::sum) > SWEEPS_AFTER) {
                        doubtful.remove(id.toString());
                    }
                } catch (ProviderException e) {
                    if (dead.get()) {
                        return;
                    }
                }
            }
        }

        private void killAfter(int calls) {
            var mine = dead;
            var left = new int[] {calls};
            project.cloud().beforeAnswer(call -> {
                if (mine.get() || left[0]-- <= 0) {
                    mine.set(true);
                    throw new IllegalStateException("killed");
                }
            });
        }

        private void restartWhereDead() {
            if (!dead.get()) {
                return;
            }
            kills++;
            // The next process has a thread that nobody has interrupted.
            Thread.interrupted();
            dead = new AtomicBoolean();
            project.cloud().beforeAnswer(call -> {});
            provider = project.open(GceProject.config(), dead);
        }

        private void check() throws Exception {
            // What is new is hidden from a number of looks, and instants become snapshots while somebody looks.
            for (int list = 0; list < LISTS; list++) {
                project.cloud().clock().advance(STUCK);
                provider.snapshots(SnapshotQuery.everything());
            }
            assertThat(project.cloud().instantSnapshots())
                    .as("seed %d: instants", seed)
                    .isEmpty();
            assertThat(project.cloud().groups()).as("seed %d: groups", seed).isEmpty();
            var live = project.cloud().snapshots().stream()
                    .filter(each -> disks.contains(each.sourceDisk()))
                    .toList();
            var ours = live.stream()
                    .filter(each -> "tests".equals(each.labels().get(GceNames.INSTALLATION)))
                    .map(Run::idOf)
                    .toList();
            assertThat(ours).as("seed %d: what lives", seed).containsExactlyInAnyOrderElementsOf(catalogue.keySet());
            assertThat(live).extracting(FakeGceSnapshot::name).containsAll(others);
            var listed = new ArrayList<String>();
            provider.snapshots(SnapshotQuery.everything()).snapshots().stream()
                    .map(Snapshot::id)
                    .filter(each -> volumes.contains(each.volume()))
                    .map(SnapshotId::toString)
                    .forEach(listed::add);
            assertThat(listed)
                    .as("seed %d: what is listed", seed)
                    .containsExactlyInAnyOrderElementsOf(catalogue.keySet());
        }

        private static String idOf(FakeGceSnapshot snapshot) {
            return "gce:%s@%s"
                    .formatted(
                            GceNames.volumeIn(snapshot.labels()).orElseThrow(),
                            snapshot.labels().get(GceNames.RECOVERY_POINT));
        }
    }
}
