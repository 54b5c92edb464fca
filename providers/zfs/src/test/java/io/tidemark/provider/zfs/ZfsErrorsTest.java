package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.nativeblock.HostCallException;
import io.tidemark.provider.commands.Outcome;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Texts as captured in the storage lab: OpenZFS 2.1.11 (Debian 12) where nothing else is said. */
class ZfsErrorsTest {
    private static final long MEBIBYTE = 1 << 20;

    private static ProviderError of(String stderr) {
        return ZfsErrors.of("tank/v", "zfs get -Hp -r all tank", new Outcome(1, "", stderr))
                .error();
    }

    private static ProviderError of(int errno) {
        return ZfsErrors.of("tank/v", "zfs snapshot", new HostCallException("lzc_snapshot", Path.of("tank/v@s"), errno))
                .error();
    }

    @Test
    void lackOfRoomIsNamed() {
        assertThat(of("cannot create 'tank/v': out of space")).isInstanceOf(ProviderError.OutOfSpace.class);
        assertThat(of(HostCallException.ENOSPC)).isInstanceOf(ProviderError.OutOfSpace.class);
    }

    @Test
    void nameThatIsTakenIsAConflictAndIsToldOf() {
        assertThat(of("cannot create 'tank/v': dataset already exists"))
                .isInstanceOfSatisfying(
                        ProviderError.Conflict.class,
                        error -> assertThat(error.reason()).contains("'tank/v'"));
        assertThat(of(HostCallException.EEXIST))
                .isInstanceOfSatisfying(
                        ProviderError.Conflict.class,
                        error -> assertThat(error.reason()).contains("tank/v@s"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cannot destroy snapshot tank/v@s: dataset is busy",
                // 2.3.2
                "cannot destroy snapshot tank/v@s: it's being held. Run 'zfs holds -r tank/v@s' to see holders."
            })
    void whatIsHeldIsBusy(String stderr) {
        assertThat(of(stderr)).isInstanceOf(ProviderError.Busy.class);
    }

    private static final String INCREMENTAL = "cannot receive incremental stream: ";

    private static ProviderError ofReceiving(String stderr) {
        var snapshot = new SnapshotId(VolumeId.of("zfs", "tank/fs"), new RecoveryPointId("rp-1"));
        return ZfsErrors.ofReceiving(snapshot, new Outcome(1, "", stderr)).error();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                INCREMENTAL + "checksum mismatch",
                INCREMENTAL + "incomplete stream",
                INCREMENTAL + "most recent snapshot of p/t/z does not\nmatch incremental source",
                "cannot receive: invalid stream (bad magic number)",
                "cannot receive: failed to read from stream"
            })
    void streamThatIsNotWhatItShouldBeIsDamaged(String stderr) {
        assertThat(ofReceiving(stderr)).isInstanceOf(ProviderError.Corrupt.class);
    }

    @Test
    void whyAStreamIsNotTakenIsToldWithTheWayOut() {
        assertThat(ofReceiving(INCREMENTAL + "destination p/t/o has been modified\nsince most recent snapshot"))
                .isInstanceOf(ProviderError.Busy.class);
        assertThat(ofReceiving(INCREMENTAL + "dataset is busy")).isInstanceOf(ProviderError.Busy.class);
        assertThat(ofReceiving(INCREMENTAL + "destination p/t/q3/x space quota exceeded."))
                .isInstanceOfSatisfying(
                        ProviderError.OutOfSpace.class,
                        error -> assertThat(error.message()).contains("quota"));
        assertThat(ofReceiving(INCREMENTAL + "out of space")).isInstanceOf(ProviderError.OutOfSpace.class);
        assertThat(ofReceiving("cannot receive new filesystem stream: pool must be upgraded to receive this stream."))
                .isInstanceOfSatisfying(
                        ProviderError.Conflict.class,
                        error -> assertThat(error.reason()).contains("zpool upgrade"));
        assertThat(ofReceiving("cannot receive new filesystem stream: inherited key must be loaded"))
                .isInstanceOfSatisfying(
                        ProviderError.Conflict.class,
                        error -> assertThat(error.reason()).contains("zfs load-key"));
    }

    /** Which is no name of a dataset. */
    @Test
    void tagThatExistsIsNoConflict() {
        assertThat(of("cannot hold snapshot 'tank/v@s': tag already exists on this dataset"))
                .isInstanceOf(ProviderError.Unexpected.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cannot open 'tank': pool I/O is currently suspended",
                "cannot create 'tank/b': pool I/O is currently suspended"
            })
    void suspendedPoolIsToldOfWithWhereToReadOn(String stderr) {
        assertThat(of(stderr))
                .isInstanceOfSatisfying(
                        ProviderError.Unexpected.class,
                        error -> assertThat(error.message())
                                .startsWith("zfs get answered")
                                .contains("suspended")
                                .contains("zfs-provider.md"));
        assertThat(of(HostCallException.EAGAIN).message()).contains("suspended");
    }

    @Test
    void datasetThatIsGoneIsToldOfInOneLine() {
        assertThat(of("cannot open 'tank': dataset does not exist").message())
                .startsWith("zfs get answered")
                .contains("'tank'")
                .contains("zpool import");
    }

    @Test
    void whatIsBelowOrNewerIsAConflict() {
        assertThat(of("cannot destroy 'tank/v': filesystem has children\nuse '-r' to destroy the following datasets:"))
                .isInstanceOf(ProviderError.Conflict.class);
        assertThat(of("cannot rollback to 'tank/v@s': more recent snapshots or bookmarks exist\nuse '-r'"))
                .isInstanceOfSatisfying(
                        ProviderError.Conflict.class,
                        error -> assertThat(error.reason()).contains("tank/v@s"));
    }

    @Test
    void mountWithoutAKeyNamesWhoseKeyIsToBeLoaded() throws Exception {
        var failure = new ProviderException(new ProviderError.Denied("tank/e/sub@s", "the right to mount"));
        var root = ZfsReport.unloadedKey("unavailable\ntank/e\n");

        assertThat(ZfsErrors.withoutKey("tank/e/sub@s", root.orElseThrow(), failure)
                        .error()
                        .message())
                .endsWith("zfs load-key tank/e");
        assertThat(ZfsReport.unloadedKey("available\ntank/e\n")).isEmpty();
        assertThat(ZfsReport.unloadedKey("-\n-\n")).isEmpty();
    }

    @Test
    void writeThatFailsWithoutRoomIsOutOfSpace() {
        var failure = new ProviderException(new ProviderError.Unexpected("syncing /dev/zd0", "Input/output error"));

        assertThat(ZfsErrors.ofWriting("tank/v", MEBIBYTE, failure).error())
                .isInstanceOf(ProviderError.OutOfSpace.class);
        assertThat(ZfsErrors.ofWriting("tank/v", 1_000 * MEBIBYTE, failure)).isSameAs(failure);
    }

    @Test
    void volumeWithoutRoomForASnapshotIsNotCut() {
        var full = new ZfsObject("tank/v", Map.of("available", "353792"));
        var roomy = new ZfsObject("tank/v", Map.of("available", String.valueOf(MEBIBYTE)));

        assertThatThrownBy(() -> ZfsErrors.refuseWhereFull(full)).hasMessageContaining("353792 bytes available");
        assertThatCode(() -> ZfsErrors.refuseWhereFull(roomy)).doesNotThrowAnyException();
    }
}
