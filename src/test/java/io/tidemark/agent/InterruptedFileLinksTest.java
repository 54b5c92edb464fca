package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Links of volumes that are files, when something comes between. */
class InterruptedFileLinksTest extends FileLinkGround {
    @Test
    void aCutLinkResumes() throws Exception {
        var point = interrupted();

        var report = sync(point);

        assertCopied("rp-1");
        assertThat(report.resumedBytes()).isGreaterThanOrEqualTo(8L * MIB);
        assertThat(report.resumedBytes() + report.sentPayloadBytes()).isBetween(40L * MIB, 40L * MIB + 200);
    }

    @Test
    void aStreamThatBeginsOtherwiseThanWhatWasSentIsSentAnew() throws Exception {
        var point = interrupted();
        a.files.salt = "reorganised ";

        var report = sync(point);

        assertCopied("rp-1");
        assertThat(report.resumedBytes()).isZero();
        assertThat(report.sentPayloadBytes()).isGreaterThan(40L * MIB);
    }

    @ParameterizedTest
    @EnumSource(
            value = Moment.class,
            names = {
                "INGEST_COMMITTED",
                "INGEST_PARTLY_APPLIED",
                "INGEST_APPLIED",
                "TARGET_SNAPSHOT_CUT",
                "TARGET_RECORDED"
            })
    void aTargetThatDiedFinishesWhatWasCommitted(Moment moment) throws Exception {
        var second = targetDies(moment);

        b.server.resumeIngests();

        assertCopied("rp-2");
        assertThat(held(b, THERE, "rp-2")).isTrue();
        assertThat(sync(second, "rp-1").sentPayloadBytes()).isZero();
    }

    @Test
    void whatOthersWroteBeforeACommitIsAppliedStays() throws Exception {
        var second = targetDies(Moment.INGEST_PARTLY_APPLIED);
        write(b, THERE, "mine", 10, 3);

        b.server.resumeIngests();

        assertThat(Files.exists(b.files.place(THERE).resolve("mine"))).isTrue();
        assertThat(errorOf(() -> sync(second, "rp-1"))).isInstanceOf(ReplicationError.TargetWritten.class);

        b.files.rollback(new SnapshotId(THERE, new RecoveryPointId("rp-1")));
        sync(second, "rp-1");
        assertCopied("rp-2");
    }

    @Test
    void whatIsWrittenWhileAStreamIsReceivedIsNotOverwritten() throws Exception {
        write(a, HERE, "one", 100, 1);
        sync(take("rp-1"));
        write(a, HERE, "one", 100, 2);
        b.moments = moment -> {
            if (moment == Moment.INGEST_PARTLY_APPLIED) {
                try {
                    write(b, THERE, "mine", 10, 3);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }
        };

        assertThat(errorOf(() -> sync(take("rp-2"), "rp-1"))).isInstanceOf(ReplicationError.TargetWritten.class);

        assertThat(Files.exists(b.files.place(THERE).resolve("mine"))).isTrue();
    }

    @Test
    void aResyncLetsGoOfAStreamThatIsStuck() throws Exception {
        var second = stuck();

        resync(second, "rp-1");

        assertCopied("rp-2");
        assertKept();
    }

    @Test
    void aPromotionLetsGoOfAStreamThatIsStuck() throws Exception {
        stuck();
        var known = b.catalog.link(link.id()).orElseThrow();

        Awaitility.await().until(() -> b.server.settle(known).isEmpty());

        assertThat(Files.exists(b.files.place(THERE).resolve("mine"))).isTrue();
        assertThat(b.files
                        .snapshots(io.tidemark.spi.SnapshotQuery.ofVolume(THERE))
                        .snapshots())
                .extracting(each -> each.id().recoveryPoint().value())
                .containsExactly("rp-1");
        assertThat(b.retire(link.id())).isEmpty();
    }

    @Test
    void theEndOfALinkLetsGoOfAStreamThatIsStuck() throws Exception {
        stuck();

        // Its refusal is heard before its session has ended.
        Awaitility.await().until(() -> b.retire(link.id()).isEmpty());
    }

    /** Its base's hold was let go before it died, and somebody has deleted that one. */
    @Test
    void whatIsAppliedNeedsItsBaseNoMore() throws Exception {
        var second = targetDies(Moment.TARGET_RECORDED);
        var base = new SnapshotId(THERE, new RecoveryPointId("rp-1"));
        b.files.release(base, new HoldOwner("ln-1"));
        b.files.delete(base);

        b.server.resumeIngests();

        assertThat(sync(second, "rp-1").sentPayloadBytes()).isZero();
    }

    @Test
    void aVolumeInUseIsPutToItsRecoveryPointLater() throws Exception {
        write(a, HERE, "one", 100, 1);
        sync(take("rp-1"));
        write(a, HERE, "one", 100, 2);
        var second = take("rp-2");
        var busy = new ProviderError.Busy(THERE.value(), "process 7", Duration.ofSeconds(1));
        b.files.rollbackFails = Optional.of(busy);
        assertThat(errorOf(() -> sync(second, "rp-1"))).isEqualTo(new ReplicationError.Storage(busy));
        assertThat(b.catalog.received).containsOnlyKeys(new RecoveryPointId("rp-1"));
        b.files.rollbackFails = Optional.empty();

        sync(second, "rp-1");

        assertCopied("rp-2");
        assertThat(b.files.received).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource(
            value = Moment.class,
            names = {"INGEST_COMMITTED", "INGEST_PARTLY_APPLIED", "INGEST_APPLIED", "TARGET_RECORDED"})
    void aResyncThatDiedIsFinished(Moment moment) throws Exception {
        var second = writtenTarget();
        b.moments = reached -> {
            if (reached == moment) {
                throw new IllegalStateException("the target dies");
            }
        };
        assertThatThrownBy(() -> resync(second, "rp-1")).isInstanceOf(ReplicationException.class);
        b.moments = Moments.NONE;

        b.server.resumeIngests();

        assertCopied("rp-2");
        assertKept();
    }
}
