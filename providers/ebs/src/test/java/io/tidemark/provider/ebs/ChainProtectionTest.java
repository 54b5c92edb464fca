package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.provider.fakecloud.aws.FakeAwsSettings;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.Readiness;
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
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots that a volume made here lies on. */
@Timeout(60)
class ChainProtectionTest {
    private static final VolumeId CHAIN = VolumeId.of("ebs", "chain");
    private static final SnapshotId SNAPSHOT = new SnapshotId(CHAIN, new RecoveryPointId("rp-1"));

    @TempDir
    Path staging;

    @Test
    void baseOfAVolumeIsNotArchivedAndKeepsItsNameWhileItIsLocked() throws Exception {
        try (var cloud = FakeAws.start(FakeAwsSettings.defaults())) {
            var config = EbsAccount.config(cloud.endpoint().toString(), staging);
            try (var provider = EbsAccount.openStaged(
                    config,
                    EbsAccount.inProcess(cloud, config),
                    cloud.clock(),
                    new AtomicBoolean(),
                    new StagingFiles(() -> {}))) {
                uploaded(provider);
                var archives = provider.ability(SnapshotArchives.class).orElseThrow();
                var locks = provider.ability(SnapshotLocks.class).orElseThrow();

                assertThatThrownBy(() -> archives.archive(SNAPSHOT)).hasMessageContaining("lies on");
                var until = cloud.clock().instant().plus(Duration.ofDays(2));
                locks.lock(SNAPSHOT, new LockRequest(LockMode.GOVERNANCE, until, Duration.ZERO));
                assertThatThrownBy(() -> provider.delete(SNAPSHOT)).hasMessageContaining("locked in mode governance");
                assertThat(listed(provider)).containsExactly(SNAPSHOT);

                locks.unlock(SNAPSHOT);
                provider.delete(SNAPSHOT);
                assertThat(listed(provider)).isEmpty();
            }
            EbsAccount.everyCallIsChecked(cloud);
        }
    }

    @Test
    void baseOfAVolumeIsDeletedWhereNobodyMayAskForLocks() throws Exception {
        try (var cloud = FakeAws.start(FakeAwsSettings.defaults())) {
            var config = EbsAccount.config(cloud.endpoint().toString(), staging);
            try (var provider = EbsAccount.openStaged(
                    config,
                    EbsAccount.inProcess(cloud, config),
                    cloud.clock(),
                    new AtomicBoolean(),
                    new StagingFiles(() -> {}))) {
                uploaded(provider);
                cloud.deny("DescribeLockedSnapshots");

                provider.delete(SNAPSHOT);

                assertThat(listed(provider)).isEmpty();
                assertThat(cloud.snapshots()).as("the volume lies on it").hasSize(1);
            }
        }
    }

    @Test
    void snapshotThatIsNotAtAmazonYetHasNoLock() throws Exception {
        try (var cloud = FakeAws.start(FakeAwsSettings.defaults())) {
            var config = EbsAccount.config(cloud.endpoint().toString(), staging);
            try (var provider = EbsAccount.openStaged(
                    config,
                    EbsAccount.inProcess(cloud, config),
                    cloud.clock(),
                    new AtomicBoolean(),
                    new StagingFiles(() -> {}))) {
                cloud.deny("StartSnapshot");
                provider.create(CHAIN, 1 << 20);
                provider.cut(new CutRequest(SNAPSHOT.recoveryPoint(), List.of(CHAIN)));

                var locks = provider.ability(SnapshotLocks.class).orElseThrow();
                assertThat(locks.lockOf(SNAPSHOT)).isEmpty();

                assertThat(cloud.snapshots()).isEmpty();
                assertThat(provider.delete(SNAPSHOT)).isInstanceOf(Step.Done.class);
            }
        }
    }

    @Test
    void baseOfBeforeComesBackOutOfTheBinUnderItsName() throws Exception {
        try (var cloud = FakeAws.start(FakeAwsSettings.defaults())) {
            cloud.recycleBin("eu-central-1", Duration.ofDays(7));
            var config = EbsAccount.config(cloud.endpoint().toString(), staging);
            try (var provider = EbsAccount.openStaged(
                    config,
                    EbsAccount.inProcess(cloud, config),
                    cloud.clock(),
                    new AtomicBoolean(),
                    new StagingFiles(() -> {}))) {
                uploaded(provider);
                provider.delete(SNAPSHOT);
                var next = new SnapshotId(CHAIN, new RecoveryPointId("rp-2"));
                cut(provider, next, 2);
                var bin = provider.ability(RecycleBin.class).orElseThrow();
                for (int look = 0; look < 10_000 && bin.binned().isEmpty(); look++) {
                    Thread.sleep(1);
                }

                bin.undelete(SNAPSHOT);

                assertThat(listed(provider)).containsExactly(SNAPSHOT, next);
                try (var reader = provider.read(SNAPSHOT)) {
                    var read = ByteBuffer.allocate(1);
                    reader.read(0, read);
                    assertThat(read.get(0)).isEqualTo((byte) 1);
                    assertThat(reader.sizeBytes()).isEqualTo(1 << 20);
                }
                cloud.clock().advance(RecentEffects.VISIBLE_WITHIN.plusSeconds(1));
                assertThat(listed(provider)).as("by its tags").containsExactly(SNAPSHOT, next);
            }
            EbsAccount.everyCallIsChecked(cloud);
        }
    }

    private static void uploaded(EbsProvider provider) throws Exception {
        provider.create(CHAIN, 1 << 20);
        cut(provider, SNAPSHOT, 1);
    }

    private static void cut(EbsProvider provider, SnapshotId snapshot, int content) throws Exception {
        try (var writer = provider.write(CHAIN)) {
            writer.write(0, ByteBuffer.wrap(new byte[] {(byte) content}));
        }
        provider.cut(new CutRequest(snapshot.recoveryPoint(), List.of(CHAIN)));
        for (int look = 0; look < 10_000 && !(provider.readiness(snapshot) instanceof Readiness.Ready); look++) {
            Thread.sleep(1);
        }
    }

    private static List<SnapshotId> listed(EbsProvider provider) throws Exception {
        return provider.snapshots(SnapshotQuery.ofVolume(CHAIN)).snapshots().stream()
                .map(Snapshot::id)
                .toList();
    }
}
