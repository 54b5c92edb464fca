package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.CallCount;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.provider.fakecloud.aws.FakeAwsSettings;
import io.tidemark.provider.fakecloud.aws.FakeSnapshot;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.FastRestores;
import io.tidemark.spi.FastRestores.FastState;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.RecycleBin;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotArchives;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotLocks;
import io.tidemark.spi.SnapshotLocks.LockMode;
import io.tidemark.spi.SnapshotLocks.LockRequest;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/**
 * Seeded scripts of what can go wrong between us and Amazon: refused, failed before or after its effect, cut off, seen
 * late, ended in error; and the process killed between any two calls. A small service above the provider does what ours
 * is to do: it writes down a recovery point before it asks for it, records it when all is cut, and deletes what failed,
 * by its id, again and again (ours looks for it by its recovery point, at once and at its start). In the end the
 * snapshots that live are those of the catalogue, each once; those in the recycle bin are told to be there, and fast
 * restores, which are paid for by the hour, where they are.
 *
 * <p>{@code -Dtidemark.ebs.seeds=FROM-TO} runs others.
 */
class EbsFaultsTest {
    private static final EbsConfig CONFIG = EbsAccount.config("eu-central-1", "http://127.0.0.1:1");
    private static final List<String> ZONES = List.of("eu-central-1a", "eu-central-1b");
    private static final int STEPS = 6;
    /** The service goes on looking for what it has once asked for, for as long as it may appear. */
    private static final int SWEEPS_AFTER = 4;

    private static final int SWEEPS_MAXIMUM = 12;
    /** What earlier seeds left behind is listed too: after so many an account of its own costs less. */
    private static final int SEEDS_AN_ACCOUNT = 10;

    @Test
    void whatLivesIsWhatTheCatalogueHas() throws Exception {
        var range = System.getProperty("tidemark.ebs.seeds", "1-2000").split("-", -1);
        long last = Long.parseLong(range[1]);
        int kills = 0;
        int failures = 0;
        int refusals = 0;
        int returns = 0;
        int fastRestores = 0;
        long calls = 0;
        for (long first = Long.parseLong(range[0]); first <= last; first += SEEDS_AN_ACCOUNT) {
            try (var cloud = FakeAws.start(FakeAwsSettings.defaults());
                    var clients = EbsAccount.inProcess(cloud, CONFIG)) {
                for (long seed = first; seed <= Math.min(last, first + SEEDS_AN_ACCOUNT - 1); seed++) {
                    var run = new Run(seed, cloud, clients);
                    run.run();
                    kills += run.kills;
                    failures += run.failures;
                    refusals += run.refusals;
                    returns += run.returns;
                    fastRestores += run.fastRestores;
                }
                EbsAccount.everyCallIsChecked(cloud);
                calls += cloud.calls().values().stream()
                        .mapToLong(CallCount::seen)
                        .sum();
            }
        }
        System.out.printf(
                "%d kills, %d failures, %d refused deletions, %d back from the bin, %d fast restores, %d calls%n",
                kills, failures, refusals, returns, fastRestores, calls);
        assertThat(returns).as("snapshots that came back from the bin").isPositive();
        assertThat(fastRestores).as("fast restores that are there at the end").isPositive();
        assertThat(refusals).as("deletions of what is locked").isPositive();
        assertThat(kills).as("processes that were killed").isPositive();
        assertThat(failures).as("cuts that failed").isPositive();
    }

    /** One account's worth of faults, from one seed. */
    private static final class Run {
        private final FakeAws cloud;
        /** Of all the processes, one after the other: they keep nothing of what was asked. */
        private final AwsClients clients;

        private final long seed;
        private final Random random;
        private final List<VolumeId> volumes = new ArrayList<>();
        private final Set<String> cloudVolumes = new TreeSet<>();
        /** Recorded, with all their snapshots. */
        private final Set<SnapshotId> catalogue = new TreeSet<>(java.util.Comparator.comparing(SnapshotId::toString));
        /** Written down before they were asked for, and not recorded: to be deleted, for they may exist. */
        private final Set<SnapshotId> doubtful = new TreeSet<>(java.util.Comparator.comparing(SnapshotId::toString));

        private final Set<SnapshotId> locked = new HashSet<>();
        /** And those whose lock was not answered. */
        private final Set<SnapshotId> perhapsLocked = new HashSet<>();

