package io.tidemark.provider.azure;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.CallCount;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.azure.FakeAzureSettings;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Copies from region to region, both of one resource group, where names have to be apart. */
class AzureCopiesTest {
    private static final Optional<String> NO_KEY = Optional.empty();
    private static final String KEY =
            "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/keys/providers"
                    + "/Microsoft.Compute/diskEncryptionSets/mine";
    private static final int STEPS_MAXIMUM = 500;

    private TwoRegions regions =
            new TwoRegions(FakeAzureSettings.defaults().taking(Duration.ofSeconds(1), Duration.ofMinutes(10)));

    @AfterEach
    void everyCallIsChecked() {
        regions.close();
    }

    private AzureProvider start() {
        return regions.start(new AtomicBoolean());
    }

    @Test
    void aCopyIsThereWhenAllItsBytesAre() throws Exception {
        var north = start();
        var original = regions.cut("data", "rp-1", 42);

        var first = north.copyOf(regions.source, original, NO_KEY);
        regions.cloud.clock().advance(Duration.ofMinutes(5));
        var half = north.copyOf(regions.source, original, NO_KEY);

        assertThat(first).isInstanceOf(Step.Running.class);
        assertThat(half).isInstanceOfSatisfying(Step.Running.class, running -> {
            assertThat(running.progress()).isBetween(0.3, 0.6);
            assertThat(north.phase(running.handle())).isEqualTo("is copied by Azure");
        });
        var copy = finished(north, half);
        assertThat(copy.id()).isEqualTo(TwoRegions.copyOf(original));
        assertThat(first(north, copy.id())).isEqualTo((byte) 42);
        assertThat(north.snapshots(SnapshotQuery.ofVolume(copy.id().volume())).snapshots())
                .containsExactly(copy);
        assertThat(north.copyOf(regions.source, original, NO_KEY)).isEqualTo(new Step.Done<>(copy));
        assertThat(regions.copies()).hasSize(1);
        assertThat(regions.source.snapshots(SnapshotQuery.everything()).snapshots())
                .as("the source's list has no copy")
                .extracting(Snapshot::id)
                .containsExactly(original);
    }

    @Test
    void aCopyOutlivesItsSourceAndIsDeletedAsAnySnapshot() throws Exception {
        var north = start();
        var original = regions.cut("data", "rp-1", 7);
        var copy =
                finished(north, north.copyOf(regions.source, original, NO_KEY)).id();

        finishedDeletion(regions.source, original);
        var owner = new HoldOwner("link-1");
        north.hold(copy, owner);

        assertThat(first(north, copy)).isEqualTo((byte) 7);
        assertThat(failure(() -> north.delete(copy))).isInstanceOf(ProviderError.Held.class);
        north.release(copy, owner);
        finishedDeletion(north, copy);
        assertThat(regions.cloud.snapshots()).isEmpty();
    }

    @Test
    void whatIsBeingCopiedIsNotDeletedAndSaysWhy() throws Exception {
        var north = start();
        var original = regions.cut("data", "rp-1", 1);
        var running = north.copyOf(regions.source, original, NO_KEY);

        assertThat(failure(() -> regions.source.delete(original)))
                .isInstanceOf(ProviderError.Busy.class)
                .extracting(ProviderError::message)
                .asString()
                .contains(regions.copies().getFirst().name, "northeurope");

        finished(north, running);
        finishedDeletion(regions.source, original);
        assertThat(regions.copies()).hasSize(1);
    }

    /** The process died between the tag and the copy: nothing keeps the source when it would have been seen. */
    @Test
    void aCopyThatWasNeverBegunKeepsNothingForLong() throws Exception {
        var original = regions.cut("data", "rp-1", 1);
        var dying = start();
        regions.cloud.deny("Snapshots_CreateOrUpdate");
        assertThat(failure(() -> dying.copyOf(regions.source, original, NO_KEY)))
                .isInstanceOf(ProviderError.Denied.class);
        regions.cloud.allow("Snapshots_CreateOrUpdate");

        assertThat(failure(() -> regions.source.delete(original))).isInstanceOf(ProviderError.Busy.class);
        regions.cloud.clock().advance(RecentEffects.VISIBLE_WITHIN);
        finishedDeletion(regions.source, original);
    }

    @Test
    void aCopyThatLostItsSourceIsToldAndDeletedAndMadeAnew() throws Exception {
        var north = start();
        var original = regions.cut("data", "rp-1", 9);
        var running = north.copyOf(regions.source, original, NO_KEY);
        regions.cloud.clock().advance(Duration.ofMinutes(1));
        regions.cloud.loseSource(regions.copies().getFirst());

        assertThat(failure(() -> finished(north, running)))
                .isInstanceOf(ProviderError.Corrupt.class)
                .extracting(ProviderError::message)
                .asString()
                .contains("CopySourceNotFound", "is deleted");
        assertThat(regions.copies()).isEmpty();
        regions.cloud.clock().advance(RecentEffects.VISIBLE_WITHIN.plusSeconds(1));
        assertThat(first(
                        north,
                        finished(north, north.copyOf(regions.source, original, NO_KEY))
                                .id()))
                .isEqualTo((byte) 9);
    }

