package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.provider.fakecloud.aws.FakeAwsSettings;
import io.tidemark.provider.fakecloud.aws.FakeSnapshot;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** One chain's life from one seed, beside a model of its bytes. */
final class ChainRun implements AutoCloseable {
    /** Five blocks, the last of three sectors. */
    static final int VOLUME_BYTES = 4 * DirectCalls.BLOCK_BYTES + 3 * 512;

    private static final VolumeId VOLUME = VolumeId.of("ebs", "copies/orders");
    private static final int STEPS = 14;
    private static final int KILL_WITHIN = 20;
    private static final int SETTLE_MAXIMUM = 3_000;

    /** Ends a thread of a process that is no more. */
    static final class Killed extends RuntimeException {
        @java.io.Serial
        private static final long serialVersionUID = 1L;
    }

    private final long seed;
    private final Random random;
    private final Path folder;
    private final FakeAws cloud;
    private final Map<RecoveryPointId, byte[]> recorded = new TreeMap<>();
    private final byte[] written = new byte[VOLUME_BYTES];
    /** Bytes written since the last flush or cut, of which anything that was written may be there after a kill. */
    private final BitSet loose = new BitSet();

    private final AtomicInteger left = new AtomicInteger(Integer.MAX_VALUE);
    private AtomicBoolean dead = new AtomicBoolean();
    private EbsProvider provider;
    private int points;
    private int kills;
    private int cuts;

    ChainRun(long seed, Path folder) throws Exception {
        this.seed = seed;
        this.random = new Random(seed);
        this.folder = folder;
        this.cloud = FakeAws.start(FakeAwsSettings.defaults());
        provider = open();
        provider.create(VOLUME, VOLUME_BYTES);
        if (seed % 2 == 0) {
            cloud.faults(FaultScript.of(seed));
        }
    }

    int kills() {
        return kills;
    }

    int cuts() {
        return cuts;
    }

    private EbsProvider open() throws Exception {
        var mine = new AtomicBoolean();
        dead = mine;
        cloud.beforeAnswer(call -> step(mine));
        var config = EbsAccount.config("http://127.0.0.1:1", folder.resolve("staging"));
        return EbsAccount.openStaged(
                config,
                EbsAccount.inProcess(cloud, config, mine),
                cloud.clock(),
                mine,
                new StagingFiles(() -> step(mine)));
    }

    /** One more change of a file, or effect of a call; the last one before the kill has happened, this one does not. */
    private void step(AtomicBoolean process) {
        if (process.get() || left.decrementAndGet() < 0) {
            process.set(true);
            throw new Killed();
        }
    }

    void run() throws Exception {
        for (int count = 0; count < STEPS; count++) {
            left.set(random.nextInt(2) == 0 ? random.nextInt(KILL_WITHIN) : Integer.MAX_VALUE);
            try {
                act();
            } catch (Killed e) {
                // Found dead below.
            } catch (ProviderException e) {
                assertThat(dead.get() || e.error().retryable())
                        .as("seed %d: %s", seed, e.error().message())
                        .isTrue();
            }
            // A killed process leaves the mark on this thread, which is the next one's too.
            Thread.interrupted();
            if (random.nextInt(3) == 0) {
                Thread.sleep(random.nextInt(4));
            }
            if (dead.get()) {
                restart();
            }
        }
        left.set(Integer.MAX_VALUE);
        if (dead.get()) {
            restart();
        }
        cloud.faults(FaultScript.none());
        settle();
        check();
        removeAll();
    }

    private void act() throws Exception {
        switch (random.nextInt(6)) {
            case 0, 1 -> write();
            case 2, 3 -> cut();
            case 4 -> delete();
            default -> {
                for (var point : recorded.keySet()) {
                    check(point);
                }
            }
        }
    }

    private void write() throws Exception {
        try (var writer = provider.write(VOLUME)) {
            for (int count = 1 + random.nextInt(4); count > 0; count--) {
                int length = 1 + random.nextInt(random.nextBoolean() ? 700_000 : 9_000);
                int offset = random.nextInt(VOLUME_BYTES - length);
                var bytes = new byte[length];
                if (random.nextInt(4) > 0) {
                    random.nextBytes(bytes);
                }
                System.arraycopy(bytes, 0, written, offset, length);
                loose.set(offset, offset + length);
                if (random.nextInt(4) == 0) {
                    Arrays.fill(written, offset, offset + length, (byte) 0);
                    writer.writeZeroes(new BlockRange(offset, length));
                } else {
                    writer.write(offset, ByteBuffer.wrap(bytes));
                }
            }
            if (random.nextBoolean()) {
                writer.flush();
                loose.clear();
            }
        }
    }

    private void cut() throws Exception {
        var point = new RecoveryPointId("rp-%03d".formatted(points++));
        provider.cut(new CutRequest(point, List.of(VOLUME)));
        recorded.put(point, written.clone());
        loose.clear();
        cuts++;
    }

    private void delete() throws Exception {
        if (recorded.isEmpty()) {
            return;
        }
        var point = List.copyOf(recorded.keySet()).get(random.nextInt(recorded.size()));
        var bytes = recorded.remove(point);
        try {
            provider.delete(new SnapshotId(VOLUME, point));
        } catch (ProviderException | Killed e) {
            doubtful.put(point, bytes);
            throw e;
        }
    }

    /** Whose deletion was not answered. */
    private final Map<RecoveryPointId, byte[]> doubtful = new TreeMap<>();

