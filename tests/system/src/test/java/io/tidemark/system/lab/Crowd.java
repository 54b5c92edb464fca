package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;

/**
 * Many callers of one provider at once: each thread knows what it has made, and all of it is there, once.
 *
 * @param provider without volumes
 * @param naming makes a volume's id of a plain name
 */
record Crowd(StorageProvider provider, Function<String, VolumeId> naming) {
    private static final int THREADS = 5;
    private static final int OPERATIONS = 10;
    private static final long VOLUME_BYTES = 64 << 20;
    private static final int CHUNKS = 4;
    private static final int SHARED_VALUE = 99;
    private static final long SEED = 20_261_126;

    /** What one thread has made on its own volume, and shared snapshots it read, held and let go. */
    private static final class Worker implements Callable<Worker> {
        private final StorageProvider provider;
        private final Function<String, VolumeId> naming;
        private final VolumeId volume;
        private final SnapshotId shared;
        private final SplittableRandom random;
        private final int number;
        private final Map<SnapshotId, Integer> snapshots = new TreeMap<>(Comparator.comparing(SnapshotId::toString));
        private final List<VolumeId> volumes = new ArrayList<>();
        private int content;
        private int made;

        Worker(Crowd crowd, SnapshotId shared, int number) {
            this.provider = crowd.provider;
            this.naming = crowd.naming;
            this.number = number;
            this.volume = naming.apply("v" + number);
            this.shared = shared;
            this.random = new SplittableRandom(SEED + number);
        }

        @Override
        public Worker call() throws Exception {
            volumes.add(provider.create(volume, VOLUME_BYTES).id());
            cut();
            for (int operation = 1; operation < OPERATIONS; operation++) {
                step(random.nextInt(8));
            }
            return this;
        }

        private void step(int kind) throws Exception {
            switch (kind) {
                case 0, 1 -> cut();
                case 2 -> copy(any());
                case 3 -> {
                    var to = any();
                    provider.rollback(to);
                    content = value(to);
                }
                case 4 -> delete(any());
                case 5 ->
                    assertThat(LabPool.valueOf(provider, shared, 0, CHUNKS)).isEqualTo(SHARED_VALUE);
                case 6 -> {
                    var snapshot = any();
                    int value = value(snapshot);
                    assertThat(LabPool.valueOf(provider, snapshot, 0, CHUNKS)).isEqualTo(value);
                    assertThat(LabPool.ranges(provider.allocatedRanges(snapshot)))
                            .hasSize(1);
                }
                default -> {
                    provider.hold(shared, new HoldOwner("worker-" + number));
                    provider.release(shared, new HoldOwner("worker-" + number));
                    provider.hold(shared, new HoldOwner("worker-" + number + "-" + made++));
                }
            }
        }

        private int value(SnapshotId snapshot) {
            return Objects.requireNonNull(snapshots.get(snapshot));
        }

        private SnapshotId any() {
            return List.copyOf(snapshots.keySet()).get(random.nextInt(snapshots.size()));
        }

        private void cut() throws ProviderException {
            content = 1 + random.nextInt(90);
            LabPool.fill(provider, volume, 0, CHUNKS, content);
            snapshots.put(LabPool.cut(provider, volume, "rp-w" + number + "n" + made++), content);
        }

        private void copy(SnapshotId snapshot) throws ProviderException {
            var name = naming.apply("v" + number + "-c" + made++);
            provider.clone(new CloneRequest(snapshot, name));
            volumes.add(name);
        }

        private void delete(SnapshotId snapshot) throws ProviderException {
            if (snapshots.size() > 1) {
                provider.delete(snapshot);
                snapshots.remove(snapshot);
            }
        }
    }

    /** @throws AssertionError where something was lost, is there twice, or reads as something else */
    void run() throws Exception {
        var volume = provider.create(naming.apply("shared"), VOLUME_BYTES).id();
        LabPool.fill(provider, volume, 0, CHUNKS, SHARED_VALUE);
        var shared = LabPool.cut(provider, volume, "rp-shared");
        var workers = worked(shared);
        var expected = new TreeMap<String, Integer>(Map.of(shared.toString(), SHARED_VALUE));
        var volumes = new ArrayList<>(List.of(volume.toString()));
        for (var worker : workers) {
            worker.snapshots.forEach((id, value) -> expected.put(id.toString(), value));
            worker.volumes.forEach(id -> volumes.add(id.toString()));
        }

        var found = provider.snapshots(SnapshotQuery.everything()).snapshots();
        assertThat(found)
                .extracting(each -> each.id().toString())
                .containsExactlyInAnyOrderElementsOf(expected.keySet());
        assertThat(provider.volumes())
                .extracting(each -> each.id().toString())
                .containsExactlyInAnyOrderElementsOf(volumes);
        for (var snapshot : found) {
            assertThat(LabPool.valueOf(provider, snapshot.id(), 0, CHUNKS))
                    .as(snapshot.id().toString())
                    .isEqualTo(expected.get(snapshot.id().toString()));
        }
        for (var worker : workers) {
            var last = LabPool.cut(provider, worker.volume, "rp-last" + worker.number);
            assertThat(LabPool.valueOf(provider, last, 0, CHUNKS)).isEqualTo(worker.content);
        }
    }

    private List<Worker> worked(SnapshotId shared) throws Exception {
        try (var threads = Executors.newFixedThreadPool(THREADS)) {
            var work = new ArrayList<Future<Worker>>();
            for (int number = 0; number < THREADS; number++) {
                work.add(threads.submit(new Worker(this, shared, number)));
            }
            var workers = new ArrayList<Worker>();
            for (var each : work) {
                workers.add(each.get());
            }
            return workers;
        }
    }
}
