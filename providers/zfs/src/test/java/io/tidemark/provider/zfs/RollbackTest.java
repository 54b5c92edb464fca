package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Steps that ZFS does after they were given up, and volumes that somebody opens between two steps. */
class RollbackTest {
    private static final String VOLUME = "tank/v";
    private static final String OLDER = VOLUME + "@daily-1";
    private static final String BRANCH = ZfsNames.forBranch(VOLUME, 1);
    private static final String REPLACEMENT = ZfsNames.forReplacement(VOLUME);

    private final Set<String> used = new HashSet<>();
    private final LateZfs zfs = new LateZfs();
    private final Rollback rollback = new Rollback(zfs, new Removal(zfs), (_, volume) -> {
        if (used.contains(volume.name())) {
            throw ZfsErrors.busy(volume.name(), "test");
        }
    });

    /** Gives up one renaming, and does it when something is destroyed next. */
    private static final class LateZfs extends FakeZfs {
        private String late = "";
        private String given = "";

        @Override
        void rename(String name, String newName) throws ProviderException {
            if (name.equals(late)) {
                late = "";
                given = newName;
                throw new ProviderException(new ProviderError.Unexpected("zfs", "did not end within 60 s"));
            }
            super.rename(name, newName);
        }

        @Override
        void destroy(String name) throws ProviderException {
            super.destroy(name);
            if (!given.isEmpty()) {
                super.rename(VOLUME, given);
                given = "";
            }
        }
    }

    /** Ends each renaming of the volume as if its program had been killed once it was done. */
    private static final class KilledZfs extends FakeZfs {
        @Override
        void rename(String name, String newName) throws ProviderException {
            super.rename(name, newName);
            if (name.equals(VOLUME)) {
                throw new ProviderException(new ProviderError.Unexpected("zfs", "exit status 137"));
            }
        }
    }

    @BeforeEach
    void makeVolume() {
        zfs.add(VOLUME, Map.of("content", "now"));
        zfs.add(OLDER, Map.of());
        zfs.add(VOLUME + "@daily-2", Map.of());
    }

    private void run() throws ProviderException {
        var catalog = zfs.catalog();
        rollback.run(
                zfs::catalog,
                catalog.named(VOLUME).orElseThrow(),
                catalog.named(OLDER).orElseThrow());
    }

    private boolean hasContent(String zvol) {
        return zfs.objects.getOrDefault(zvol, Map.of()).containsKey("content");
    }

    @Test
    void branchThatWasReplacedGoesBackToItsNewestSnapshot() throws Exception {
        run();

        assertThat(hasContent(VOLUME)).isFalse();
        assertThat(zfs.objects).containsKeys(VOLUME, OLDER, BRANCH, BRANCH + "@daily-2");
        assertThat(zfs.changes).endsWith("promote " + VOLUME, "rollback " + BRANCH + "@daily-2");
    }

    @Test
    void volumeHasItsNameAgainWhereItsRenamingWasDoneAndTheProgramKilled() throws Exception {
        var killed = new KilledZfs();
        killed.add(VOLUME, Map.of("content", "now"));
        killed.add(OLDER, Map.of());
        var volume = killed.catalog().named(VOLUME).orElseThrow();
        var older = killed.catalog().named(OLDER).orElseThrow();

        assertThatThrownBy(() ->
                        new Rollback(killed, new Removal(killed), (_, _) -> {}).run(killed::catalog, volume, older))
                .hasMessageContaining("137");

        assertThat(killed.objects).containsOnlyKeys(VOLUME, OLDER);
        assertThat(killed.properties(VOLUME)).containsKey("content");
    }

    @Test
    void snapshotIsThereUnderAnotherNameToo() throws Exception {
        var older = zfs.catalog().named(OLDER).orElseThrow();
        zfs.rename(VOLUME, BRANCH);

        assertThat(zfs.catalog().has(older)).isTrue();
        zfs.objects.remove(BRANCH + "@daily-1");
        assertThat(zfs.catalog().has(older)).isFalse();
    }

    @Test
    void volumeThatIsRenamedAfterItsReplacementHasGoneGetsItsNameBack() throws Exception {
        zfs.late = VOLUME;
        assertThatThrownBy(this::run).hasMessageContaining("60 s");

        rollback.sweep(zfs::catalog);
        rollback.sweep(zfs::catalog);

        assertThat(hasContent(VOLUME)).isTrue();
        assertThat(zfs.changes).noneMatch(each -> each.startsWith("rollback"));
    }

    @Test
    void replacementThatIsRenamedInTheVolumesPlaceGetsItsNameBack() throws Exception {
        run();
        zfs.rename(VOLUME, ZfsNames.forBranch(VOLUME, 2));

        rollback.sweep(zfs::catalog);

        assertThat(zfs.objects).containsKeys(VOLUME, BRANCH).doesNotContainKey(ZfsNames.forBranch(VOLUME, 2));
    }

    @Test
    void branchWhosePlaceAnotherVolumeHasTakenIsNotTouched() throws Exception {
        zfs.late = VOLUME;
        assertThatThrownBy(this::run).hasMessageContaining("60 s");
        rollback.sweep(zfs::catalog);
        assertThat(hasContent(VOLUME)).isTrue();
        zfs.rename(VOLUME, BRANCH);
        zfs.add(VOLUME, Map.of());

        rollback.sweep(zfs::catalog);

        assertThat(hasContent(BRANCH)).isTrue();
        assertThat(zfs.changes).noneMatch(each -> each.startsWith("rollback"));
    }

    @Test
    void volumeThatIsOpenedBetweenTheStepsKeepsItsPlaceAndContent() {
        used.add(BRANCH);

        assertThatThrownBy(this::run)
                .isInstanceOfSatisfying(
                        ProviderException.class, e -> assertThat(e.error()).isInstanceOf(ProviderError.Busy.class));

        assertThat(hasContent(VOLUME)).isTrue();
        assertThat(zfs.objects).doesNotContainKeys(BRANCH, REPLACEMENT);
    }

    @Test
    void branchThatIsUsedIsLeftAsItIs() throws Exception {
        run();
        zfs.changes.clear();
        used.add(BRANCH);

        rollback.settle(zfs::catalog);

        assertThat(zfs.changes).isEmpty();
    }

    @Test
    void replacementOfAVolumeThatHasGoneTakesNoPlace() throws Exception {
        zfs.add(REPLACEMENT, Map.of(ZfsNames.REPLACES, VOLUME, ZfsNames.INSTEAD_OF, "1"));
        zfs.objects.remove(VOLUME);

        rollback.sweep(zfs::catalog);

        assertThat(zfs.objects).containsKey(REPLACEMENT).doesNotContainKey(VOLUME);
    }

    @Test
    void whatIsSetOnTheVolumeHereOrWhereItWasSentFromIsKept() throws Exception {
        var settings = ZfsReport.settings(String.join(
                "\n",
                "readonly\tlocal\ton",
                "compression\treceived\tzstd",
                "org:owner\treceived\ta\tb",
                ZfsNames.VOLUME + "\treceived\tofAnotherHost",
                ZfsNames.PLACE + "\tlocal\ttank/before"));
        zfs.properties(VOLUME).putAll(settings);

        run();

        assertThat(zfs.properties(VOLUME))
                .containsEntry("readonly", "on")
                .containsEntry("compression", "zstd")
                .containsEntry("org:owner", "a\tb")
                .containsEntry(ZfsNames.PLACE, VOLUME)
                .doesNotContainKey(ZfsNames.VOLUME);
        assertThat(zfs.properties(BRANCH)).containsEntry("refreservation", "none");
    }
}