        private final Set<SnapshotId> removed = new HashSet<>();
        /** Removed and said to be deleted, since the last kill or before. */
        private final Set<SnapshotId> gone = new HashSet<>();
        /** Zones of fast restores that were asked for. */
        private final Map<SnapshotId, Set<String>> fast = new HashMap<>();
        /** Those of whose fast restores an answer is missing, or that were in the archive or the bin, which may end them. */
        private final Set<SnapshotId> unsure = new HashSet<>();

        private AtomicBoolean dead = new AtomicBoolean();
        private EbsProvider provider;
        private int kills;
        private int failures;
        private int refusals;
        private int returns;
        private int fastRestores;

        Run(long seed, FakeAws cloud, AwsClients clients) throws Exception {
            this.seed = seed;
            this.cloud = cloud;
            this.clients = clients;
            this.random = new Random(seed);
            for (int index = 0; index < 3; index++) {
                var made = cloud.createVolume(1, Map.of());
                cloudVolumes.add(made.id());
                volumes.add(EbsAccount.volume(made.id()));
            }
            if (random.nextBoolean()) {
                cloud.createInstance(cloud.volumes().stream()
                        .filter(each -> cloudVolumes.contains(each.id()))
                        .toList());
            }
            cloud.recycleBin(CONFIG.region(), random.nextBoolean() ? Duration.ofDays(1) : Duration.ZERO);
            provider = open();
        }

