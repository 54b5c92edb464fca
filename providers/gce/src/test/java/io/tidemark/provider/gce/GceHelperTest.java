package io.tidemark.provider.gce;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.gce.FakeDisk;
import io.tidemark.provider.fakecloud.gce.FakeGceSettings;
import io.tidemark.spi.Capability;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots are read from temporary disks on the helper, of which none is left. */
@SuppressWarnings("NullAway.Init") // Each test starts the project that it needs.
class GceHelperTest {
    private static final int SEEDS = 60;

    @TempDir
    Path devices;

    private GceProject project;
    private GceProvider provider;
    private FakeDisk disk;

    private void start(FakeGceSettings settings) throws Exception {
        project = new GceProject(settings);
        begin();
    }

    private void begin() {
        disk = project.cloud().createDisk(GceProject.ZONE, "orders", 1, Map.of());
        project.cloud().createInstance("europe-west3-a", "helper", devices);
        project.cloud().createInstance("europe-west3-a", "another", devices);
        provider = process(Map.of());
    }

    private GceProvider process(Map<String, String> more) {
        return process(more, new AtomicBoolean());
    }

    private GceProvider process(Map<String, String> more, AtomicBoolean dead) {
        return process("gce", more, dead);
    }

    private GceProvider process(String name, Map<String, String> more, AtomicBoolean dead) {
        var settings = new HashMap<>(GceProject.settings());
        settings.put("helper", "projects/tidemark-tests/zones/europe-west3-a/instances/helper");
        settings.put("helperDevices", devices.toString());
        settings.putAll(more);
        return project.open(GceConfig.of(name, settings), dead);
    }

    @AfterEach
    void everyCallWasCheckedAndNoneWasWrong() {
        project.everyCallIsChecked();
        project.close();
    }

    private SnapshotId cut(FakeDisk of, String recoveryPoint) throws Exception {
        var id = new SnapshotId(GceProject.volume(of), new RecoveryPointId(recoveryPoint));
        provider.cut(new CutRequest(id.recoveryPoint(), List.of(id.volume())));
        return id;
    }

    private static byte[] read(SnapshotReader reader, long offset, int length) throws ProviderException {
        var target = ByteBuffer.allocate(length);
        reader.read(offset, target);
        return target.array();
    }

    private List<String> disks() {
        return project.cloud().disks().stream().map(FakeDisk::name).toList();
    }

