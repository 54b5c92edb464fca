package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.provider.fakecloud.aws.FakeAwsSettings;
import io.tidemark.provider.fakecloud.aws.FakeVolume;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.FastRestores;
import io.tidemark.spi.FastRestores.FastRestore;
import io.tidemark.spi.FastRestores.FastState;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.RecycleBin;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotArchives;
import io.tidemark.spi.SnapshotArchives.Tier;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotLocks;
import io.tidemark.spi.SnapshotLocks.LockMode;
import io.tidemark.spi.SnapshotLocks.LockRequest;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Locks, the archive, fast restores and the recycle bin. */
class EbsProtectionTest {
    private static final String REGION = "eu-central-1";
    private static final String ZONE = "eu-central-1a";

    private FakeAws cloud;
    private EbsProvider provider;
    private FakeVolume volume;
    private SnapshotId snapshot;

    @BeforeEach
    void start() throws Exception {
        cloud = FakeAws.start(FakeAwsSettings.defaults());
        provider = EbsAccount.open(cloud);
        cloud.clock().advance(RecentEffects.VISIBLE_WITHIN);
        volume = cloud.createVolume(1, Map.of());
        volume.write(0, new byte[] {42});
        snapshot = cut(provider, volume, "rp-1");
    }

    @AfterEach
    void stop() {
        EbsAccount.everyCallIsChecked(cloud);
        provider.close();
        cloud.close();
    }

    private static SnapshotId cut(EbsProvider with, FakeVolume of, String point) throws Exception {
        var id = EbsAccount.volume(of.id());
        var request = new CutRequest(new RecoveryPointId(point), List.of(id));
        with.prepare(request);
        return with.cut(request).members().getFirst().snapshot().id();
    }

    private SnapshotLocks locks() {
        return provider.ability(SnapshotLocks.class).orElseThrow();
    }

    private SnapshotArchives archives() {
        return provider.ability(SnapshotArchives.class).orElseThrow();
    }

    private FastRestores fast() {
        return provider.ability(FastRestores.class).orElseThrow();
    }

    private RecycleBin bin() {
        return provider.ability(RecycleBin.class).orElseThrow();
    }

    private Instant in(Duration time) {
        return cloud.clock().instant().plus(time);
    }

    private LockRequest governance(int days) {
        return new LockRequest(LockMode.GOVERNANCE, in(Duration.ofDays(days)), Duration.ZERO);
    }

    private long calls(String operation) {
        var count = cloud.calls().get(operation);
        return count == null ? 0 : count.seen();
    }

    private List<SnapshotId> listed() throws Exception {
        return provider.snapshots(SnapshotQuery.everything()).snapshots().stream()
                .map(Snapshot::id)
                .toList();
    }

