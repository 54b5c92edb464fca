package io.tidemark.provider.ebs;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.conformance.TestStorage;
import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.provider.fakecloud.aws.FakeAwsSettings;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of chains when their staging folder, or a part of it, is not what it was. */
class ChainStagingTest {
    private static final int VOLUME_BYTES = 2 * DirectCalls.BLOCK_BYTES;
    private static final VolumeId ORDERS = VolumeId.of("ebs", "orders");
    private static final VolumeId OTHER = VolumeId.of("ebs", "other");
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    private static final int LOOKS_MAXIMUM = 10_000;

    private FakeAws cloud = FakeAws.start(FakeAwsSettings.defaults());
    private volatile Runnable beforeChange = () -> {};
    private TestStorage storage;
    private Path staging;
    private EbsProvider provider;

    @BeforeEach
    void start() throws Exception {
        storage = TestStorage.plain();
        staging = storage.base().resolve("staging");
        provider = open();
    }

    private EbsProvider open() throws Exception {
        var config = EbsAccount.config("http://127.0.0.1:1", staging);
        return EbsAccount.openStaged(
                config,
                EbsAccount.inProcess(cloud, config),
                cloud.clock(),
                new AtomicBoolean(),
                new StagingFiles(() -> beforeChange.run()));
    }

    @AfterEach
    void stop() throws Exception {
        provider.close();
        cloud.close();
        storage.close();
    }

    @Test
    void cloneTakesNoNameOfAChainWhoseStagingIsLost() throws Exception {
        var kept = uploaded(ORDERS, 1);
        var origin = uploaded(OTHER, 2);
        provider.close();
        storage.must("rm", "-rf", staging.toString());
        provider = open();

        assertThat(failure(() -> provider.clone(new CloneRequest(origin, ORDERS))))
                .isEqualTo(new ProviderError.VolumeExists(ORDERS));

        assertThat(provider.snapshots(SnapshotQuery.ofVolume(ORDERS)).snapshots())
                .extracting(Snapshot::id)
                .containsExactly(kept);
    }

    @Test
    void clonesOfOneNameAtOnceAreOne() throws Exception {
        var request = new CloneRequest(uploaded(ORDERS, 1), OTHER);
        var second = new FutureTask<>(() -> provider.clone(request));
        var thread = new Thread(second);
        var begun = new AtomicBoolean();
        var folders = new AtomicInteger();
        beforeChange = () -> {
            folders.incrementAndGet();
            if (begun.compareAndSet(false, true)) {
                thread.start();
                waitUntilBlocked(thread);
            }
        };

        var first = provider.clone(request);
        int changes = folders.get();

        assertThat(first).isInstanceOf(Step.Done.class);
        assertThat(second.get()).isInstanceOf(Step.Done.class);
        assertThat(folders.get()).as("changes of files").isEqualTo(changes);
    }

    @Test
    void snapshotThatCannotBeDeletedHoldsUpNoUpload() throws Exception {
        var first = uploaded(ORDERS, 1);
        cloud.registerImage(cloud.snapshots().getFirst().id());
        provider.delete(first);

        for (int cut = 2; cut < 5; cut++) {
            write(ORDERS, cut);
            awaited(cut(ORDERS, new RecoveryPointId("rp-" + cut)));
        }

        assertThat(cloud.snapshots()).hasSize(4);
    }

    @Test
    void syncThatFailedOnceIsNotBelievedTheNextTime() throws Exception {
        provider.create(ORDERS, VOLUME_BYTES);
        write(ORDERS, 1);
        try (var writer = provider.write(ORDERS)) {
            writer.write(0, ByteBuffer.wrap(new byte[] {2}));
            beforeChange = () -> {
                beforeChange = () -> {};
                throw new UncheckedIOException(new IOException("Input/output error"));
            };
            assertThat(failure(() -> flushed(writer)).message()).contains("Input/output error");

            assertThat(failure(() -> flushed(writer)))
                    .isInstanceOf(ProviderError.Corrupt.class)
                    .extracting(ProviderError::message)
                    .asString()
                    .contains("1.data", "restart the service");
        }
        assertThat(failure(() -> provider.cut(new CutRequest(POINT, List.of(ORDERS)))))
                .isInstanceOf(ProviderError.Corrupt.class);

        provider.close();
        provider = open();

        write(ORDERS, 3);
        awaited(cut(ORDERS, POINT));
    }