        void run() throws Exception {
            cloud.faults(FaultScript.of(seed));
            for (int step = 0; step < STEPS; step++) {
                int number = step;
                killAfter(random.nextInt(4) == 0 ? random.nextInt(12) : Integer.MAX_VALUE);
                if (random.nextInt(4) == 0 && !catalogue.isEmpty()) {
                    protect();
                } else if (random.nextBoolean() && !gone.isEmpty()) {
                    undelete();
                } else if (random.nextInt(4) == 0 && !catalogue.isEmpty()) {
                    remove();
                } else {
                    take(new RecoveryPointId("rp-s%dn%d".formatted(seed, number)));
                }
                cloud.clock().advance(Duration.ofSeconds(random.nextInt(120)));
                if (dead.get()) {
                    restart();
                }
                if (random.nextInt(3) == 0) {
                    sweep();
                }
                if (dead.get()) {
                    restart();
                }
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

        private void remove() {
            var id = List.copyOf(catalogue).get(random.nextInt(catalogue.size()));
            catalogue.remove(id);
            doubtful.add(id);
            removed.add(id);
        }

        /** Locks it for longer than the run; or moves it to the archive, from which it is deleted as from anywhere. */
        private void protect() {
            var id = List.copyOf(catalogue).get(random.nextInt(catalogue.size()));
            var until = cloud.clock().instant().plus(Duration.ofDays(2));
            int what = random.nextInt(6);
            try {
                if (what == 0) {
                    unsure.add(id);
                    provider.ability(SnapshotArchives.class).orElseThrow().archive(id);
                } else if (what < 3) {
                    setFastRestore(id);
                } else {
                    perhapsLocked.add(id);
                    var request = new LockRequest(LockMode.GOVERNANCE, until, Duration.ZERO);
                    provider.ability(SnapshotLocks.class).orElseThrow().lock(id, request);
                    locked.add(id);
                }
            } catch (ProviderException e) {
                failures++;
            }
        }

        private void setFastRestore(SnapshotId id) throws ProviderException {
            var zone = ZONES.get(random.nextInt(ZONES.size()));
            boolean on = random.nextInt(3) > 0;
            boolean wasSure = unsure.add(id);
            provider.ability(FastRestores.class).orElseThrow().setFastRestore(id, List.of(zone), on);
            if (!dead.get() && wasSure) {
                unsure.remove(id);
                var zones = fast.computeIfAbsent(id, any -> new TreeSet<>());
                boolean unused = on ? zones.add(zone) : zones.remove(zone);
            }
        }

        /** What is not answered is perhaps back, and is deleted once more, as what was never whole. */
        private void undelete() {
            var id = List.copyOf(gone).get(random.nextInt(gone.size()));
            gone.remove(id);
            unsure.add(id);
            swept.remove(id);
            doubtful.add(id);
            try {
                provider.ability(RecycleBin.class).orElseThrow().undelete(id);
                if (!dead.get()) {
                    doubtful.remove(id);
                    catalogue.add(id);
                    returns++;
                }
            } catch (ProviderException e) {
                failures++;
            }
        }

        /** What the service does with what failed, at once and again and again: an hour after, nothing comes any more. */
        private void sweep() {
            for (var id : List.copyOf(doubtful)) {
                try {
                    Step<?> step = provider.delete(id);
                    if (step instanceof Step.Done && !dead.get()) {
                        if (removed.remove(id)) {
                            gone.add(id);
                        }
                        if (isOld(id)) {
                            doubtful.remove(id);
                        }
                    }
                } catch (ProviderException e) {
                    if (dead.get()) {
                        return;
                    }
                    if (e.error() instanceof ProviderError.Conflict && perhapsLocked.contains(id)) {
                        // As the service does: a deletion that is refused is told as failed, and it stays what it was.
                        doubtful.remove(id);
                        catalogue.add(id);
                        refusals++;
                    }
                }
            }
        }

        private boolean isOld(SnapshotId id) {
            return swept.merge(id, 1, Integer::sum) > SWEEPS_AFTER;
        }

        private final Map<SnapshotId, Integer> swept = new HashMap<>();

        private void killAfter(int calls) {
            var first = new AtomicBoolean(true);
            var base = new java.util.concurrent.atomic.AtomicLong();
            var mine = dead;
            cloud.beforeAnswer(call -> {
                if (first.compareAndSet(true, false)) {
                    base.set(call);
                }
                if (call - base.get() >= calls) {
                    mine.set(true);
                    throw new IllegalStateException("killed");
                }
            });
        }

        private void restart() throws Exception {
            kills++;
            // The next process has a thread that nobody has interrupted.
            Thread.interrupted();
            dead = new AtomicBoolean();
            cloud.beforeAnswer(call -> {});
            provider = open();
        }

        private EbsProvider open() throws Exception {
            return EbsAccount.open(CONFIG, clients, cloud.clock(), dead);
        }

        private void check() throws Exception {
            var live = cloud.snapshots().stream()
                    .filter(each -> cloudVolumes.contains(each.volumeId()))
                    .map(Run::name)
                    .sorted()
                    .toList();
            var wanted = catalogue.stream().map(SnapshotId::toString).sorted().toList();
            assertThat(live).as("seed %d: what lives", seed).isEqualTo(wanted);
            assertThat(catalogue).as("seed %d: what was locked", seed).containsAll(locked);
            // The fake hides what is new from a number of lists, not for a time: up to three.
            for (int list = 0; list < 3; list++) {
                provider.snapshots(SnapshotQuery.everything());
            }
            var listed = provider.snapshots(SnapshotQuery.everything()).snapshots().stream()
                    .map(Snapshot::id)
                    .filter(id -> volumes.contains(id.volume()))
                    .map(SnapshotId::toString)
                    .toList();
            assertThat(listed).as("seed %d: what is listed", seed).containsExactlyInAnyOrderElementsOf(wanted);
            checkBin();
            checkFastRestores();
        }

        private void checkBin() throws Exception {
            var lies = cloud.binned().stream()
                    .filter(each -> cloudVolumes.contains(each.volumeId()))
                    .map(Run::name)
                    .toList();
            var told = provider.ability(RecycleBin.class).orElseThrow().binned().stream()
                    .map(each -> each.id().toString())
                    .filter(each -> volumes.stream().anyMatch(volume -> each.startsWith(volume + "@")))
                    .toList();
            assertThat(told).as("seed %d: what is in the bin", seed).containsExactlyInAnyOrderElementsOf(lies);
        }

        private void checkFastRestores() throws Exception {
            for (var each : cloud.snapshots()) {
                if (!cloudVolumes.contains(each.volumeId())) {
                    continue;
                }
                var id = SnapshotId.parse(name(each));
                var paid = cloud.fastRestoreZones(each.id());
                var told = provider.ability(FastRestores.class).orElseThrow().fastRestores(id).stream()
                        .filter(restore -> restore.state() != FastState.ENDING)
                        .map(FastRestores.FastRestore::zone)
                        .toList();
                assertThat(told).as("seed %d: fast restores of %s", seed, id).isEqualTo(paid);
                if (!unsure.contains(id)) {
                    assertThat(paid)
                            .as("seed %d: fast restores that were asked for of %s", seed, id)
                            .containsExactlyElementsOf(fast.getOrDefault(id, Set.of()));
                }
                fastRestores += paid.size();
            }
        }

        private static String name(FakeSnapshot snapshot) {
            return "ebs:%s@%s".formatted(snapshot.volumeId(), snapshot.tags().get(EbsNames.RECOVERY_POINT));
        }
    }
}