    private static void refused(Class<? extends ProviderError> how, String says, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ProviderException.class, e -> assertThat(e.error()).isInstanceOf(how))
                .hasMessageContaining(says);
    }

    @Test
    void lockOfGovernanceKeepsTheSnapshotUntilItIsTakenOff() throws Exception {
        var lock = locks().lock(snapshot, governance(2));

        assertThat(lock.fixedAt()).isEmpty();
        refused(
                ProviderError.Conflict.class,
                "locked in mode governance until " + lock.until(),
                () -> provider.delete(snapshot));
        assertThat(listed()).containsExactly(snapshot);
        locks().unlock(snapshot);
        locks().unlock(snapshot);
        assertThat(locks().lockOf(snapshot)).isEmpty();
        assertThat(provider.delete(snapshot)).isInstanceOf(Step.Done.class);
        assertThat(listed()).isEmpty();
    }

    @Test
    void deletionThatIsRefusedSaysAmazonsReasonWhereLocksCannotBeAskedFor() throws Exception {
        locks().lock(snapshot, governance(2));
        cloud.deny("DescribeLockedSnapshots");
        refused(ProviderError.Conflict.class, "SnapshotLocked", () -> provider.delete(snapshot));

        cloud.allow("DescribeLockedSnapshots");
        refused(ProviderError.Conflict.class, "locked in mode governance", () -> provider.delete(snapshot));
        assertThat(listed()).containsExactly(snapshot);
    }

    @Test
    void lockEndsByItself() throws Exception {
        locks().lock(snapshot, governance(2));

        cloud.clock().advance(Duration.ofDays(2));

        assertThat(locks().lockOf(snapshot)).isEmpty();
        assertThat(provider.delete(snapshot)).isInstanceOf(Step.Done.class);
    }

    @Test
    void lockOfComplianceIsFixedAfterItsCoolingOffAndCanOnlyBeMadeLonger() throws Exception {
        var until = in(Duration.ofDays(3));
        var wanted = new LockRequest(LockMode.COMPLIANCE, until, Duration.ofHours(1));
        var lock = locks().lock(snapshot, wanted);
        assertThat(lock.fixedAt()).contains(in(Duration.ofHours(1)));
        locks().unlock(snapshot);
        locks().lock(snapshot, wanted);

        cloud.clock().advance(Duration.ofHours(1));

        refused(ProviderError.Conflict.class, "nobody can unlock", () -> locks().unlock(snapshot));
        refused(ProviderError.Conflict.class, "made longer", () -> locks().lock(snapshot, governance(9)));
        refused(
                ProviderError.Conflict.class,
                "made longer",
                () -> locks().lock(
                                snapshot, new LockRequest(LockMode.COMPLIANCE, until.minusSeconds(60), Duration.ZERO)));
        var longer = new LockRequest(LockMode.COMPLIANCE, until.plusSeconds(60), Duration.ofHours(2));
        assertThat(locks().lock(snapshot, longer).until()).isEqualTo(longer.until());
        refused(ProviderError.Conflict.class, "mode compliance", () -> provider.delete(snapshot));
    }

    @Test
    void lockThatAmazonDoesNotHaveIsRefusedWithItsLimits() throws Exception {
        for (var until : List.of(in(Duration.ofHours(20)), in(Duration.ofDays(36_501)))) {
            var asked = new LockRequest(LockMode.GOVERNANCE, until, Duration.ZERO);
            refused(ProviderError.Conflict.class, "1 to 36500 days", () -> locks().lock(snapshot, asked));
        }
        for (var coolingOff : List.of(Duration.ofHours(73), Duration.ofMinutes(90))) {
            var asked = new LockRequest(LockMode.COMPLIANCE, in(Duration.ofDays(2)), coolingOff);
            refused(ProviderError.Conflict.class, "1 to 72 whole hours", () -> locks().lock(snapshot, asked));
        }
        assertThatThrownBy(() -> new LockRequest(LockMode.GOVERNANCE, in(Duration.ofDays(2)), Duration.ofHours(1)))
                .hasMessageContaining("compliance alone");
        assertThat(calls("LockSnapshot")).isZero();
        assertThat(locks().lock(snapshot, governance(1)).until()).isAfter(in(Duration.ofDays(1)));
    }

    @Test
    void lockWhoseAnswerIsLostIsFoundAndNotAskedForTwice() throws Exception {
        cloud.faults(FaultScript.none().on("LockSnapshot", 1, Fault.CUT_AFTER).on("LockSnapshot", 2, Fault.THROTTLE));
        var wanted = new LockRequest(LockMode.COMPLIANCE, in(Duration.ofDays(2)), Duration.ZERO);

        var lock = locks().lock(snapshot, wanted);

        assertThat(lock.until()).isEqualTo(wanted.until());
        assertThat(calls("LockSnapshot")).isEqualTo(1);
    }

    @Test
    void archivedSnapshotIsRefusedBeforeAnythingBeginsAndDeletable() throws Exception {
        fast().setFastRestore(snapshot, List.of(ZONE), true);
        locks().lock(snapshot, governance(1));
        assertThat(archives().archive(snapshot).tier()).isEqualTo(Tier.ARCHIVING);
        assertThat(archives().archive(snapshot).tier()).isEqualTo(Tier.ARCHIVING);
        provider.read(snapshot).close();
        cloud.clock().advance(Duration.ofHours(1));

        assertThat(archives().tierOf(snapshot).tier()).isEqualTo(Tier.ARCHIVED);
        var way = "restore-from-archive " + snapshot;
        refused(ProviderError.Conflict.class, way, () -> provider.read(snapshot));
        var clone = new CloneRequest(snapshot, VolumeId.of("ebs", "clone"));
        refused(ProviderError.Conflict.class, way, () -> provider.clone(clone));
        refused(ProviderError.Conflict.class, way, () -> fast().setFastRestore(snapshot, List.of(ZONE), true));
        assertThat(fast().fastRestores(snapshot)).isEmpty();
        assertThat(calls("CreateVolume")).isZero();
        assertThat(calls("ModifySnapshotTier")).isEqualTo(1);
        locks().unlock(snapshot);
        assertThat(provider.delete(snapshot)).isInstanceOf(Step.Done.class);
    }

    @Test
    void archivedSnapshotComesBackForATimeOrForGood() throws Exception {
        archives().archive(snapshot);
        refused(ProviderError.Busy.class, "into the archive", () -> archives().restore(snapshot, Optional.empty()));
        cloud.clock().advance(Duration.ofHours(1));
        cloud.faults(FaultScript.none().on("RestoreSnapshotTier", 1, Fault.CUT_AFTER));

        assertThat(archives().restore(snapshot, Optional.of(2)).tier()).isEqualTo(Tier.RESTORING);
        refused(
                ProviderError.Busy.class,
                "back from the archive",
                () -> archives().archive(snapshot));
        cloud.clock().advance(Duration.ofHours(1));
        var back = archives().tierOf(snapshot);
        assertThat(back.tier()).isEqualTo(Tier.RESTORED_FOR_A_TIME);
        assertThat(back.until()).contains(in(Duration.ofDays(2)));
        try (var reader = provider.read(snapshot)) {
            var read = ByteBuffer.allocate(1);
            reader.read(0, read);
            assertThat(read.get(0)).isEqualTo((byte) 42);
        }
        cloud.clock().advance(Duration.ofDays(2));
        assertThat(archives().tierOf(snapshot).tier()).isEqualTo(Tier.ARCHIVED);
        archives().restore(snapshot, Optional.of(1));
        cloud.clock().advance(Duration.ofHours(1));
        assertThat(archives().restore(snapshot, Optional.of(9)).until()).contains(in(Duration.ofDays(9)));
        assertThat(archives().restore(snapshot, Optional.empty()).tier()).isEqualTo(Tier.STANDARD);
        cloud.clock().advance(Duration.ofDays(100));
        assertThat(archives().tierOf(snapshot).tier()).isEqualTo(Tier.STANDARD);
        refused(
                ProviderError.Conflict.class,
                "not in the archive",
                () -> archives().restore(snapshot, Optional.of(1)));
        refused(ProviderError.Conflict.class, "1 to 180", () -> archives().restore(snapshot, Optional.of(181)));
    }

    @Test
    void whatNeedsASnapshotReadableKeepsItOutOfTheArchive() throws Exception {
        provider.hold(snapshot, new HoldOwner("link-1"));
        refused(ProviderError.Held.class, "link-1", () -> archives().archive(snapshot));
        provider.release(snapshot, new HoldOwner("link-1"));
        var cloudId = cloud.snapshots().getFirst().id();
        var image = cloud.registerImage(cloudId);

        refused(ProviderError.Conflict.class, image, () -> archives().archive(snapshot));
        assertThat(archives().tierOf(snapshot).tier()).isEqualTo(Tier.STANDARD);
        var missing = new SnapshotId(snapshot.volume(), new RecoveryPointId("rp-none"));
        refused(
                ProviderError.SnapshotNotFound.class,
                "rp-none",
                () -> archives().archive(missing));
    }

    @Test
    void fastRestoresBeginAndEndInTheirZonesAndSayWhatTheyCost() throws Exception {
        var zones = List.of(ZONE, "eu-central-1b");

        assertThat(fast().setFastRestore(snapshot, zones, true))
                .containsExactly(
                        new FastRestore(ZONE, FastState.PREPARING), new FastRestore(zones.get(1), FastState.PREPARING));
        cloud.clock().advance(Duration.ofMinutes(2));
        fast().setFastRestore(snapshot, zones, true);
        assertThat(calls("EnableFastSnapshotRestores")).isEqualTo(1);
        assertThat(fast().setFastRestore(snapshot, List.of(ZONE), false))
                .containsExactly(
                        new FastRestore(ZONE, FastState.ENDING), new FastRestore(zones.get(1), FastState.READY));
        cloud.clock().advance(Duration.ofMinutes(2));
        assertThat(fast().fastRestores(snapshot)).extracting(FastRestore::zone).containsExactly(zones.get(1));
        assertThat(fast().fastRestoreCost(2)).contains("1.50 USD an hour").contains("us-east-1");
        refused(
                ProviderError.Conflict.class,
                "us-east-1a",
                () -> fast().setFastRestore(snapshot, List.of("us-east-1a"), true));
        refused(ProviderError.Conflict.class, "1 to 10", () -> fast().setFastRestore(snapshot, List.of(), true));
    }

    @Test
    void ofTheRecycleBinOursIsListedAndComesBackWithAllItHad() throws Exception {
        cloud.recycleBin(REGION, Duration.ofDays(7));
        var others = EbsConfig.of(
                "ebs",
                Map.of(
                        "region",
                        REGION,
                        "installation",
                        "others",
                        "ec2Endpoint",
                        cloud.endpoint().toString(),
                        "ebsEndpoint",
                        cloud.endpoint().toString()));
        try (var clients = EbsAccount.clients(others)) {
            var elsewhere =
                    EbsAccount.open(others, clients, cloud.clock(), new java.util.concurrent.atomic.AtomicBoolean());
            elsewhere.delete(cut(elsewhere, volume, "rp-2"));
        }
        provider.delete(snapshot);
        assertThat(listed()).isEmpty();

        assertThat(bin().binned()).singleElement().satisfies(each -> {
            assertThat(each.id()).isEqualTo(snapshot);
            assertThat(each.goneAt()).contains(in(Duration.ofDays(7)));
        });
        cloud.faults(FaultScript.none().on("RestoreSnapshotFromRecycleBin", 1, Fault.CUT_AFTER));
        bin().undelete(snapshot);
        bin().undelete(snapshot);

        assertThat(calls("RestoreSnapshotFromRecycleBin")).isEqualTo(1);
        assertThat(listed()).containsExactly(snapshot);
        assertThat(bin().binned()).isEmpty();
        var missing = new SnapshotId(snapshot.volume(), new RecoveryPointId("rp-2"));
        refused(ProviderError.SnapshotNotFound.class, "rp-2", () -> bin().undelete(missing));
    }

    @Test
    void snapshotsOfOneCutTogetherAreToldApartInTheBin() throws Exception {
        var second = cloud.createVolume(1, Map.of());
        cloud.createInstance(List.of(volume, second));
        var both = List.of(EbsAccount.volume(volume.id()), EbsAccount.volume(second.id()));
        var request = new CutRequest(new RecoveryPointId("rp-3"), both);
        provider.prepare(request);
        provider.cut(request);
        cloud.recycleBin(REGION, Duration.ofDays(7));

        for (var each : both) {
            provider.delete(new SnapshotId(each, request.recoveryPoint()));
        }

        assertThat(bin().binned()).extracting(each -> each.id().volume()).containsExactlyInAnyOrderElementsOf(both);
    }
}