    @Test
    void copiesOfOneDiskGoOneAfterTheOtherInTheirOrder() throws Exception {
        var north = start();
        var first = regions.cut("data", "rp-1", 1);
        var second = regions.cut("data", "rp-2", 2);
        var other = regions.cut("more", "rp-2", 3);
        var a = north.copyOf(regions.source, first, NO_KEY);
        var b = north.copyOf(regions.source, second, NO_KEY);
        var c = north.copyOf(regions.source, other, NO_KEY);

        assertThat(b)
                .isInstanceOfSatisfying(
                        Step.Running.class,
                        running -> assertThat(north.phase(running.handle()))
                                .startsWith("waits for another copy of its disk"));
        assertThat(regions.copies()).as("the first, and that of another disk").hasSize(2);
        assertThat(regions.cloud
                        .calls()
                        .getOrDefault("Snapshots_CreateOrUpdate", CallCount.ZERO)
                        .seen())
                .as("three cuts and two copies: Azure was not asked for the third, to refuse it")
                .isEqualTo(5);
        finished(north, a);
        finished(north, b);
        finished(north, c);
        assertThat(regions.copies()).hasSize(3);
    }

    /** Another process began one: Azure refuses, and it is waited for. */
    @Test
    void aCopyThatAzureRefusesForAnotherOfTheDiskWaits() throws Exception {
        var before = start();
        before.copyOf(regions.source, regions.cut("data", "rp-1", 1), NO_KEY);
        var north = start();
        var second = regions.cut("data", "rp-2", 2);

        var waiting = north.copyOf(regions.source, second, NO_KEY);

        assertThat(waiting)
                .isInstanceOfSatisfying(
                        Step.Running.class,
                        running -> assertThat(north.phase(running.handle())).startsWith("waits"));
        assertThat(first(north, finished(north, waiting).id())).isEqualTo((byte) 2);
    }

    @Test
    void aKeyIsAnEncryptionSetAndNoSecondCopyIsMadeByAnother() throws Exception {
        var north = start();
        var original = regions.cut("data", "rp-1", 1);

        finished(north, north.copyOf(regions.source, original, Optional.of(KEY)));

        assertThat(regions.copies().getFirst().encryptionSet()).isEqualTo(KEY);
        assertThat(failure(() -> north.copyOf(regions.source, original, NO_KEY)))
                .isInstanceOf(ProviderError.Conflict.class)
                .extracting(ProviderError::message)
                .asString()
                .contains("key " + KEY, "delete it first");
        assertThat(failure(() -> north.copyOf(regions.source, original, Optional.of("alias/mine"))))
                .extracting(ProviderError::message)
                .asString()
                .contains("alias/mine", "diskEncryptionSets/NAME");
    }

    /** Azure rounds an uploaded disk up to GiB, and its snapshots and their copies with it. */
    @Test
    void theCopyOfAnUploadedDiskHasTheVolumesBytes() throws Exception {
        long bytes = 21L << 20;
        var upload = VolumeId.of("west", "upload");
        regions.source.create(upload, bytes);
        var first = new SnapshotId(upload, new RecoveryPointId("rp-1"));
        var second = new SnapshotId(upload, new RecoveryPointId("rp-2"));
        for (var each : List.of(first, second)) {
            regions.source.cut(new CutRequest(each.recoveryPoint(), List.of(upload)));
        }
        var before = start();
        var running = before.copyOf(regions.source, first, NO_KEY);
        var waiting = before.copyOf(regions.source, second, NO_KEY);
        var after = start();

        finished(after, running);
        finished(after, waiting);

        assertThat(after.snapshots(SnapshotQuery.ofVolume(VolumeId.of("north", "upload")))
                        .snapshots())
                .hasSize(2)
                .allSatisfy(each -> assertThat(each.sizeBytes()).isEqualTo(bytes));
    }

    @Test
    void whatCannotBeCopiedIsRefusedByName() throws Exception {
        var north = start();
        var original = regions.cut("data", "rp-1", 1);
        var west = regions.open(regions.config("again", "westeurope"), new AtomicBoolean());
        var more = regions.cloud.createDisk(AzureAccount.GROUP, "more", 1);
        var disk = regions.cloud.disks().getFirst();
        regions.cloud.createMachine(AzureAccount.GROUP, "vm", "Standard_D4s_v5", List.of(disk, more));
        var part = new SnapshotId(VolumeId.of("west", "more"), new RecoveryPointId("rp-9"));
        regions.source.cut(new CutRequest(part.recoveryPoint(), List.of(VolumeId.of("west", "data"), part.volume())));

        assertThat(message(() -> west.copyOf(regions.source, original, NO_KEY))).contains("both", "westeurope");
        assertThat(message(() -> north.copyOf(regions.source, part, NO_KEY))).contains("part of a restore point");
        assertThat(failure(() -> north.copyOf(
                        regions.source, new SnapshotId(original.volume(), new RecoveryPointId("rp-none")), NO_KEY)))
                .isInstanceOf(ProviderError.SnapshotNotFound.class);
        assertThat(north.copiesFrom(regions.source)).isTrue();
        assertThat(north.copiesFrom(north)).isFalse();
    }