    private static boolean flushed(VolumeWriter writer) throws ProviderException {
        writer.flush();
        return true;
    }

    @Test
    void uploadOutlivesWhatNobodyHasForeseen() throws Exception {
        var once = new AtomicBoolean();
        beforeChange = () -> {
            if (Thread.currentThread().getName().startsWith("ebs-upload-") && once.compareAndSet(false, true)) {
                throw new IllegalStateException("a defect");
            }
        };

        uploaded(ORDERS, 1);

        assertThat(once).isTrue();
    }

    @Test
    void failureEndsWithItsCauseAndWithItsSnapshot() throws Exception {
        cloud.close();
        provider.close();
        cloud = FakeAws.start(FakeAwsSettings.defaults().takes(Duration.ofHours(1)));
        provider = open();
        cloud.deny("StartSnapshot");
        var id = cut(ORDERS, 1);
        until(id, Readiness.Failed.class);
        provider.delete(id);
        cut(ORDERS, POINT);
        assertThat(provider.readiness(id)).as("of another snapshot").isInstanceOf(Readiness.Pending.class);
        until(id, Readiness.Failed.class);

        cloud.allow("StartSnapshot");

        until(id, Readiness.Pending.class);
        assertThat(cloud.state(cloud.snapshots().getFirst())).isEqualTo("pending");
    }

    @Test
    void deletionThatWaitsForNothingCanBeResumed() {
        var id = new SnapshotId(ORDERS, POINT);

        assertThat(EbsHandles.parse(EbsHandles.ofDelete(id, Instant.MIN)))
                .isEqualTo(new EbsHandles.Delete(id, Instant.EPOCH));
    }

    @Test
    void holdThatIsReleasedWhileTheUploadEndsIsNotLeft() throws Exception {
        var owner = new HoldOwner("test");
        provider.create(ORDERS, VOLUME_BYTES);
        cloud.deny("StartSnapshot");
        var id = cut(ORDERS, POINT);
        provider.hold(id, owner);
        var released = new AtomicBoolean();
        cloud.beforeAnswer(call -> {
            boolean tagged =
                    cloud.snapshots().stream().anyMatch(each -> each.tags().containsKey(EbsNames.HOLD + owner));
            if (tagged && released.compareAndSet(false, true)) {
                try {
                    provider.release(id, owner);
                } catch (ProviderException e) {
                    throw new AssertionError(e);
                }
            }
        });
        cloud.allow("StartSnapshot");

        awaited(id);

        assertThat(released).isTrue();
        assertThat(cloud.snapshots().getFirst().tags()).doesNotContainKey(EbsNames.HOLD + owner);
        assertThat(provider.delete(id)).isEqualTo(new Step.Done<>(true));
    }

