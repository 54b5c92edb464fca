package io.tidemark.provider.btrfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.conformance.TestStorage;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Sizes that a Btrfs on a loop device tells, with quotas and without. */
class BtrfsSizesTest extends BtrfsGround {
    private static final int CONTENT_BYTES = 5 << 20;

    /** The root of a subvolume, of either node size. */
    private static final int EMPTY_BYTES_MAXIMUM = 64 << 10;

    private static final CutRequest CUT = new CutRequest(new RecoveryPointId("rp-1"), List.of(HOME));

    @BeforeEach
    void needsProgram() {
        TestStorage.needs(new CommandRunner().find("btrfs").isPresent(), "btrfs-progs is not installed");
    }

    @AfterEach
    void quotasOff() throws Exception {
        storage().must("btrfs", "quota", "disable", folder().toString());
    }

    private void quotasOn() throws Exception {
        storage().must("btrfs", "quota", "enable", folder().toString());
        storage().must("btrfs", "quota", "rescan", "-w", folder().toString());
    }

    private Path homeWithContent() throws Exception {
        var home = make("home", "");
        var bytes = new byte[CONTENT_BYTES];
        new Random(41).nextBytes(bytes);
        Files.write(home.resolve("content"), bytes);
        host().syncFileSystem(home);
        return home;
    }

    private static void isAboutTheContents(long sizeBytes) {
        assertThat(sizeBytes).isBetween((long) CONTENT_BYTES, (long) CONTENT_BYTES + EMPTY_BYTES_MAXIMUM);
    }

    private List<Snapshot> listed() throws Exception {
        return provider().snapshots(SnapshotQuery.ofVolume(HOME)).snapshots();
    }

    @Test
    void volumeAndSnapshotAreAsLargeAsWhatTheyReferToAtTheirTime() throws Exception {
        var home = homeWithContent();
        quotasOn();

        var cut = provider().cut(CUT).members().getFirst().snapshot();
        Files.delete(home.resolve("content"));
        host().syncFileSystem(home);

        isAboutTheContents(cut.sizeBytes());
        assertThat(listed()).containsExactly(cut);
        assertThat(provider().volume(HOME).sizeBytes()).isBetween(1L, (long) EMPTY_BYTES_MAXIMUM);
        assertThat(provider().volumes())
                .singleElement()
                .satisfies(volume -> assertThat(volume).isEqualTo(provider().volume(HOME)));
        assertThat(provider().volume(HOME).facts()).containsEntry("quotas", "on");
    }

    @Test
    void withoutQuotasSizesAreZeroAndTheVolumeSaysHowToTurnThemOn() throws Exception {
        homeWithContent();

        var cut = provider().cut(CUT).members().getFirst().snapshot();

        assertThat(cut.sizeBytes()).isZero();
        assertThat(listed()).containsExactly(cut);
        assertThat(provider().volume(HOME).sizeBytes()).isZero();
        assertThat(provider().volume(HOME).facts())
                .containsEntry("quotas", "off (btrfs quota enable %s), so no size is told".formatted(folder()));
    }

    @Test
    void nameOfASubvolumeThatLooksLikeACountSaysNothing() throws Exception {
        homeWithContent();
        quotasOn();
        long home = host().btrfsSubvolume(folder().resolve("home")).id();
        var parent = Files.createDirectory(folder().resolve("x\n0"));
        host().btrfsCreateSubvolume(parent.resolve(home + " 1 1\n"));

        isAboutTheContents(provider().volume(HOME).sizeBytes());
    }

    @Test
    void cloneHasItsSizeAtOnce() throws Exception {
        homeWithContent();
        quotasOn();
        var snapshot = provider().cut(CUT).members().getFirst().snapshot();
        var copy = VolumeId.of("btrfs", "copy");

        provider().clone(new CloneRequest(snapshot.id(), copy));

        isAboutTheContents(provider().volume(copy).sizeBytes());
        assertThat(provider().delete(snapshot.id())).isEqualTo(new Step.Done<>(true));
        assertThat(listed()).isEmpty();
    }
}
