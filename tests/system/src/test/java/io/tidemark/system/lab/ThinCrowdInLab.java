package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Many callers of one provider at once: each thread knows what it has made, and all of it is there, once. */
@InLab
class ThinCrowdInLab {
    private static final int THREADS = 5;
    private static final int OPERATIONS = 10;
    private static final long VOLUME_BYTES = 64 << 20;
    private static final int CHUNKS = 4;
    private static final int SNAPSHOTS = 1_000;
    private static final long SEED = 20_261_126;

    /** What one thread has made on its own volume, and shared snapshots it read, held and let go. */
    private static final class Worker implements Callable<Worker> {
        private final StorageProvider provider;
        private final VolumeId volume;
        private final SnapshotId shared;
        private final SplittableRandom random;
        private final int number;
        private final Map<SnapshotId, Integer> snapshots = new TreeMap<>(Comparator.comparing(SnapshotId::toString));
        private final List<VolumeId> volumes = new ArrayList<>();
        private int content;
        private int made;

        Worker(LabPool pool, StorageProvider provider, SnapshotId shared, int number) {
            this.provider = provider;
            this.number = number;
            this.volume = pool.volume("v" + number);
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
                    assertThat(LabPool.valueOf(provider, shared, 0, CHUNKS)).isEqualTo(99);
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
            var name = VolumeId.of("lvm", volume.name() + "-c" + made++);
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

    @Test
    void whatManyThreadsMakeAtOnceIsThereOnce() throws Exception {
        var pool = LabPool.make("128M", "8M");
        try (var provider = pool.open();
                var threads = Executors.newFixedThreadPool(THREADS)) {
            var volume = provider.create(pool.volume("shared"), VOLUME_BYTES).id();
            LabPool.fill(provider, volume, 0, CHUNKS, 99);
            var shared = LabPool.cut(provider, volume, "rp-shared");
            var work = new ArrayList<Future<Worker>>();
            for (int number = 0; number < THREADS; number++) {
                work.add(threads.submit(new Worker(pool, provider, shared, number)));
            }
            var expected = new TreeMap<String, Integer>(Map.of(shared.toString(), 99));
            var volumes = new ArrayList<>(List.of(volume.toString()));
            var workers = new ArrayList<Worker>();
            for (var each : work) {
                workers.add(each.get());
            }
            for (var worker : workers) {
                worker.snapshots.forEach((id, value) -> expected.put(id.toString(), value));
                worker.volumes.forEach(id -> volumes.add(id.toString()));
            }

            assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                    .extracting(each -> each.id().toString())
                    .containsExactlyInAnyOrderElementsOf(expected.keySet());
            assertThat(provider.volumes())
                    .extracting(each -> each.id().toString())
                    .containsExactlyInAnyOrderElementsOf(volumes);
            for (var snapshot : provider.snapshots(SnapshotQuery.everything()).snapshots()) {
                assertThat(LabPool.valueOf(provider, snapshot.id(), 0, CHUNKS))
                        .as(snapshot.id().toString())
                        .isEqualTo(expected.get(snapshot.id().toString()));
            }
            for (var worker : workers) {
                var last = LabPool.cut(provider, worker.volume, "rp-last" + worker.number);
                assertThat(LabPool.valueOf(provider, last, 0, CHUNKS)).isEqualTo(worker.content);
            }
            assertThat(pool.suspended()).isEmpty();
        }
    }

    /** A thousand of one pool, page after page, each by one report of LVM. */
    @Test
    void pagesOfSnapshotsTakeOneReportEach() throws Exception {
        var pool = LabPool.make("64M", "16M");
        VolumeId volume;
        try (var provider = pool.open()) {
            volume = provider.create(pool.volume("a"), VOLUME_BYTES).id();
            LabPool.cut(provider, volume, "rp-0");
            // It takes from the first one the tag of what may not have been cut.
            LabPool.cut(provider, volume, "rp-1");
        }
        multiply(pool, SNAPSHOTS - 1);
        try (var provider = pool.open();
                var lvs = ToolFault.in("lvs")) {
            var millis = new ArrayList<Long>();
            for (int time = 0; time < 3; time++) {
                long started = System.nanoTime();
                assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                        .hasSize(SNAPSHOTS);
                millis.add((System.nanoTime() - started) / 1_000_000);
            }
            System.out.printf("lab: %d snapshots in ms %s%n", SNAPSHOTS, millis);
            lvs.count();
            var query = new SnapshotQuery(Optional.of(volume), Optional.empty(), Optional.empty(), SNAPSHOTS / 2);
            var first = provider.snapshots(query);
            var second = provider.snapshots(query.after(first.nextCursor().orElseThrow()));

            assertThat(lvs.calls()).isEqualTo(2);
            assertThat(second.nextCursor()).isEmpty();
            assertThat(second.snapshots()).hasSize(SNAPSHOTS / 2);
            assertThat(first.snapshots())
                    .map(Snapshot::id)
                    .doesNotContainAnyElementsOf(
                            second.snapshots().stream().map(Snapshot::id).toList());
        }
    }

    /** In LVM's metadata alone, for each would take a second: copies of the first snapshot, of later points. */
    private static void multiply(LabPool pool, int times) throws IOException {
        var file = Files.createTempFile("group", ".vg");
        Programs.run("vgcfgbackup", "-f", file.toString(), pool.group());
        var text = Files.readString(file);
        var tag = "\"tidemark.point=rp-0\"";
        int start = text.lastIndexOf("\n\t\ttidemark-s-", text.indexOf(tag));
        int end = text.indexOf("\n\t\t}\n", start) + "\n\t\t}\n".length();
        var one = text.substring(start, end);
        var copies = new StringBuilder(text.substring(0, end));
        for (int number = 2; number <= times; number++) {
            copies.append(one.replace(tag, "\"tidemark.point=rp-%d\"".formatted(number))
                    .replaceFirst("tidemark-s-.{8}", "tidemark-s-%08d".formatted(number))
                    .replaceFirst("id = \"(.{6})-.{4}-", "id = \"$1-%04d-".formatted(number))
                    .replaceFirst("device_id = \\d+", "device_id = " + (100 + number)));
        }
        Files.writeString(file, copies.append(text, end, text.length()));
        Programs.run("vgchange", "-q", "-a", "n", pool.group());
        Programs.run("vgcfgrestore", "--force", "-f", file.toString(), pool.group());
        Programs.run("vgchange", "-q", "-a", "y", pool.group());
    }
}
