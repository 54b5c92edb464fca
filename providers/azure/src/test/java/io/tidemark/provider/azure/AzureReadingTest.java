package io.tidemark.provider.azure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.azure.FakeAzure;
import io.tidemark.provider.fakecloud.azure.FakeAzureSettings;
import io.tidemark.provider.fakecloud.azure.FakeDisk;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Bytes and ranges, over sockets, held against what the disks held. */
class AzureReadingTest {
    private static final int PAGE = 512;
    /** What the tests write to, of disks of 1 GiB. */
    private static final int WRITTEN = 24 << 20;

    private final FakeAzure cloud = FakeAzure.start(FakeAzureSettings.defaults());
    private final AzureProvider provider = AzureAccount.open(cloud);
    private final FakeDisk disk = cloud.createDisk(AzureAccount.GROUP, "data", 1);

    @AfterEach
    void everySignatureIsEnded() {
        provider.close();
        assertThat(cloud.activeAccesses()).isZero();
        AzureAccount.everyCallIsChecked(cloud);
        cloud.close();
    }

    @Test
    void bytesAreThoseOfTheCut() throws Exception {
        var random = new Random(1);
        var bytes = new byte[WRITTEN];
        random.nextBytes(bytes);
        disk.write(0, bytes);
        var snapshot = cut("rp-1");
        disk.write(0, new byte[WRITTEN]);

        try (var reader = provider.read(snapshot)) {
            assertThat(reader.sizeBytes()).isEqualTo(1L << 30);
            assertThat(read(reader, 0, WRITTEN)).isEqualTo(bytes);
            for (int count = 0; count < 50; count++) {
                int offset = random.nextInt(WRITTEN - (9 << 20));
                int length = 1 + random.nextInt(count % 10 == 0 ? 9 << 20 : 10_000);
                assertThat(read(reader, offset, length)).isEqualTo(Arrays.copyOfRange(bytes, offset, offset + length));
            }
            assertThat(read(reader, (1L << 30) - 5, 5)).containsOnly(0);
            assertThatThrownBy(() -> read(reader, (1L << 30) - 5, 6)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void rangesAreWhatDiffersOverRandomHistories() throws Exception {
        for (long seed = 0; seed < 12; seed++) {
            var random = new Random(seed);
            var written = cloud.createDisk(AzureAccount.GROUP, "history" + seed, 1);
            var images = new ArrayList<byte[]>();
            var ids = new ArrayList<SnapshotId>();
            for (int step = 0; step < 4; step++) {
                scribble(written, random);
                ids.add(cut(written, "rp-%d".formatted(step)));
                images.add(written.read(0, WRITTEN));
                cloud.clock().advance(Duration.ofMinutes(1));
            }
            int left = random.nextInt(4);
            int right = random.nextInt(4);
            try (var changed = provider.changedRanges(ids.get(left), ids.get(right));
                    var allocated = provider.allocatedRanges(ids.get(left))) {
                assertThat(pages(changed))
                        .as("seed %d, %d to %d", seed, left, right)
                        .isEqualTo(differing(images.get(left), images.get(right)));
                assertThat(pages(allocated))
                        .as("seed %d, %d", seed, left)
                        .isEqualTo(differing(images.get(left), new byte[WRITTEN]));
            }
        }
    }

    /** More ranges than a page of a list holds, cleared ones between written ones: none is passed over. */
    @Test
    void clearedAndWrittenPagesAmongEachOtherAreAllNamed() throws Exception {
        var some = new byte[PAGE];
        Arrays.fill(some, (byte) 7);
        var image = new byte[WRITTEN];
        Arrays.fill(image, (byte) 1);
        disk.write(0, image);
        var older = cut("rp-1");
        cloud.clock().advance(Duration.ofMinutes(1));
        for (int page = 0; page < 22_000; page += 2) {
            System.arraycopy(page % 4 == 0 ? some : new byte[PAGE], 0, image, page * PAGE, PAGE);
        }
        disk.write(0, image);
        var newer = cut("rp-2");

        try (var changed = provider.changedRanges(older, newer)) {
            var pages = pages(changed);

            assertThat(pages.cardinality()).isEqualTo(11_000);
            assertThat(pages.get(0)).isTrue();
            assertThat(pages.get(2)).as("a cleared page").isTrue();
        }
        assertThat(cloud.calls())
                .hasEntrySatisfying(
                        "PageBlob_GetPageRangesDiff",
                        count -> assertThat(count.seen()).isEqualTo(2));
    }

    /** "Restrictions of incremental snapshots": no changes between two that were taken before and after. */
    @Test
    void changesOverTheBoundaryOf4TbAreTheWhole() throws Exception {
        var grown = cloud.createDisk(AzureAccount.GROUP, "grown", 4_096);
        var small = cut(grown, "rp-1");
        cloud.clock().advance(Duration.ofMinutes(1));
        grown.grow(4_097);
        var large = cut(grown, "rp-2");
        cloud.clock().advance(Duration.ofMinutes(1));
        grown.write(PAGE, new byte[] {1});
        var larger = cut(grown, "rp-3");

        try (var changed = provider.changedRanges(small, large)) {
            assertThat(changed.confidence()).isEqualTo(ChangedRanges.Confidence.UNTRUSTED);
            assertThat(changed.next()).hasValue(new BlockRange(0, 4_097L << 30));
            assertThat(changed.next()).isEmpty();
        }
        try (var changed = provider.changedRanges(large, larger)) {
            assertThat(changed.next()).hasValue(new BlockRange(PAGE, PAGE));
        }
    }

    @Test
    void anExpiredSignatureIsRenewedInTheMiddle() throws Exception {
        disk.write(5 << 20, new byte[] {9});
        var older = cut("rp-1");
        disk.write(9 << 20, new byte[] {8});
        cloud.clock().advance(Duration.ofMinutes(1));
        var newer = cut("rp-2");
        try (var reader = provider.read(newer);
                var changed = provider.changedRanges(older, newer)) {
            assertThat(read(reader, 5 << 20, 1)).containsExactly(9);
            cloud.expireAccesses();

            assertThat(read(reader, 9 << 20, 1)).containsExactly(8);
            assertThat(changed.next()).hasValue(new BlockRange(9 << 20, PAGE));
            assertThat(changed.next()).isEmpty();
        }
    }

    @Test
    void faultsOnTheWayChangeNoByte() throws Exception {
        var random = new Random(3);
        for (int seed = 1; seed <= 15; seed++) {
            scribble(disk, random);
            var id = cut("rp-%d".formatted(seed));
            var image = disk.read(0, WRITTEN);
            cloud.faults(FaultScript.of(seed));
            try (var reader = provider.read(id);
                    var allocated = provider.allocatedRanges(id)) {
                assertThat(read(reader, 0, WRITTEN)).as("seed %d", seed).isEqualTo(image);
                assertThat(pages(allocated)).isEqualTo(differing(image, new byte[WRITTEN]));
            } finally {
                cloud.faults(FaultScript.none());
            }
            assertThat(cloud.activeAccesses()).as("seed %d", seed).isZero();
        }
    }

    /** Azure has given it, and its answer was lost as often as it was asked for. */
    @Test
    void aSignatureThatNobodyKnowsIsEnded() throws Exception {
        var id = cut("rp-1");
        var faults = FaultScript.none();
        for (int attempt = 1; attempt <= Attempts.COUNT_MAXIMUM; attempt++) {
            faults.on("Snapshots_GrantAccess", attempt, Fault.CUT_AFTER);
        }
        cloud.faults(faults);

        assertThatThrownBy(() -> provider.read(id)).isInstanceOf(ProviderException.class);

        assertThat(cloud.activeAccesses()).isZero();
    }

    @Test
    void whatIsNotExportedIsRefusedByName() throws Exception {
        disk.write(0, new byte[] {5});
        var id = cut("rp-1");
        var snapshot = cloud.snapshots().getFirst();
        cloud.restrict(snapshot, "DenyAll", null);

        for (var denied : List.<org.assertj.core.api.ThrowableAssert.ThrowingCallable>of(
                () -> provider.read(id), () -> provider.allocatedRanges(id), () -> provider.changedRanges(id, id))) {
            assertThatThrownBy(denied)
                    .isInstanceOfSatisfying(
                            ProviderException.class,
                            e -> assertThat(e.error()).isInstanceOf(ProviderError.Denied.class))
                    .hasMessageContaining("networkAccessPolicy", snapshot.name);
        }
        assertThat(cloud.calls()).doesNotContainKey("Snapshots_GrantAccess");
    }

    @Test
    void whatIsReadThroughADiskAccessAloneSaysWhich() throws Exception {
        var access =
                "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/net/providers/Microsoft.Compute"
                        + "/diskAccesses/inside";
        var id = cut("rp-1");
        cloud.restrict(cloud.snapshots().getFirst(), "AllowPrivate", access);

        try (var reader = provider.read(id)) {
            assertThatThrownBy(() -> read(reader, 0, 1))
                    .isInstanceOfSatisfying(
                            ProviderException.class,
                            e -> assertThat(e.error()).isInstanceOf(ProviderError.Denied.class))
                    .hasMessageContaining("private endpoint of its disk access " + access);
        }
        try (var ranges = provider.allocatedRanges(id)) {
            assertThatThrownBy(ranges::next).hasMessageContaining(access);
        }
    }

    @Test
    void theSixthSnapshotOfADiskWaitsAndIsThenTold() throws Exception {
        var config = AzureAccount.config(cloud, cloud.endpoint().toString(), java.util.Map.of());
        Attempts.Sleeper sleeper = pause -> cloud.clock().advance(pause);
        var arm = new Arm(AzureClients.of(config), new ArmGate(cloud.clock(), sleeper));
        var attempts = new Attempts(new Random(1), sleeper);
        var leases = new Leases(new AccessCalls(arm, attempts, cloud.clock()), Duration.ofMillis(50));
        var calls = new DiskCalls(arm, "tests");
        var taken = new ArrayList<Leases.Lease>();
        var sixth = find(calls, "theirs6");
        for (int count = 1; count <= 5; count++) {
            taken.add(leases.acquire(find(calls, "theirs" + count)));
        }
        taken.add(leases.acquire(find(calls, "theirs1")));

        assertThatThrownBy(() -> leases.acquire(sixth))
                .isInstanceOfSatisfying(
                        ProviderException.class, e -> assertThat(e.error()).isInstanceOf(ProviderError.Busy.class))
                .hasMessageContaining("5 other snapshots");
        taken.removeLast().release();
        assertThat(cloud.activeAccesses()).as("the first has another reader").isEqualTo(5);
        taken.removeFirst().release();
        taken.add(leases.acquire(sixth));
        assertThat(cloud.activeAccesses()).isEqualTo(5);
        for (var each : taken) {
            each.release();
        }
    }

    private CloudSnapshot find(DiskCalls calls, String name) throws Exception {
        if (calls.snapshot(AzureAccount.GROUP, name).isEmpty()) {
            cloud.createSnapshot(disk, name, java.util.Map.of());
        }
        return calls.snapshot(AzureAccount.GROUP, name).orElseThrow();
    }

    @Test
    void whatHasSucceededIsNotReadBeforeItsDataIsThere() throws Exception {
        try (var slow =
                FakeAzure.start(FakeAzureSettings.defaults().taking(Duration.ofSeconds(5), Duration.ofMinutes(10)))) {
            var from = slow.createDisk(AzureAccount.GROUP, "fast", 1, "PremiumV2_LRS");
            from.write(0, new byte[] {1});
            var reading = AzureAccount.open(slow);
            var id = new SnapshotId(AzureAccount.volume("fast"), new RecoveryPointId("rp-1"));
            reading.cut(new CutRequest(id.recoveryPoint(), List.of(id.volume())));
            slow.clock().advance(Duration.ofMinutes(4));

            assertThat(reading.readiness(id))
                    .isInstanceOfSatisfying(
                            Readiness.Pending.class,
                            pending -> assertThat(pending.progress()).isBetween(0.3, 0.6));
            assertThatThrownBy(() -> reading.read(id))
                    .isInstanceOfSatisfying(
                            ProviderException.class, e -> assertThat(e.error()).isInstanceOf(ProviderError.Busy.class));
            slow.clock().advance(Duration.ofMinutes(7));
            assertThat(reading.readiness(id)).isInstanceOf(Readiness.Ready.class);
            try (var reader = reading.read(id)) {
                assertThat(read(reader, 0, 2)).containsExactly(1, 0);
            }
            assertThat(slow.activeAccesses()).isZero();
            AzureAccount.everyCallIsChecked(slow);
        }
    }

    /**
     * The creation goes on after its answer, and a write meanwhile may be in it: the cut ends when the creation does.
     */
    @Test
    void theCutEndsWhenTheCreationDoes() throws Exception {
        try (var slow = FakeAzure.start(FakeAzureSettings.defaults().taking(Duration.ofSeconds(20), Duration.ZERO))) {
            var written = slow.createDisk(AzureAccount.GROUP, "data", 1);
            written.write(0, new byte[] {1});
            var reading = AzureAccount.open(slow);
            var id = new SnapshotId(AzureAccount.volume("data"), new RecoveryPointId("rp-1"));

            reading.cut(new CutRequest(id.recoveryPoint(), List.of(id.volume())));
            written.write(0, new byte[] {2});

            try (var reader = reading.read(id)) {
                assertThat(read(reader, 0, 1)).containsExactly(1);
            }
        }
    }

    private SnapshotId cut(String recoveryPoint) throws Exception {
        return cut(disk, recoveryPoint);
    }

    private SnapshotId cut(FakeDisk of, String recoveryPoint) throws Exception {
        var id = new SnapshotId(AzureAccount.volume(of.name), new RecoveryPointId(recoveryPoint));
        provider.cut(new CutRequest(id.recoveryPoint(), List.of(id.volume())));
        return id;
    }

    private static void scribble(FakeDisk disk, Random random) {
        for (int count = 0; count < 20; count++) {
            var bytes = new byte[PAGE * (1 + random.nextInt(200))];
            if (random.nextInt(3) > 0) {
                random.nextBytes(bytes);
            }
            disk.write((long) random.nextInt((WRITTEN - bytes.length) / PAGE) * PAGE, bytes);
        }
    }

    private static byte[] read(io.tidemark.spi.SnapshotReader reader, long offsetBytes, int length) throws Exception {
        var target = ByteBuffer.allocate(length);
        reader.read(offsetBytes, target);
        return target.array();
    }

    /** The numbers of the pages that are named; that they come in order and apart is asserted. */
    private static BitSet pages(ChangedRanges ranges) throws Exception {
        var pages = new BitSet();
        long end = -1;
        for (var each = ranges.next(); each.isPresent(); each = ranges.next()) {
            assertThat(each.get().offsetBytes()).isGreaterThan(end);
            end = each.get().endBytes();
            pages.set(Math.toIntExact(each.get().offsetBytes() / PAGE), Math.toIntExact(end / PAGE));
        }
        return pages;
    }

    private static BitSet differing(byte[] left, byte[] right) {
        var pages = new BitSet();
        for (int at = 0; at < left.length; at += PAGE) {
            pages.set(at / PAGE, !Arrays.equals(left, at, at + PAGE, right, at, at + PAGE));
        }
        return pages;
    }
}
