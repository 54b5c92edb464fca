package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.Moment;
import io.tidemark.domain.Operation;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.replication.ReplicationError;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Links of volumes that are files. */
class FileLinksTest extends FileLinkGround {
    @Test
    void wholeFirstAndThenWhatChanged() throws Exception {
        write(a, HERE, "large", 3 * MIB + 17, 1);
        write(a, HERE, "goes", 100, 2);
        var first = sync(take("rp-1"));

        assertCopied("rp-1");
        assertThat(first.base()).isEmpty();
        assertThat(first.changedRangeSource()).isEqualTo("folder-stream");

        write(a, HERE, "comes", 1000, 3);
        Files.delete(a.files.place(HERE).resolve("goes"));
        var second = sync(take("rp-2"), "rp-1");

        assertCopied("rp-2");
        assertThat(second.base()).contains(new RecoveryPointId("rp-1"));
        assertThat(second.sentPayloadBytes()).isBetween(1000L, 1200L);
        assertThat(held(a, HERE, "rp-1")).isFalse();
        assertThat(held(a, HERE, "rp-2")).isTrue();
        assertThat(held(b, THERE, "rp-1")).isFalse();
        assertThat(held(b, THERE, "rp-2")).isTrue();
        assertThat(b.catalog.received).containsOnlyKeys(new RecoveryPointId("rp-1"), new RecoveryPointId("rp-2"));
    }

    @Test
    void whatIsThereIsNotSentAgain() throws Exception {
        write(a, HERE, "one", 100, 1);
        var point = take("rp-1");
        sync(point);

        assertThat(sync(point).sentPayloadBytes()).isZero();
        assertThat(b.files.received).isEqualTo(1);
    }

    @Test
    void aVerificationSeesWhatDiffers() throws Exception {
        write(a, HERE, "one", 10_000, 1);
        sync(take("rp-1"));
        Files.write(
                b.files
                        .place(new SnapshotId(THERE, new RecoveryPointId("rp-1")))
                        .resolve("one"),
                new byte[10_000]);

        assertThat(differing("rp-1")).isEqualTo(1);
    }

    @Test
    void whenTheRootWasChangedIsNoDifference() throws Exception {
        write(a, HERE, "one", 10_000, 1);
        sync(take("rp-1"));
        Files.setLastModifiedTime(
                b.files.place(new SnapshotId(THERE, new RecoveryPointId("rp-1"))), FileTime.fromMillis(7));

        assertThat(differing("rp-1")).isZero();
    }

    @Test
    void aTargetThatIsNotThereHasToBeMade() throws Exception {
        Files.delete(b.files.place(THERE));

        assertThat(errorOf(() -> a.replicator.openLink(link, peer, 0)).message())
                .contains("there is no volume folder:home-copy there");
    }

    @Test
    void aCancelledSynchronisationEndsSoon() throws Exception {
        write(a, HERE, "large", 40 * MIB, 1);
        var point = take("rp-1");
        var cancel = new AtomicBoolean();
        a.moments = moment -> cancel.compareAndSet(false, moment == Moment.SYNC_PARTLY_SENT);
        var listener = new ProgressListener() {
            @Override
            public void progress(Operation.Progress progress) {}

            @Override
            public boolean cancelled() {
                return cancel.get();
            }
        };

        assertThat(errorOf(() -> a.replicator.sync(link, peer, point, List.of(), listener)))
                .isEqualTo(new ReplicationError.Cancelled(link.id()));
    }

    @Test
    void aWrittenTargetIsNotOverwritten() throws Exception {
        write(a, HERE, "one", 100, 1);
        sync(take("rp-1"));
        write(b, THERE, "mine", 10, 3);

        assertThat(errorOf(() -> sync(take("rp-2"), "rp-1")))
                .isEqualTo(new ReplicationError.TargetWritten(THERE, "mine differs"));
        assertThat(held(a, HERE, "rp-2")).isFalse();
    }

    @Test
    void aFirstCopyWantsAnEmptyVolume() throws Exception {
        write(b, THERE, "mine", 10, 3);
        write(a, HERE, "one", 100, 1);

        assertThat(errorOf(() -> sync(take("rp-1"))))
                .isEqualTo(new ReplicationError.TargetWritten(THERE, "it has mine"));
        assertThat(Files.exists(b.files.place(THERE).resolve("mine"))).isTrue();
    }

    @Test
    void aSourceThatLostTheBaseIsRefused() throws Exception {
        write(a, HERE, "one", 100, 1);
        sync(take("rp-1"));
        sync(take("rp-2"), "rp-1");

        assertThat(errorOf(() -> sync(take("rp-3"), "rp-1"))).isInstanceOf(ReplicationError.NoCommonBase.class);
    }

    @Test
    void bothVolumesAreFiles() throws Exception {
        b.provider.create(new VolumeId("memory:blocks"), MIB);
        var other = new ReplicationLink(
                new io.tidemark.domain.LinkId("ln-2"),
                ReplicationLink.Role.SOURCE,
                peer.id(),
                HERE,
                new VolumeId("memory:blocks"),
                link.group(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());

        assertThat(errorOf(() -> a.replicator.openLink(other, peer, 0)).message())
                .contains("name a volume of this site that is files");
    }

    @Test
    void aResyncKeepsWhatOthersWroteAndBuildsUponWhatBothHave() throws Exception {
        var second = writtenTarget();

        var report = resync(second, "rp-1");

        assertCopied("rp-2");
        assertThat(report.base()).contains(new RecoveryPointId("rp-1"));
        assertThat(report.sentPayloadBytes()).isLessThan(1_000);
        assertKept();
    }

    /** As a reversal does, with what each side has received. */
    @Test
    void theOtherWayTheSameSnapshotsAreTheBase() throws Exception {
        write(a, HERE, "one", MIB, 1);
        var first = sync(take("rp-1"));
        a.catalog.saveLink(
                link.inStepWith(first).reversed(ReplicationLink.Role.TARGET, link.group(), Optional.empty()));
        b.catalog.links.computeIfPresent(
                link.id(), (_, known) -> known.reversed(ReplicationLink.Role.SOURCE, known.group(), Optional.empty()));
        write(b, THERE, "two", 100, 2);
        var point = b.takeFiles(THERE, "rp-2");

        var report = b.replicator.sync(
                b.catalog.link(link.id()).orElseThrow(),
                b.catalog.peers().getFirst(),
                point,
                List.of(new RecoveryPointId("rp-1")),
                ProgressListener.NONE);

        assertThat(report.sentPayloadBytes()).isLessThan(1_000);
        assertThat(a.files.changedSince(HERE, Optional.of(point.id()))).isEmpty();
        assertThat(Files.exists(a.files.place(HERE).resolve("two"))).isTrue();
    }
}