    @Test
    void damagedChainIsToldAndTheOthersAreServed() throws Exception {
        cloud.deny("StartSnapshot");
        var damages = List.<Damage>of(
                folder -> Files.delete(folder.resolve("1.blocks")),
                folder -> Files.delete(folder.resolve("1.data")),
                folder -> Files.delete(folder.resolve("2.data")),
                folder -> Files.delete(folder.resolve("chain")),
                folder -> Files.writeString(folder.resolve("chain"), "tidemark-chain 2"),
                folder -> Files.copy(folder.resolve("2.blocks"), folder.resolve("1.blocks"), REPLACE_EXISTING),
                folder -> {
                    try (var file = FileChannel.open(folder.resolve("1.data"), WRITE)) {
                        file.truncate(VOLUME_BYTES / 4);
                    }
                });
        var other = cut(OTHER, 7);
        for (int index = 0; index < damages.size(); index++) {
            var volume = VolumeId.of("ebs", "orders-" + index);
            var id = cut(volume, 1);
            try (var writer = provider.write(volume)) {
                writer.write(VOLUME_BYTES / 2, ByteBuffer.wrap(new byte[] {1}));
                writer.flush();
            }
            provider.close();
            try (var folders = Files.newDirectoryStream(staging, "chain-" + volume.name() + "-*")) {
                damages.get(index).to(folders.iterator().next());
            }

            provider = open();

            for (var asked : List.<Asked>of(
                    () -> provider.volume(volume),
                    () -> provider.read(id),
                    () -> provider.readiness(id),
                    () -> provider.delete(id),
                    () -> provider.create(volume, VOLUME_BYTES),
                    () -> provider.snapshots(SnapshotQuery.ofVolume(volume)),
                    () -> provider.cut(new CutRequest(POINT, List.of(volume))))) {
                assertThat(failure(asked)).as("damage %d", index).isInstanceOf(ProviderError.Corrupt.class);
            }
            assertThat(provider.volumes()).extracting(Volume::id).containsExactly(OTHER);
            assertThat(provider.snapshots(SnapshotQuery.ofRecoveryPoint(POINT)).snapshots())
                    .extracting(Snapshot::id)
                    .containsExactly(other);
        }
    }

    private interface Damage {
        void to(Path folder) throws IOException;
    }

    @Test
    void preparedCutOfAChainAsksAmazonNothing() throws Exception {
        var first = uploaded(ORDERS, 1);
        write(ORDERS, 2);
        var again = new CutRequest(POINT, List.of(ORDERS));
        var next = new CutRequest(new RecoveryPointId("rp-2"), List.of(ORDERS));
        provider.prepare(again);
        provider.prepare(next);
        cloud.deny("DescribeSnapshots");

        assertThat(provider.cut(again).members().getFirst().snapshot().id()).isEqualTo(first);
        var second = provider.cut(next).members().getFirst().snapshot().id();

        assertThat(failure(() -> provider.cut(new CutRequest(new RecoveryPointId("rp-3"), List.of(ORDERS)))))
                .as("not prepared")
                .isInstanceOf(ProviderError.Denied.class);
        cloud.allow("DescribeSnapshots");
        awaited(second);
        assertThat(cloud.snapshots()).hasSize(2);
    }

    private static void waitUntilBlocked(Thread thread) {
        for (int look = 0; look < LOOKS_MAXIMUM && thread.getState() != Thread.State.BLOCKED; look++) {
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    private SnapshotId uploaded(VolumeId volume, int firstByte) throws Exception {
        return awaited(cut(volume, firstByte));
    }

    private SnapshotId awaited(SnapshotId id) throws Exception {
        until(id, Readiness.Ready.class);
        return id;
    }

    private void until(SnapshotId id, Class<? extends Readiness> wanted) throws Exception {
        for (int look = 0; look < LOOKS_MAXIMUM; look++) {
            if (wanted.isInstance(provider.readiness(id))) {
                return;
            }
            Thread.sleep(1);
        }
        throw new AssertionError(provider.readiness(id).toString());
    }

    private SnapshotId cut(VolumeId volume, int firstByte) throws Exception {
        provider.create(volume, VOLUME_BYTES);
        write(volume, firstByte);
        return cut(volume, POINT);
    }

    private SnapshotId cut(VolumeId volume, RecoveryPointId point) throws Exception {
        return provider.cut(new CutRequest(point, List.of(volume)))
                .members()
                .getFirst()
                .snapshot()
                .id();
    }

    private void write(VolumeId volume, int firstByte) throws Exception {
        try (var writer = provider.write(volume)) {
            writer.write(0, ByteBuffer.wrap(new byte[] {(byte) firstByte}));
            writer.flush();
        }
    }

    private interface Asked {
        Object ask() throws ProviderException;
    }

    private static ProviderError failure(Asked asked) {
        try {
            throw new AssertionError("no failure but " + asked.ask());
        } catch (ProviderException e) {
            return e.error();
        }
    }
}