    @Test
    void snapshotIsReadAsItWasCutAndItsDiskGoesWithTheLastReader() throws Exception {
        start(FakeGceSettings.defaults().operations(Duration.ofSeconds(3)));
        disk.write((1L << 30) - 4, new byte[] {1, 2, 3, 4});
        project.cloud().clock().advance(Duration.ofMinutes(1));
        var id = cut(disk, "rp-1");
        disk.write((1L << 30) - 4, new byte[] {5, 6, 7, 8});
        assertThat(provider.volume(id.volume()).can(Capability.RANDOM_READ)).isTrue();
        assertThat(provider.volume(id.volume()).can(Capability.CHANGED_RANGES)).isFalse();

        try (var one = provider.read(id);
                var two = provider.read(id)) {
            assertThat(read(one, (1L << 30) - 4, 4)).containsExactly(1, 2, 3, 4);
            assertThat(read(two, (1L << 30) - 5, 2)).containsExactly(0, 1);
            assertThat(disks()).hasSize(2);
            assertThat(provider.volumes()).hasSize(1);
            assertThatThrownBy(() -> read(one, (1L << 30) - 4, 5)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(disks()).containsExactly("orders");
        assertThat(devices).isEmptyDirectory();
    }

    @Test
    void diskIsMadeForWhoReadsAndForNobodyElse() throws Exception {
        start(FakeGceSettings.defaults());
        var id = cut(disk, "rp-1");
        try (var reader = provider.read(id);
                var ranges = provider.allocatedRanges(id)) {
            assertThat(reader.sizeBytes()).isEqualTo(1L << 30);
            assertThat(ranges.next().orElseThrow().lengthBytes()).isEqualTo(1L << 30);
        }
        assertThat(project.cloud().calls()).doesNotContainKey("disks.insert");
        assertThatThrownBy(() -> provider.changedRanges(id, id)).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void diskThatTakesLongIsTakenUpByWhoAsksAgain() throws Exception {
        start(FakeGceSettings.defaults().operations(Duration.ofMinutes(2)));
        disk.write(0, new byte[] {1});
        project.cloud().clock().advance(Duration.ofMinutes(2));
        var id = cut(disk, "rp-1");
        for (int attempt = 0; attempt < 2; attempt++) {
            try (var reader = provider.read(id)) {
                assertThatThrownBy(() -> read(reader, 0, 1))
                        .satisfies(thrown -> assertThat(((ProviderException) thrown).error())
                                .isInstanceOf(ProviderError.Busy.class));
            }
            project.cloud().clock().advance(Duration.ofMinutes(1));
        }
        try (var reader = provider.read(id)) {
            assertThat(read(reader, 0, 1)).containsExactly(1);
        }
        assertThat(List.of("disks.insert", "instances.attachDisk"))
                .allSatisfy(each -> assertThat(project.cloud().calls())
                        .hasEntrySatisfying(
                                each, count -> assertThat(count.seen()).isEqualTo(1)));
    }

    @Test
    void whatAKilledProcessHasLeftIsDeletedByTheNextAndNothingElse() throws Exception {
        start(FakeGceSettings.defaults());
        var id = cut(disk, "rp-1");
        read(provider.read(id), 0, 1);
        var ours = project.cloud().disks().stream()
                .filter(each -> !each.name().equals("orders"))
                .findFirst()
                .orElseThrow();
        assertThat(project.cloud().users(ours)).hasSize(1);
        var labels = new HashMap<>(ours.labels());
        labels.put(GceNames.INSTALLATION, "another");
        project.cloud().createDisk(GceProject.ZONE, "tm-others", 1, labels);
        var elsewhere = project.cloud().createDisk(GceProject.ZONE, "tm-elsewhere", 1, ours.labels());
        project.cloud().attach(elsewhere, "another");

        var next = process(Map.of());
        assertThat(next.helper().orElseThrow().tidy()).isFalse();
        assertThat(disks()).containsExactlyInAnyOrder("orders", "tm-others", "tm-elsewhere");
        assertThat(devices).isEmptyDirectory();
    }

    /** What a killed process has left is cleaned up while the sync that it was at goes on. */
    @Test
    void diskThatIsTakenUpWhileItIsCleanedUpIsReadToTheEnd() throws Exception {
        start(FakeGceSettings.defaults().operations(Duration.ofSeconds(2)));
        disk.write(0, new byte[] {1});
        project.cloud().clock().advance(Duration.ofMinutes(1));
        var id = cut(disk, "rp-1");
        read(provider.read(id), 0, 1);
        var next = process(Map.of());
        var helper = next.helper().orElseThrow();
        var opened = new AtomicBoolean();
        var tidied = new CountDownLatch(1);
        var reading = new FutureTask<>(() -> {
            try (var again = next.read(id)) {
                read(again, 0, 1);
                opened.set(true);
                tidied.await();
                return project.cloud().disks().stream()
                        .mapToInt(each -> project.cloud().users(each).size())
                        .sum();
            }
        });
        var started = new AtomicBoolean();
        long seen =
                Objects.requireNonNull(project.cloud().calls().get("disks.get")).seen();
        project.cloud().beforeAnswer(number -> {
            boolean isLooked = Objects.requireNonNull(project.cloud().calls().get("disks.get"))
                            .seen()
                    > seen;
            if (isLooked && started.compareAndSet(false, true)) {
                awaitBlocked(Thread.ofPlatform().start(reading), opened);
            }
        });

        helper.tidy();
        tidied.countDown();

        assertThat(reading.get(30, TimeUnit.SECONDS))
                .as("attached while it is read")
                .isEqualTo(1);
        helper.tidy();
        assertThat(disks()).containsExactly("orders");
    }

    /** Until it waits for who cleans up, or reads beside it. */
    private static void awaitBlocked(Thread thread, AtomicBoolean opened) {
        long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (thread.getState() != Thread.State.BLOCKED && !opened.get() && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }

    private void tidied() {
        try {
            provider.helper().orElseThrow().tidy();
        } catch (ProviderException e) {
            assertThat(e.error()).isInstanceOf(ProviderError.Busy.class);
        }
    }

    @Test
    void removalThatTakesLongIsGoneOnWithAtTheNextLook() throws Exception {
        start(FakeGceSettings.defaults().operations(Duration.ofSeconds(25)));
        project.cloud().clock().advance(Duration.ofMinutes(1));
        var first = cut(disk, "rp-1");
        var second = cut(disk, "rp-2");
        provider = process(Map.of("helperDisks", "1"));
        try (var one = provider.read(first)) {
            read(one, 0, 1);
        }
        assertThat(disks()).hasSize(2);

        // Detached and deleted in one look each, which both take longer than a look waits.
        for (int look = 0; look < 3; look++) {
            project.cloud().clock().advance(Duration.ofMinutes(1));
            tidied();
        }
        assertThat(disks()).containsExactly("orders");
        try (var two = provider.read(second)) {
            assertThat(read(two, 0, 1)).containsExactly(0);
        }
    }

    /** Of one installation and one helper. */
    @Test
    void whatOneProviderReadsIsNotDeletedByAnother() throws Exception {
        start(FakeGceSettings.defaults());
        disk.write(0, new byte[] {1});
        project.cloud().clock().advance(Duration.ofMinutes(1));
        var id = cut(disk, "rp-1");
        var other = process("archive", Map.of(), new AtomicBoolean());
        var same = new SnapshotId(VolumeId.of("archive", id.volume().name()), id.recoveryPoint());
        try (var one = provider.read(id);
                var two = other.read(same)) {
            assertThat(read(one, 0, 1)).containsExactly(1);
            assertThat(read(two, 0, 1)).containsExactly(1);
            other.helper().orElseThrow().tidy();
            provider.helper().orElseThrow().tidy();
            assertThat(disks()).hasSize(3);
        }
        assertThat(disks()).containsExactly("orders");
    }

    @Test
    void noMoreDisksAreAttachedThanMayBe() throws Exception {
        start(FakeGceSettings.defaults());
        var first = cut(disk, "rp-1");
        var second = cut(disk, "rp-2");
        provider = process(Map.of("helperDisks", "1"));
        try (var one = provider.read(first);
                var two = provider.read(second)) {
            read(one, 0, 1);
            assertThatThrownBy(() -> read(two, 0, 1)).hasMessageContaining("helperDisks");
        }
        try (var two = provider.read(second)) {
            read(two, 0, 1);
        }
    }

    @Test
    void helperIsFoundByTheMetadataServerWhereTheSettingsSaySo() throws Exception {
        start(FakeGceSettings.defaults());
        var id = cut(disk, "rp-1");
        provider = process(Map.of("helper", "this", "helperDiskType", "pd-balanced"));
        try (var reader = provider.read(id)) {
            assertThat(read(reader, 0, 1)).containsExactly(0);
        }
        assertThat(disks()).containsExactly("orders");
    }

    /** Whatever fails, and wherever the process is killed, no disk is left attached or there. */
    @Test
    void noDiskIsLeftWhateverFails() throws Exception {
        start(FakeGceSettings.defaults());
        int kills = 0;
        int failures = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            project.fresh(FakeGceSettings.defaults().operations(Duration.ofMillis(700)));
            begin();
            disk.write(0, new byte[] {(byte) seed});
            project.cloud().clock().advance(Duration.ofSeconds(1));
            var id = cut(disk, "rp-1");
            var random = new Random(seed);
            var dead = new AtomicBoolean();
            int killAt = random.nextInt(24);
            project.cloud().faults(FaultScript.of(seed));
            long[] calls = {0};
            project.cloud().beforeAnswer(number -> {
                if (calls[0]++ >= killAt) {
                    dead.set(true);
                    throw new IllegalStateException("killed");
                }
            });
            try (var reader = process(Map.of(), dead).read(id)) {
                assertThat(read(reader, 0, 1)).as("seed %d", seed).containsExactly((byte) seed);
            } catch (ProviderException e) {
                failures++;
            }
            kills += dead.get() ? 1 : 0;
            project.cloud().beforeAnswer(number -> {});
            project.cloud().faults(FaultScript.none());
            var helper = process(Map.of()).helper().orElseThrow();
            for (int look = 0; look < 6; look++) {
                helper.tidy();
                project.cloud().clock().advance(Duration.ofMinutes(3));
            }
            // A disk may be stuck for hours, and then goes too.
            project.cloud().clock().advance(Duration.ofHours(7));
            assertThat(helper.tidy()).as("seed %d", seed).isTrue();
            assertThat(disks()).as("seed %d", seed).containsExactly("orders");
            assertThat(devices).as("seed %d", seed).isEmptyDirectory();
        }
        assertThat(kills).isBetween(SEEDS / 10, SEEDS);
        assertThat(failures).isBetween(SEEDS / 10, SEEDS - 1);
    }
}