    private void restart() throws Exception {
        kills++;
        provider.close();
        Thread.interrupted();
        left.set(Integer.MAX_VALUE);
        provider = open();
        var content = new byte[VOLUME_BYTES];
        try (var writer = provider.write(VOLUME)) {
            retry(() -> {
                writer.read(0, ByteBuffer.wrap(content));
                return true;
            });
        }
        for (int index = 0; index < VOLUME_BYTES; index++) {
            if (!loose.get(index) && content[index] != written[index]) {
                throw new AssertionError("seed %d: byte %d of the volume".formatted(seed, index));
            }
        }
        for (var each : listed()) {
            // A cut whose answer nobody heard: it is of what was written until then.
            if (!recorded.containsKey(each.recoveryPoint()) && !doubtful.containsKey(each.recoveryPoint())) {
                assertThat(content(each)).as("seed %d: %s", seed, each).isEqualTo(content);
                recorded.put(each.recoveryPoint(), content.clone());
            }
        }
        System.arraycopy(content, 0, written, 0, VOLUME_BYTES);
        for (var each : doubtful.keySet()) {
            retry(() -> provider.delete(new SnapshotId(VOLUME, each)));
        }
        doubtful.clear();
    }

    private interface Asked<T> {
        T ask() throws ProviderException;
    }

    /** As a service asks again what can be asked again. */
    private static <T> T retry(Asked<T> call) throws ProviderException {
        for (int attempt = 0; ; attempt++) {
            try {
                return call.ask();
            } catch (ProviderException e) {
                if (attempt == 20 || !e.error().retryable()) {
                    throw e;
                }
            }
        }
    }

    private List<SnapshotId> listed() throws Exception {
        return retry(() -> provider.snapshots(SnapshotQuery.ofVolume(VOLUME))).snapshots().stream()
                .map(Snapshot::id)
                .toList();
    }

    private byte[] content(SnapshotId snapshot) throws Exception {
        return retry(() -> {
            try (var reader = provider.read(snapshot)) {
                var bytes = ByteBuffer.allocate(Math.toIntExact(reader.sizeBytes()));
                reader.read(0, bytes);
                return bytes.array();
            }
        });
    }

    private void check(RecoveryPointId point) throws Exception {
        assertThat(content(new SnapshotId(VOLUME, point)))
                .as("seed %d: %s", seed, point)
                .isEqualTo(recorded.get(point));
    }

    /** Until all is uploaded; what failed for good is deleted, as a service does. */
    private void settle() throws Exception {
        for (var each : doubtful.keySet()) {
            retry(() -> provider.delete(new SnapshotId(VOLUME, each)));
        }
        for (int look = 0; look < SETTLE_MAXIMUM; look++) {
            boolean settled = true;
            for (var point : List.copyOf(recorded.keySet())) {
                var id = new SnapshotId(VOLUME, point);
                switch (provider.readiness(id)) {
                    case Readiness.Ready() -> {}
                    case Readiness.Pending pending -> settled = false;
                    case Readiness.Failed failed -> {
                        check(point);
                        provider.delete(id);
                        recorded.remove(point);
                    }
                }
            }
            var kept = provider.volume(VOLUME).facts().getOrDefault("base", "none");
            settled &= stray(kept).isEmpty();
            if (settled) {
                return;
            }
            cloud.clock().advance(Duration.ofMinutes(1));
            Thread.sleep(1);
        }
        throw new AssertionError("seed %d: not settled: recorded %s, at Amazon %s, facts %s"
                .formatted(
                        seed,
                        recorded.keySet(),
                        cloud.snapshots().stream()
                                .map(each -> each.id() + each.tags() + cloud.state(each))
                                .toList(),
                        provider.volume(VOLUME).facts()));
    }

    /** At Amazon, and neither recorded nor the base. */
    private List<FakeSnapshot> stray(String base) {
        return cloud.snapshots().stream()
                .filter(each -> !each.id().equals(base))
                .filter(each -> !recorded.containsKey(
                        new RecoveryPointId(each.tags().getOrDefault(EbsNames.RECOVERY_POINT, "rp-none"))))
                .toList();
    }

    private void check() throws Exception {
        assertThat(listed().stream().map(SnapshotId::recoveryPoint))
                .as("seed %d: what is listed", seed)
                .containsExactlyElementsOf(recorded.keySet());
        for (var point : recorded.keySet()) {
            check(point);
            var mine = cloud.snapshots().stream()
                    .filter(each -> point.value().equals(each.tags().get(EbsNames.RECOVERY_POINT)))
                    .toList();
            assertThat(mine).as("seed %d: %s at Amazon", seed, point).hasSize(1);
            assertThat(mine.getFirst().read(0, VOLUME_BYTES))
                    .as("seed %d: %s at Amazon", seed, point)
                    .isEqualTo(recorded.get(point));
        }
    }

    private void removeAll() throws Exception {
        for (var point : new ArrayList<>(recorded.keySet())) {
            provider.delete(new SnapshotId(VOLUME, point));
        }
        // What was made a moment ago may not be seen by who deletes it.
        for (int minute = 0; minute < RecentEffects.VISIBLE_WITHIN.toMinutes(); minute++) {
            try {
                provider.remove(VOLUME);
                break;
            } catch (ProviderException e) {
                assertThat(e.error()).isInstanceOf(ProviderError.Busy.class);
                cloud.clock().advance(Duration.ofMinutes(1));
            }
        }
        provider.remove(VOLUME);
        assertThat(cloud.snapshots()).as("seed %d: left at Amazon", seed).isEmpty();
        EbsAccount.everyCallIsChecked(cloud);
    }

    @Override
    public void close() {
        provider.close();
        cloud.close();
    }
}