    /** What was cut here under the same names is no copy of it. */
    @Test
    void aSnapshotOfADiskOfTheSameNameIsNotTakenForTheCopy() throws Exception {
        var north = start();
        var original = regions.cut("data", "rp-1", 1);
        regions.cloud.createDisk("elsewhere", "data", 1, "Premium_LRS", "northeurope");
        var id = new SnapshotId(VolumeId.of("there", "data"), original.recoveryPoint());
        var there = regions.open(
                AzureConfig.of(
                        "there",
                        java.util.Map.of(
                                "subscription", regions.cloud.settings().subscription(),
                                "location", "northeurope",
                                "resourceGroup", "elsewhere",
                                "installation", "tests",
                                "endpoint", "http://127.0.0.1")),
                new AtomicBoolean());
        there.cut(new CutRequest(id.recoveryPoint(), List.of(id.volume())));

        assertThat(message(() -> there.copyOf(regions.source, original, NO_KEY)))
                .contains("it exists, and is no copy", "delete it first");
        assertThat(finished(north, north.copyOf(regions.source, original, NO_KEY)))
                .isNotNull();
    }

    /** Whatever fails and whoever is killed: at the end there is each copy once, whole, and nothing else. */
    @Test
    void eachCopyIsMadeOnceWhateverFails() throws Exception {
        for (int seed = 1; seed <= 60; seed++) {
            regions.close();
            regions = new TwoRegions(FakeAzureSettings.defaults().taking(Duration.ofSeconds(1), Duration.ofMinutes(2)));
            var originals = List.of(
                    regions.cut("data", "rp-1", seed),
                    regions.cut("data", "rp-2", seed + 1),
                    regions.cut("more", "rp-1", 3));
            var wanted = new TreeSet<String>();
            var dead = new AtomicBoolean();
            var random = new Random(seed);
            var north = regions.start(dead);
            regions.cloud.faults(FaultScript.of(seed));
            regions.cloud.beforeAnswer(number -> {
                if (random.nextInt(15) == 0) {
                    dead.set(true);
                    throw new IllegalStateException("killed");
                }
            });
            for (var original : originals) {
                for (int step = 0; ; step++) {
                    assertThat(step).as("seed %d", seed).isLessThan(STEPS_MAXIMUM);
                    try {
                        if (north.copyOf(regions.source, original, NO_KEY) instanceof Step.Done<Snapshot>(var made)) {
                            wanted.add(made.id().toString());
                            break;
                        }
                    } catch (ProviderException e) {
                        regions.cloud.clock().advance(Duration.ofSeconds(20));
                    }
                    if (dead.getAndSet(false)) {
                        // The next process has a thread that nobody has interrupted.
                        Thread.interrupted();
                        north = regions.start(dead);
                    }
                    // One that is stuck takes six hours.
                    regions.cloud.clock().advance(Duration.ofSeconds(step < 100 ? 15 : 300));
                }
            }
            regions.cloud.beforeAnswer(number -> {});
            regions.cloud.faults(FaultScript.none());
            regions.cloud.clock().advance(Duration.ofMinutes(30));
            var fresh = start();
            assertThat(regions.copies()).as("seed %d", seed).hasSize(3);
            assertThat(fresh.snapshots(SnapshotQuery.everything()).snapshots())
                    .as("seed %d", seed)
                    .extracting(each -> each.id().toString())
                    .containsExactlyElementsOf(wanted);
            assertThat(first(fresh, TwoRegions.copyOf(originals.get(1)))).isEqualTo((byte) (seed + 1));
        }
    }

    private Snapshot finished(AzureProvider provider, Step<?> first) throws Exception {
        var step = first;
        for (int count = 0; step instanceof Step.Running<?> running; count++) {
            assertThat(count).isLessThan(STEPS_MAXIMUM);
            regions.cloud.clock().advance(running.askAgainAfter());
            step = provider.resume(running.handle());
        }
        return (Snapshot) ((Step.Done<?>) step).result();
    }

    private void finishedDeletion(AzureProvider provider, SnapshotId snapshot) throws Exception {
        Step<?> step = provider.delete(snapshot);
        for (int count = 0; step instanceof Step.Running<?> running; count++) {
            assertThat(count).isLessThan(STEPS_MAXIMUM);
            regions.cloud.clock().advance(running.askAgainAfter());
            step = provider.resume(running.handle());
        }
    }

    private static byte first(AzureProvider provider, SnapshotId snapshot) throws Exception {
        var read = ByteBuffer.allocate(1);
        try (var reader = provider.read(snapshot)) {
            reader.read(0, read);
        }
        return read.get(0);
    }

    private interface Call {
        Object run() throws Exception;
    }

    private static String message(Call call) throws Exception {
        return failure(call).message();
    }

    private static ProviderError failure(Call call) throws Exception {
        try {
            throw new AssertionError("was not refused: " + call.run());
        } catch (ProviderException e) {
            return e.error();
        }
    }
}
